import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cidrContains, cidrOf, cidrsOverlap } from '#model/cidr.ts'
import type { NodeRecord } from '#model/node/record.ts'
import { ComponentMissing } from '#ports/components.ts'
import type { ControlPlaneHost } from '#ports/control-plane-host.ts'
import { ensureCgroup, findCgroupHierarchies, removeCgroup, removeCgroupIfEmpty } from '#providers/local/control-plane/cgroups.ts'
import { rangesInUse } from '#providers/local/host-network/choose.ts'
import { addressPool, overlayLink, type HostNetworkSettings } from '#providers/local/host-network/settings.ts'
import type { OverlayKeys } from '#providers/local/overlay/certificates.ts'
import { RegionOverlay, type IssuedOf, type OverlayRecords } from '#providers/local/overlay/region-overlay.ts'
import { removeOverlay } from '#providers/local/overlay/remove-overlay.ts'
import type { Store } from '#ports/store.ts'
import type { Configuration } from '../configuration.ts'
import { overlayHost } from './network.ts'
import type { LocalRegionRun } from './run.ts'
import { systemClock } from '../system-clock.ts'

/** A process that died is back, and a removed machine is let in no more, after this. */
const LOOK_EVERY_MS = 3_000
/** What does not start is tried again at longer and longer intervals. */
const LONGEST_PAUSE_MS = 60_000

/** The overlay by which machines outside are part of the region; undefined where nothing is advertised. Nothing runs yet. */
export function openOverlay({ configuration, components, opened, region }: Omit<LocalRegionRun, 'signal'>, network: HostNetworkSettings): RegionOverlay | undefined {
  const host = overlayHost(configuration)
  if (host === undefined || network.overlay === undefined) return undefined
  return new RegionOverlay({
    settings: { network, cidr: network.overlay, host, port: configuration.overlayPort },
    folder: folderOf(configuration), logFile: join(configuration.stateDir, 'log', 'overlay.log'),
    components, clock: systemClock, records: recordsOf(opened.store, region.region), onStarted: pid => intoCgroup(configuration.hash, pid),
  })
}

/** Keeps it running and its members those of the records, until aborted; what stands in the way is the region's obstacle. */
export async function keepOverlay({ region, face, opened: { store }, log, say }: LocalRegionRun, network: HostNetworkSettings, overlay: RegionOverlay | undefined, signal: AbortSignal): Promise<void> {
  if (!overlay) return
  let pause = LOOK_EVERY_MS
  let hasWorked = false
  while (!signal.aborted) {
    let sentence: string | undefined
    try {
      const { overlay: cidr = network.cidr } = network
      const inTheWay = hasWorked ? undefined : (await rangesInUse(overlayLink(network.hash))).find(other => cidrsOverlap(cidrOf(other), cidrOf(cidr)))
      if (inTheWay !== undefined) throw new Error(`their range ${cidr} overlaps ${inTheWay}, which this host uses for something else now; free that range`)
      const clusters = await store.clustersOfRegion(region.region)
      await overlay.ensure(clusters.map(({ id }) => id), async id => (await store.machineSecretsOf(id)).flatMap(({ state, secretHash }) => state === 'member' ? [secretHash] : []))
      if (!hasWorked) say(`Region ${region.region}: machines on other hosts join by ${overlay.entrance.server} (UDP) as well`)
      hasWorked = true
      pause = LOOK_EVERY_MS
    } catch (error) {
      // They are just being installed, which the region says already.
      if (error instanceof ComponentMissing) pause = LOOK_EVERY_MS
      else sentence = `Machines outside do not reach the region now: ${error instanceof Error ? error.message : String(error)}`
      if (sentence !== undefined) pause = Math.min(pause * 2, LONGEST_PAUSE_MS)
    }
    if (face.setObstacle('overlay', sentence) && sentence !== undefined) {
      log.warn({ error: sentence }, 'The overlay does not run')
      say(`Region ${region.region}: ${sentence}`)
    }
    await systemClock.sleep(pause, signal).catch(() => undefined) // aborted: the loop ends
  }
}

