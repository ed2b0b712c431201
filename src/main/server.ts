import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { ACTIONS } from '#api/actions/all.ts'
import type { CallParts } from '#api/call.ts'
import { ApiMetrics } from '#api/metrics.ts'
import { scenarioPlayer } from '#api/scenarios/player.ts'
import { createApi } from '#api/server.ts'
import { DEFAULT_SETTINGS } from '#api/settings.ts'
import type { RegionPorts } from '#api/regions.ts'
import { tenantAddresses } from '#controllers/cluster/tenant-address.ts'
import type { Log } from '#ports/log.ts'
import type { Store } from '#ports/store.ts'
import { TenantClusterUnreachable } from '#ports/tenant-cluster.ts'
import { openStore } from '#store/open.ts'
import { ensureAccount, credentialsFile } from './account.ts'
import { ComponentSupply } from './component-supply.ts'
import { openComponents } from './components.ts'
import type { Configuration } from './configuration.ts'
import { whyNoLocalRegion } from './local/host.ts'
import { freeLeasesOfDead, leaseName } from './dead-leases.ts'
import { LocalRegionFace } from './local/face.ts'
import { claimLocalRegion } from './local/network.ts'
import { findOtherRegions, watchOtherRegions } from './other-regions.ts'
import { keepLease } from '#kernel/keep-lease.ts'
import { RecordedQuotas } from '#providers/local/quotas/recorded-quotas.ts'
import { openPostgresWorldStore } from '#providers/simulated/store/postgres-world-store.ts'
import type { WorldStore } from '#providers/simulated/store/world-store.ts'
import { answerForSimulated } from './simulated/addresses.ts'
import { FIRST_REGION, SimulatedRegions } from './simulated/regions.ts'
import { systemClock } from './system-clock.ts'

/** Of the ten seconds that an end may take: for calls and passes that are under way, and for the connections that they leave. */
const ENDING_PATIENCE_MS = 8_200, CLOSING_PATIENCE_MS = 1_000

export interface ServerParts {
  readonly log: Log
  /** A line for the person who started it. */
  readonly say: (text: string) => void
  /** Aborted when the server shall end; what is still starting stops. */
  readonly signal: AbortSignal
  /** Stands between the server and its records, to watch it or to break it at a chosen moment. */
  readonly wrapStore?: (store: Store) => Store
  /** The same for what simulated regions keep of their worlds. */
  readonly wrapWorldStore?: (store: WorldStore) => WorldStore
}

export interface RunningServer {
  readonly endpoint: string
  /** Ends within 10 s: no request cut, leases released. */
  close(): Promise<void>
}

