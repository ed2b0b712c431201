import { randomBytes } from 'node:crypto'
import { watchControlPlanes } from '#controllers/cluster/watch-control-planes.ts'
import { watchHealth } from '#controllers/cluster/watch-health.ts'
import { watchMachines } from '#controllers/machine/watch-machines.ts'
import { watchNodes } from '#controllers/node/watch-nodes.ts'
import type { Watches } from '#kernel/watch-each.ts'
import { LoginsToMachines } from '#join/machine-logins.ts'
import { runWorker } from '#kernel/worker.ts'
import { makePki } from '#kubernetes/pki/cluster-pki.ts'
import { ComponentMissing } from '#ports/components.ts'
import type { Transaction } from '#ports/store.ts'
import { ensureHostNetwork } from '#providers/local/host-network/host-network.ts'
import { ensureHostTools } from '#providers/local/host-network/host-tools.ts'
import { addressPool } from '#providers/local/host-network/settings.ts'
import { machinesWithinQuota } from '#providers/local/quotas/machines-within-quota.ts'
import { SshShell } from '#providers/local/remote-shell/ssh-shell.ts'
import { leaseName } from '../dead-leases.ts'
import { localHostName } from './host.ts'
import type { JoinEndpoint } from './face.ts'
import { chosenNetwork } from './network.ts'
import { JOIN_PORT, localParts, newLedgerId, REGISTRY_PORT, type LocalParts } from './parts.ts'
import type { LocalRegionRun } from './run.ts'
import { joinEndpoint } from './listen-for-machines.ts'
import { keepOverlay, openOverlay, removeOverlayFromHost, routesThroughOverlay } from './outside-machines.ts'
import { keepReachedFromOutside, outsidePortsOf, outsideUrl } from './reach-from-outside.ts'
import { progressLine } from '../components.ts'
import { controllersOver } from '../controllers.ts'
import { systemClock } from '../system-clock.ts'

/** A healthy cluster is looked at this often besides events: a probe costs a few requests on this host. */
const PROBE_EVERY_MS = 15_000
const NETWORK_RETRY_MS = 10_000

/** Prepares the local region in the background (network, components, registry, join endpoint) and runs its controllers until stopped. */
export function runLocalRegion(run: LocalRegionRun): { stop(): Promise<void> } {
  const stopping = new AbortController()
  const signal = AbortSignal.any([run.signal, stopping.signal])
  const work = serve(run, signal).catch((error: unknown) => {
    if (!signal.aborted) run.log.error({ error: error instanceof Error ? error.stack : String(error) }, 'Serving the local region ended')
  })
  return {
    async stop() {
      stopping.abort(new Error('the server stops'))
      await work
    },
  }
}

/**
 * What an order needs, so that orders are taken from the first answer of the API on: the region's range and the line that machines run. What the host needs
 * for it is made in the background. Throws where no range can be had.
 */
export async function openForOrders(run: Omit<LocalRegionRun, 'signal'>): Promise<{ parts: LocalParts; join: JoinEndpoint }> {
  const { opened, region, configuration, components, face, log } = run
  face.advertised = configuration.advertise
  face.parts ??= localParts(configuration, await chosenNetwork(opened.store, region, configuration), components, log)
  face.overlay ??= openOverlay(run, face.parts.network)
  face.join ??= await joinEndpoint(run, face.parts, face.overlay)
  return { parts: face.parts, join: face.join }
}

async function serve(run: LocalRegionRun, signal: AbortSignal): Promise<void> {
  const prepared = await prepareNetwork(run, signal)
  if (!prepared) return
  const { region, face, say } = run
  const { parts, join } = prepared
  say(`Region ${region.region}: network ${parts.network.cidr} on bridge ${parts.network.bridge}`)
  const worker = startWorker(run, parts, signal)
  await wakeEverything(run)
  await Promise.allSettled([worker.ended, join.serve(signal), supplyComponents(run, parts, signal), keepReachedFromOutside(run, parts, signal), keepOverlay(run, parts.network, face.overlay, signal)])
}

async function prepareNetwork(run: LocalRegionRun, signal: AbortSignal): Promise<Awaited<ReturnType<typeof openForOrders>> | undefined> {
  const { region, face, log, say } = run
  while (!signal.aborted) {
    try {
      await ensureHostTools(say)
      const prepared = await openForOrders(run)
      await ensureHostNetwork(prepared.parts.network, await outsidePortsOf(run, prepared.parts.network), face.overlay && [REGISTRY_PORT, JOIN_PORT])
      if (!face.overlay) await removeOverlayFromHost(run.configuration) // of a time when something was advertised
      face.failure = undefined
      return prepared
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      if (face.failure !== why) say(`Region ${region.region}: ${why}`)
      face.failure = why
      log.error({ error: why }, 'Preparing the region did not succeed')
      await systemClock.sleep(NETWORK_RETRY_MS, signal).catch(() => undefined) // aborted: the loop ends
    }
  }
  return undefined
}