/** Takes the overlay of this installation off the host, whether it is still wanted or not. */
export function removeOverlayFromHost(configuration: Configuration): Promise<void> {
  return removeOverlay(configuration.hash, folderOf(configuration), async () => {
    const hierarchies = await findCgroupHierarchies()
    await removeCgroup(hierarchies, cgroupOf(configuration.hash), systemClock)
    await removeCgroupIfEmpty(hierarchies, `edgehold-${configuration.hash}`)
  })
}

/**
 * The routes of API servers to pods: what lies in the overlay is reached by the bridge's gateway, which knows the machine. Nodes outside while nothing is
 * advertised are not reached at all, and must not keep others from being. The host's ways are everybody's, so they lead only to addresses that the records
 * give to nodes of that cluster: a Node object is written by its machine.
 */
export function routesThroughOverlay({ host, network, overlay, nodesOf }: {
  readonly host: Pick<ControlPlaneHost, 'ensureRoutes'>
  readonly network: HostNetworkSettings
  readonly overlay: Pick<RegionOverlay, 'holds' | 'ensurePodRoutes'> | undefined
  readonly nodesOf: (parent: { clusterId: string }) => Promise<readonly Pick<NodeRecord, 'spec'>[]>
}): Pick<ControlPlaneHost, 'ensureRoutes'> {
  const { gateway } = addressPool(network)
  return {
    async ensureRoutes(clusterId, routes) {
      const inOverlay = routes.filter(({ via }) => overlay?.holds(via))
      const own = new Set((inOverlay.length > 0 ? await nodesOf({ clusterId }) : []).map(({ spec }) => spec.address))
      const outside = inOverlay.filter(({ via }) => own.has(via))
      const inside = routes.filter(({ via }) => cidrContains(cidrOf(network.cidr), via))
      await overlay?.ensurePodRoutes(clusterId, outside)
      await host.ensureRoutes(clusterId, [...inside, ...outside.map(({ podCidr }) => ({ podCidr, via: gateway }))])
    },
  }
}

function recordsOf(store: Store, region: string): OverlayRecords {
  const name = `region/${region}/overlay`
  const list = `${name}/issued`
  const clusters = async (): Promise<readonly string[]> => JSON.parse(await store.readSecret(list) ?? '[]') as string[]
  const ofCluster = (id: string): string => `${list}/${id}`
  return {
    keys: make => store.write(systemClock.now(), async tx => {
      await tx.lockName(name)
      const text = await store.readSecret(name)
      const kept = text === undefined ? undefined : (JSON.parse(text) as OverlayKeys)
      const keys = await make(kept)
      if (keys !== kept) await tx.putSecret(name, JSON.stringify(keys))
      return keys
    }),
    clusters,
    async issued(clusterId) {
      const text = await store.readSecret(ofCluster(clusterId))
      return text === undefined ? {} : (JSON.parse(text) as IssuedOf)
    },
    keepIssued: (clusterId, issued) => store.write(systemClock.now(), async tx => {
      await tx.putSecret(ofCluster(clusterId), JSON.stringify(issued))
      const known = await clusters()
      if (!known.includes(clusterId)) await tx.putSecret(list, JSON.stringify([...known, clusterId]))
    }),
    forget: clusterId => store.write(systemClock.now(), async tx => {
      await tx.deleteSecrets(ofCluster(clusterId))
      await tx.putSecret(list, JSON.stringify((await clusters()).filter(id => id !== clusterId)))
    }),
  }
}

const folderOf = ({ runDir }: Pick<Configuration, 'runDir'>): string => join(runDir, 'overlay')
const cgroupOf = (hash: string): string => `edgehold-${hash}/overlay`

/** In that of the server's service unit it would end with the server. */
async function intoCgroup(hash: string, pid: number): Promise<void> {
  for (const folder of await ensureCgroup(await findCgroupHierarchies(), cgroupOf(hash))) {
    await writeFile(join(folder, 'cgroup.procs'), String(pid)).catch((error: NodeJS.ErrnoException) => {
      // It has ended by itself, which whoever started it sees.
      if (error.code !== 'ESRCH') throw error
    })
  }
}