/** Starts database, API and regions; resolves when the API answers. Regions go on preparing themselves in the background and say what they wait for. */
export async function startServer(configuration: Configuration, { log, say, signal, wrapStore = store => store, wrapWorldStore = store => store }: ServerParts): Promise<RunningServer> {
  const found = await openStore({ stateDir: configuration.stateDir, databaseUrl: configuration.databaseUrl, masterKey: process.env['EDGEHOLD_MASTER_KEY'], log, clock: systemClock })
  const store = wrapStore(found.store)
  const opened = { ...found, store }
  try {
    say(`Database: ${configuration.databaseUrl === undefined ? `own PostgreSQL in ${configuration.stateDir}/postgres` : 'the given PostgreSQL'}, tables up to date`)
    const components = openComponents(configuration)
    await freeLeasesOfDead(configuration, opened.queue, log)
    const tenantAddressOf = tenantAddresses(store)
    const regions = new Map<string, RegionPorts>()
    const whyNot = whyNoLocalRegion()
    const region = whyNot === undefined ? await claimLocalRegion(store, configuration) : undefined
    const supply = new ComponentSupply(components, log)
    const face = region && new LocalRegionFace(components, supply, new RecordedQuotas(store, region.region, () => systemClock.now()), async (cluster, nodeName, schedulable) => {
      const address = await tenantAddressOf(cluster)
      if (!face?.parts || !address) throw new TenantClusterUnreachable('The cluster has no API yet')
      await face.parts.tenant.setSchedulable(address, nodeName, schedulable)
    })
    if (region && face) regions.set(region.region, face)
    const defaultRegion = region?.region ?? FIRST_REGION
    let endpoint = `http://${configuration.listen.host}:${configuration.listen.port}`
    const stopping = new AbortController()
    const simulated = new SimulatedRegions({
      store, queue: opened.queue, worldStore: wrapWorldStore(await openPostgresWorldStore(opened.query)), components, regions, graceMs: configuration.graceMs, endpoint: () => endpoint, log,
      lease: await keepLease({ queue: opened.queue, clock: systemClock, log, name: leaseName(configuration, '/simulated') }),
      signal: AbortSignal.any([signal, stopping.signal]),
    })
    await simulated.start()
    const run = region && face ? { configuration, region, face, supply, components, opened, tenantAddressOf, log, say } : undefined
    // What a real region takes is loaded only where there is one: a server without starts the sooner.
    const local = run && await import('./local/run-local-region.ts')
    if (run) await local?.openForOrders(run).catch((error: unknown) => log.warn({ error: error instanceof Error ? error.message : String(error) }, 'The region takes no orders yet')) // it is tried again, and then says why
    const others = { store, own: region?.region, regions, components, log }
    await findOtherRegions(others)

    const calls: CallParts = {
      store, regions, log, regionMaker: simulated, realTime: systemClock, ending: stopping.signal,
      settings: {
        ...DEFAULT_SETTINGS, defaultRegion, aliases: configuration.regionAliases,
        limits: { ...DEFAULT_SETTINGS.limits, readsPerSecond: configuration.readsPerSecond, writesPerSecond: configuration.writesPerSecond },
      },
    }
    simulated.playBy(scenarioPlayer(calls, ACTIONS))
    const api = createApi({
      ...calls, metrics: ApiMetrics.ofProcess(),
      readyParts: async () => [await opened.ready().then(
        () => ({ name: 'database', ready: true, required: true, text: 'it answers and its tables are up to date' }),
        (error: unknown) => ({ name: 'database', ready: false, required: true, text: error instanceof Error ? error.message : String(error) }),
      )],
    })
    answerForSimulated(api)
    await api.listen({ host: configuration.listen.host, port: configuration.listen.port }).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'EADDRINUSE') throw new Error(`${configuration.listen.host}:${configuration.listen.port} is taken by another program; give another address with --listen HOST:PORT.`, { cause })
      throw cause
    })
    const bound = api.server.address() as AddressInfo
    endpoint = `http://${configuration.listen.host}:${bound.port}`
    const account = await ensureAccount(store, configuration.stateDir, { endpoint, region: defaultRegion, now: systemClock.now() })
    say(`API: ${endpoint}  (account key ${account.AccessKeyId}; the command line reads ${credentialsFile(configuration.stateDir)})`)
    const running = run && local?.runLocalRegion({ ...run, signal })
    const watching = new AbortController()
    void watchOtherRegions(others, AbortSignal.any([signal, watching.signal]))
    say(region ? `Region ${region.region}: takes orders; ${supply.text()}` : `Region local-1: not on this host: ${String(whyNot)}`)
    void simulated.watch()
    say(`Region ${FIRST_REGION}: simulated; takes orders`)

    return {
      endpoint,
      async close() {
        watching.abort()
        const patience = AbortSignal.timeout(ENDING_PATIENCE_MS)
        stopping.abort()
        const closing = [api.close(), running?.stop() ?? Promise.resolve(), simulated.stop()]
        await Promise.race([Promise.allSettled(closing), once(patience, 'abort')])
        await Promise.race([opened.close(), once(AbortSignal.timeout(CLOSING_PATIENCE_MS), 'abort')])
      },
    }
  } catch (error) {
    await opened.close()
    await opened.stopDatabase() // a start that failed leaves nothing running
    throw error
  }
}
