/**
 * A server with one simulated region whose durations are fixed, as a process of its own on a database of its own. Prints one line of JSON once it listens, see SimulatedAlone; ends at
 * SIGTERM as a server does. Argument: a folder for its state, which may hold what an earlier one left.
 */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { ACTIONS } from '#api/actions/all.ts'
import type { CallParts } from '#api/call.ts'
import { scenarioPlayer } from '#api/scenarios/player.ts'
import { createApi } from '#api/server.ts'
import type { RegionPorts } from '#api/regions.ts'
import { DEFAULT_SETTINGS } from '#api/settings.ts'
import { keepLease } from '#kernel/keep-lease.ts'
import { freeLeasesOfDead, leaseName } from '#main/dead-leases.ts'
import { SimulatedRegions } from '#main/simulated/regions.ts'
import { systemClock } from '#main/system-clock.ts'
import type { Components } from '#ports/components.ts'
import { openPostgresWorldStore } from '#providers/simulated/store/postgres-world-store.ts'
import { openStore } from '#store/open.ts'
import { quiet } from './quiet.ts'

export interface SimulatedAlone {
  readonly endpoint: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

const REGION = 'sim-1'
export const SEED = 1
const SECOND = 1_000
/** A cluster takes 60 s, a node 30 s: 10 s to boot and 20 s to join. */
const DURATIONS = { controlPlane: [60 * SECOND, 60 * SECOND], boot: [10 * SECOND, 10 * SECOND], join: [20 * SECOND, 20 * SECOND] }
const KEY = { accountId: '2100000001', accessKeyId: 'AKLTBENCH', secretAccessKey: 'bench-secret' }

if (import.meta.main) {
  const speed = Number(process.env['BENCH_SPEED'] ?? 60)
  const place = { stateDir: process.argv[2] ?? '' }
  const opened = await openStore({ ...place, log: quiet, clock: systemClock })
  const { store, queue } = opened
  await freeLeasesOfDead(place, queue, quiet)
  const now = systemClock.now()
  if (!await store.findRegion(REGION)) await store.write(now, async tx => {
    await tx.putRegion({ region: REGION, kind: 'Simulated', ready: true, text: 'simulated', settings: { seed: SEED, lane: 0, opened: 0, durations: DURATIONS, clock: { paused: false, speed, at: now, since: now } } })
    await tx.insertAccount({ id: KEY.accountId, accessKeyId: KEY.accessKeyId, secret: KEY.secretAccessKey, name: 'bench' })
  })
  const regions = new Map<string, RegionPorts>(), stopping = new AbortController()
  let endpoint = ''
  const simulated = new SimulatedRegions({
    store, queue, worldStore: await openPostgresWorldStore(opened.query), regions, graceMs: 7_200_000, endpoint: () => endpoint, log: quiet, signal: stopping.signal,
    components: { kubernetesVersions: () => ['v1.35.4'] } as unknown as Components,
    lease: await keepLease({ queue, clock: systemClock, log: quiet, name: leaseName(place, '/simulated') }),
  })
  await simulated.start()
  const calls: CallParts = {
    store, regions, log: quiet, realTime: systemClock, regionMaker: simulated,
    settings: { ...DEFAULT_SETTINGS, defaultRegion: REGION, limits: { readsPerSecond: undefined, writesPerSecond: undefined, perAction: {} } },
  }
  simulated.playBy(scenarioPlayer(calls, ACTIONS))
  const api = createApi({ ...calls, readyParts: async () => [] })
  await api.listen({ host: '127.0.0.1', port: 0 })
  endpoint = `http://127.0.0.1:${(api.server.address() as AddressInfo).port}`
  const said: SimulatedAlone = { endpoint, region: REGION, accessKeyId: KEY.accessKeyId, secretAccessKey: KEY.secretAccessKey }
  process.stdout.write(`${JSON.stringify(said)}\n`)
  await once(process, 'SIGTERM')
  stopping.abort()
  await simulated.stop()
  await api.close()
  await opened.close()
  process.exit(0)
}