function startWorker(run: LocalRegionRun, parts: LocalParts, signal: AbortSignal): { ended: Promise<unknown> } {
  const { opened: { store, queue }, region, configuration, supply, tenantAddressOf, log } = run
  const pool = addressPool(parts.network)
  let watches: readonly Watches[] = []
  const clock = systemClock
  const logins = new LoginsToMachines({ region: region.region, store, shell: new SshShell(), clock, realTime: systemClock, log, signal })
  run.face.logins = logins
  const local = {
    clock, logins, host: parts.host, tenant: parts.tenant, machines: machinesWithinQuota(parts.machines, { store, region: region.region, now: () => clock.now() }),
    quotas: (account: string) => run.face.quotas.quotas(account),
    addressPool: { first: pool.first, last: pool.last },
    registry: parts.registry.address(),
    probeEveryMs: PROBE_EVERY_MS,
    graceMs: configuration.graceMs,
    addons: parts.addons,
    outsideUrl: (address: string) => outsideUrl(configuration, parts.network, address),
    componentsReady: (version: string) => supply.stateOf(version),
    claimMachineAddresses: (tx: Transaction, machineIds: readonly string[]) => tx.claimAddresses(region.region, machineIds, { first: pool.first, last: pool.last }),
    bootstrapLine: (token: string) => run.face.bootstrapLine(token),
    randomBytes,
  }
  const regionOf = (name: string): typeof local => {
    if (name !== region.region) throw new Error(`Region ${name} is not served by this process`)
    return local
  }
  const shared = { store, log, regionOf, tenantAddressOf, newLedgerId }
  const worker = runWorker({
    queue, clock, log,
    name: leaseName(configuration, ''),
    hosts: [localHostName(configuration)],
    now: () => clock.now(),
    regions: async () => [region.region],
    controllers: controllersOver({ ...shared, makePki: () => makePki(clock.now()), onChanged: () => { for (const each of watches) each.look() } }),
  }, signal)
  const keeper = { queue, clock, log, lease: () => worker.lease() }
  watches = [
    watchNodes(region.region, { ...shared, ...keeper, host: routesThroughOverlay({ host: parts.host, network: parts.network, overlay: run.face.overlay, nodesOf: parent => store.nodesOf(parent) }) }, signal),
    watchHealth(region.region, { ...keeper, store, tenantAddressOf, tenant: parts.tenant, everyMs: PROBE_EVERY_MS }, signal),
  ]
  const all = [
    worker.ended,
    ...watches.map(each => each.done),
    watchControlPlanes(region.region, { ...keeper, host: parts.host }, signal),
    watchMachines(region.region, { ...keeper, store, machines: parts.machines, regionClock: clock, newLedgerId }, signal),
  ]
  return { ended: Promise.allSettled(all) }
}

/** After a reboot of the host, or `down --all`, records are right and the host is empty: every cluster and machine is looked at once. */
async function wakeEverything({ opened: { store, queue }, region, log }: LocalRegionRun): Promise<void> {
  try {
    for (const cluster of await store.clustersOfRegion(region.region)) await queue.enqueue({ kind: 'cluster', id: cluster.id, region: region.region })
    for (const machine of await store.machinesOfRegion(region.region)) await queue.enqueue({ kind: 'machine', id: machine.id, region: region.region })
  } catch (error) {
    log.warn({ error: error instanceof Error ? error.message : String(error) }, 'Waking clusters and machines did not succeed; their own next looks come')
  }
}

/** Components first; the registry as soon as its own program is there, and again as images become possible. */
async function supplyComponents(run: LocalRegionRun, parts: LocalParts, signal: AbortSignal): Promise<void> {
  const { supply, opened: { store, queue }, region, face, log, say } = run
  let filling: Promise<void> = Promise.resolve()
  let asked = false
  const fillRegistry = () => {
    if (asked) return
    asked = true
    filling = filling.then(async () => {
      asked = false
      try {
        await parts.registry.ensure(signal)
        face.setObstacle('registry', undefined)
      } catch (error) {
        if (error instanceof ComponentMissing || signal.aborted) return
        const sentence = `Its image registry at ${parts.registry.address()} does not run now: ${error instanceof Error ? error.message : String(error)}`
        if (!face.setObstacle('registry', sentence)) return
        log.warn({ error }, 'Filling the registry did not succeed')
        say(`Region ${region.region}: ${sentence}`)
      }
    })
  }
  const wakeWaiting = async () => {
    for (const cluster of await store.clustersOfRegion(region.region)) {
      if (cluster.facts.attemptStartedAt === undefined && !cluster.facts.deletion) await queue.enqueue({ kind: 'cluster', id: cluster.id, region: region.region })
    }
  }
  supply.onSupplied(() => {
    fillRegistry()
    wakeWaiting().catch((error: unknown) => log.warn({ error: error instanceof Error ? error.message : String(error) }, 'Waking clusters that wait for components did not succeed'))
  })
  fillRegistry()
  await supply.run(progress => say(`Region ${region.region}: components ${progressLine(progress)}`), ms => systemClock.sleep(ms, signal).catch(() => undefined), signal)
  if (!signal.aborted) say(`Region ${region.region}: all components are installed; images at ${parts.registry.address()}`)
  for (let looks = 1; !signal.aborted; looks++) {
    // The registry outlives the server; should it die, it comes back with the next look.
    await filling
    await systemClock.sleep(REGISTRY_LOOK_MS, signal).catch(() => undefined) // aborted: the loop ends
    if (signal.aborted) break
    fillRegistry()
    // A program that was damaged meanwhile is brought again before something has to start with it.
    if (looks % SUPPLY_EVERY_LOOKS === 0) for (const version of run.components.kubernetesVersions()) await supply.stateOf(version)
  }
  await filling
}

const REGISTRY_LOOK_MS = 5_000
const SUPPLY_EVERY_LOOKS = 12
