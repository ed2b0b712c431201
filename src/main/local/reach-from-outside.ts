import type { ClusterRecord } from '#model/cluster/record.ts'
import { outsidePort, outsidePortsThere, takenPorts, type OutsidePort } from '#providers/local/host-network/outside-ports.ts'
import type { HostNetworkSettings } from '#providers/local/host-network/settings.ts'
import type { Configuration } from '../configuration.ts'
import type { LocalParts } from './parts.ts'
import type { LocalRegionRun } from './run.ts'
import { systemClock } from '../system-clock.ts'

const LOOK_EVERY_MS = 60_000
const RETRY_MS = 5_000

/** The URL by which clients outside reach the API server of that address; undefined where nothing is advertised. */
export function outsideUrl({ advertise, advertisePortBase }: Pick<Configuration, 'advertise' | 'advertisePortBase'>, network: Pick<HostNetworkSettings, 'cidr'>, address: string): string | undefined {
  return advertise === undefined ? undefined : `https://${advertise}:${outsidePort(network, advertisePortBase, address)}`
}

/** The host's ports that lead to clusters from the network's first moment on, those left out that others have; undefined where nothing is advertised. */
export async function outsidePortsOf({ configuration, opened, region }: Pick<LocalRegionRun, 'configuration' | 'opened' | 'region'>, network: HostNetworkSettings): Promise<readonly OutsidePort[] | undefined> {
  if (configuration.advertise === undefined) return undefined
  const taken = await takenPorts(network)
  return (await opened.store.clustersOfRegion(region.region)).filter(isReached)
    .map(({ id, address }) => ({ clusterId: id, address, port: outsidePort(network, configuration.advertisePortBase, address) }))
    .filter(({ port }) => !taken.has(port))
}

/** Looks now and then whether every cluster's port leads in and its certificate names what is advertised; what stands in the way is the region's obstacle. */
export async function keepReachedFromOutside(run: LocalRegionRun, parts: LocalParts, signal: AbortSignal): Promise<void> {
  const { configuration: { advertise, advertisePortBase: base }, region, face, opened: { store }, tenantAddressOf, log, say } = run
  if (advertise === undefined) return
  say(`Region ${region.region}: API servers are reached from outside at ${advertise}, each at a port of its own from ${base} on`)
  /** A certificate is looked at once a process: later ones are made by this process, with all names. */
  const named = new Set<string>()
  while (!signal.aborted) {
    const obstacles = new Set<string>()
    try {
      const there = new Map((await outsidePortsThere(parts.network)).map(port => [port.clusterId, port]))
      for (const cluster of (await store.clustersOfRegion(region.region)).filter(isReached)) {
        if (named.has(cluster.id) && there.get(cluster.id)?.port === outsidePort(parts.network, base, cluster.address)) continue
        const tenant = await tenantAddressOf(cluster)
        const [serviceCidr] = cluster.spec.serviceCidrs
        if (!tenant || serviceCidr === undefined) continue
        try {
          await parts.host.ensureReachedFromOutside({ ...tenant, serviceCidr })
          named.add(cluster.id)
        } catch (error) {
          obstacles.add(`Cluster ${cluster.spec.name} is not reached from outside: ${error instanceof Error ? error.message : String(error)}`)
        }
      }
    } catch (error) {
      log.warn({ error: error instanceof Error ? error.message : String(error) }, 'Looking whether clusters are reached from outside did not succeed')
    }
    const sentence = obstacles.size === 0 ? undefined : [...obstacles].join(' ')
    if (face.setObstacle('outside', sentence)) say(`Region ${region.region}: ${sentence ?? `all clusters are reached from outside at ${advertise}`}`)
    await systemClock.sleep(obstacles.size === 0 ? LOOK_EVERY_MS : RETRY_MS, signal).catch(() => undefined) // aborted: the loop ends
  }
}

function isReached(cluster: ClusterRecord): cluster is ClusterRecord & { address: string } {
  return cluster.address !== undefined && !cluster.facts.deletion && !cluster.facts.creationEnded
}
