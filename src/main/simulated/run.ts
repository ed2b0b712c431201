import type { Player } from '#api/scenarios/player.ts'
import { SCENARIO_START } from '#api/scenarios/scenario.ts'
import type { tenantAddresses } from '#controllers/cluster/tenant-address.ts'
import type { KeptLease } from '#kernel/keep-lease.ts'
import { handsOf, runOrderedWorker } from '#kernel/ordered-worker.ts'
import { RegionClock } from '#kernel/region-clock.ts'
import { Turns } from '#kernel/turns.ts'
import { keepWatching, type HeldWatch } from '#kernel/watching.ts'
import { LoginsToMachines } from '#join/machine-logins.ts'
import { refuse } from '#model/errors/catalogue.ts'
import { newId } from '#model/ids.ts'
import type { ClusterPki } from '#ports/control-plane-host.ts'
import type { Clock } from '#ports/clock.ts'
import type { Controller } from '#ports/controller.ts'
import type { OnDecision } from '#ports/decisions.ts'
import type { Log } from '#ports/log.ts'
import type { MachineLogins } from '#ports/machine-logins.ts'
import type { Queue } from '#ports/queue.ts'
import type { RegionRecord, Store, Transaction } from '#ports/store.ts'
import { TenantClusterUnreachable } from '#ports/tenant-cluster.ts'
import { openSimulatedRegion, type SimulatedRegion } from '#providers/simulated/simulated-region.ts'
import type { KeptThing, WorldStore } from '#providers/simulated/store/world-store.ts'
import { livedUntil } from '#providers/simulated/world/world.ts'
import { controllersOver } from '../controllers.ts'
import { BeginsAnew, keepPlaying } from './keep-playing.ts'
import type { Plays } from './plays.ts'
import { seededBytes } from './seeded-bytes.ts'
import { callsTogether } from '../calls-together.ts'
import { ofTheirKeys, sharedStore } from '../shared-store.ts'
import type { SimulatedRegionFace } from './face.ts'
import { CLUSTER_ADDRESSES, MACHINE_ADDRESSES, settingsOf, withSettings } from './settings.ts'
import { regionStore } from './region-store.ts'
import { RegionSights } from './sights.ts'
import { systemClock } from '../system-clock.ts'
import { wakeLogins } from './wake-logins.ts'

export interface SimulatedRun {
  readonly region: string
  readonly face: SimulatedRegionFace
  readonly store: Store
  readonly queue: Queue
  readonly worldStore: WorldStore
  readonly lease: KeptLease
  readonly tenantAddressOf: ReturnType<typeof tenantAddresses>
  /** From the end of an account's balance to the end of work, ms. */
  readonly graceMs: number
  /** Where a simulated cluster's API would be: an address of ours that says what it is. */
  readonly serverOf: (clusterId: string) => string
  /** Of this server, as others reach it. */
  readonly endpoint: () => string
  readonly log: Log
  readonly onDecision?: OnDecision | undefined
  readonly plays: Plays
  readonly player: Promise<Player>
}

/** How the clock of a region stands that is made for a scenario. */
export const PLAY_CLOCK = { paused: true, speed: 1, at: Date.parse(SCENARIO_START) }

/** What went wrong may have been the database. */
const BEGINS_ANEW_AFTER_MS = 500

/** Runs a region in this process while it holds the region's watch, and waits to take it over while another does. Ends when aborted, or when the region is gone. */
export async function runSimulatedRegion(run: SimulatedRun, signal: AbortSignal): Promise<void> {
  const { queue, log, lease, region } = run
  const gone = new AbortController()
  let removed = new AbortController()
  await keepWatching({
    queue, clock: systemClock, log, lease: () => lease.lease(), subject: `region/${region}`,
    watch: async (held, ends) => {
      for (let beginsAnew = true; beginsAnew;) {
        if (await isRemoved(run, removed)) return gone.abort()
        if (isBegun(await run.store.findRegion(run.region))) {
          removed.abort()
          removed = new AbortController()
          await beginAnew(run)
        }
        try {
          beginsAnew = await serve(run, held, AbortSignal.any([ends, gone.signal]), removed.signal)
        } catch (error) {
          // What this run left under way ends nothing any more under a new lease.
          if (!ends.aborted) lease.renew()
          throw error
        }
        // The lease stays: the process's other regions have nothing to do with it.
        if (beginsAnew) await systemClock.sleep(BEGINS_ANEW_AFTER_MS, ends)
      }
      // What ends it otherwise is a deletion that was asked for meanwhile.
      if (!ends.aborted && await isRemoved(run, removed)) gone.abort()
    },
  }, AbortSignal.any([signal, gone.signal]))
}

/** True where nothing is there to be run: it is gone, or goes now because somebody asked for that. */
async function isRemoved(run: SimulatedRun, removed: AbortController): Promise<boolean> {
  const record = await run.store.findRegion(run.region)
  if (record && !settingsOf(record).deleting) return false
  // Before anything goes, so that no call which began before writes into a region that comes after it under its name.
  removed.abort()
  if (record) await removeAll(run)
  return true
}

/** The world first: a region whose record is still there is removed again by whoever comes next. */
async function removeAll({ region, store, worldStore }: SimulatedRun): Promise<void> {
  await worldStore.forget(region)
  await store.write(systemClock.now(), tx => tx.forgetRegion(region))
}

/** True where a scenario was being played in a region of its own when whoever ran it ended. */
function isBegun(record: RegionRecord | undefined): boolean {
  const play = record && settingsOf(record).play
  return play !== undefined && play.fresh && !play.end && play.turn > 0
}

/** The region as it was made, with the same seed and lane, so that the scenario tells the same story: nothing of what was done in it is left, as when it is removed. */
async function beginAnew({ region, store, worldStore, face }: SimulatedRun): Promise<void> {
  // Not forgotten as a whole: whoever had it before, and may still write, is told by the claim.
  const claim = await worldStore.claim(region), things: KeptThing[] = []
  for await (const { kind, id } of worldStore.load(region)) things.push({ kind, id, text: undefined })
  await worldStore.write(region, claim, things)
  const settings = await store.write(systemClock.now(), async tx => {
    const record = await tx.lockRegion(region)
    const before = record && settingsOf(record).play
    if (!record || !before || !isBegun(record) || settingsOf(record).deleting) return undefined
    const { anew: _anew, ...play } = before
    const anew = withSettings(record, { play, opened: 0, clock: { ...PLAY_CLOCK, since: systemClock.now() } })
    await tx.forgetRegion(region)
    await tx.putRegion(anew)
    return settingsOf(anew)
  })
  if (settings) face.follow(settings)
}

/** True where a scenario begins anew in the region. */
async function serve(run: SimulatedRun, held: HeldWatch, signal: AbortSignal, removed: AbortSignal): Promise<boolean> {
  const { region, queue, face, log, tenantAddressOf, worldStore, serverOf, endpoint } = run
  const servedAt = endpoint()
  const clock = await startClock(run, servedAt)
  const store = regionStore(run.store, region, clock, removed, () => held.lease.isOver?.() ?? false)
  const { seed, lane, durations } = face.settings
  const randomBytes = seededBytes(face.settings, 'calls')
  const world = await openSimulatedRegion({ name: region, seed, lane, clock, store: worldStore, log, serverOf, ...(durations && { durations }) })
  const foundBytes = seededBytes(face.settings, 'found')
  const sights = new RegionSights({
    region, store, queue, watch: held, clock, log, tenantAddressOf, tenant: world.tenant, onboarding: world.onboarding, randomBytes: seededBytes(face.settings, 'joins'), newLedgerId: () => newId('ledger', clock.now(), foundBytes(8)), hands: () => handsOf(clock),
  })
  // What came after its world was kept last happens again before anybody looks at it: a pass that saw it as it had been before would tell of that.
  const again = await world.events.liveUntil(clock.now() - 1)
  await sights.tell([...again, ...world.events.unheard()])
  world.events.heard()
  // Where time stands still everything is told again before anything else, in one order; where it runs, meanwhile.
  if (clock.paused) {
    for (const look of world.events.inParts(MACHINES_AGAIN, CLUSTERS_AGAIN)) await sights.tellAgain(look)
    await wakeLogins(region, clock.now(), store)
  }
  const isToldAgain = clock.paused
  await queue.markWatch(held, undefined, true)

  // A deletion, or the end of the process, ends the worker; the clock is then kept as it stands.
  const stop = new AbortController()
  const ends = AbortSignal.any([signal, stop.signal])
  const logins = new LoginsToMachines({ region, store, shell: world.shell, clock, realTime: systemClock, log, signal: ends })
  const turns = new Turns(systemClock)
  const worker = runOrderedWorker({
    region, queue, lease: held.lease, clock, realClock: systemClock, events: world.events, log, turns,
    controllers: controllersOf({ ...run, store }, world, clock, logins), tell: changes => sights.tell(changes),
  }, ends)
  face.open({
    clock, world, logins, randomBytes, store, turns, storeTogether: callsTogether(store, () => handsOf(clock) > 1),
    settled: patienceMs => worker.settled(patienceMs),
    wake: () => worker.wake(),
    keepClock: async () => {
      if (clock.paused && clock.target() === clock.now() && face.settings.clock.at !== clock.now()) await keepClock(run, clock, servedAt)
    },
    setClock: async change => {
      clock.set(change)
      await keepClock(run, clock, servedAt)
    },
    setSchedulable: async (cluster, nodeName, schedulable) => {
      const address = await tenantAddressOf(cluster)
      if (!address) throw new TenantClusterUnreachable('The cluster has no API yet')
      await world.tenant.setSchedulable(address, nodeName, schedulable)
    },
  })
  log.info({ region }, 'Running region')
  let failure: unknown
  const toldAgain = isToldAgain ? undefined : tellAgain(world, sights, ends).catch((error: unknown) => {
    if (!ends.aborted) failure = error
    stop.abort()
  })
  // Not waited for at the end: what is under way of a play is no more than a call, and none comes after it.
  keepPlaying(run, ends).catch((error: unknown) => {
    if (!ends.aborted) failure = error
    stop.abort()
  })
  const deleted = untilDeleted(run, ends).then(isDeleted => { if (isDeleted) stop.abort() })
  try {
    await worker.ended
  } finally {
    stop.abort()
    face.close()
    await Promise.all([deleted, toldAgain])
    if (!held.lease.lost.aborted) await keepClock(run, clock, servedAt).catch((error: unknown) => log.warn({ region, error }, 'Keeping the clock did not succeed'))
  }
  if (failure instanceof BeginsAnew) return true
  if (failure !== undefined) throw new Error(`Telling again what there is in the region ${region}, or playing a scenario in it, did not succeed`, { cause: failure })
  return false
}

const MACHINES_AGAIN = 2_000, CLUSTERS_AGAIN = 50
const BETWEEN_PARTS_MS = 50

/** A little at a time: those who wait for something that was asked for go first. */
async function tellAgain({ events }: SimulatedRegion, sights: RegionSights, signal: AbortSignal): Promise<void> {
  for (const look of events.inParts(MACHINES_AGAIN, CLUSTERS_AGAIN)) {
    await systemClock.sleep(BETWEEN_PARTS_MS, signal)
    await sights.tellAgain(look)
  }
}

/**
 * Each opening counts ids from a place of its own, but one before which nothing was recorded: whoever opens an untouched region tells the same story.
 * The clock goes on where it was kept, or from the latest instant that anything of the region is recorded with or that its world has lived through, and never goes back.
 */
async function startClock({ region, store, worldStore, face }: SimulatedRun, servedAt: string): Promise<RegionClock> {
  const [latest, lived] = await Promise.all([store.latestInstant(region), livedUntil(worldStore, region)])
  return store.write(systemClock.now(), async tx => {
    const record = await tx.lockRegion(region)
    if (!record) throw new Error(`The region ${region} is gone`)
    const before = settingsOf(record)
    const clock = new RegionClock(systemClock, { ...before.clock, at: Math.max(before.clock.at, latest ?? 0, lived ?? 0) })
    const settings = { ...before, opened: latest === undefined ? before.opened : before.opened + 1, clock: clock.setting(), servedAt }
    await tx.putRegion(withSettings(record, settings))
    face.follow(settings)
    return clock
  })
}

async function keepClock({ region, store, face }: SimulatedRun, clock: RegionClock, servedAt: string): Promise<void> {
  await store.write(systemClock.now(), async tx => {
    const record = await tx.lockRegion(region)
    if (!record) return
    // Another server runs it by now, with a clock of its own.
    if (settingsOf(record).servedAt !== servedAt) return refuse('ServiceUnavailable', { why: `another server runs the region ${region} now` })
    const next = withSettings(record, { clock: clock.setting() })
    await tx.putRegion(next)
    face.follow(settingsOf(next))
  })
}

const LOOK_EVERY_MS = 1_000

/** True when its deletion was asked for; another process may have been asked. */
async function untilDeleted({ region, store, face }: SimulatedRun, signal: AbortSignal): Promise<boolean> {
  for (;;) {
    if (face.settings.deleting) return true
    await Promise.race([face.followed(), systemClock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined)]) // aborted: looked at below
    if (signal.aborted) return false
    const record = await store.findRegion(region).catch(() => undefined) // away: looked at again
    if (record) face.follow(settingsOf(record))
  }
}

function controllersOf(run: SimulatedRun, world: SimulatedRegion, clock: RegionClock, logins: MachineLogins): readonly Controller[] {
  const { region, log, tenantAddressOf, face, onDecision } = run
  const store = sharedStore(run.store, () => handsOf(clock) > 1)
  const passClock: Clock = { now: () => clock.passTime(), sleep: (ms, ends) => clock.sleep(ms, ends) }
  const ledgerBytes = seededBytes(face.settings, 'ledger'), poolBytes = seededBytes(face.settings, 'pools')
  const own = {
    clock: passClock, logins, host: world.host, tenant: world.tenant, machines: world.machines, outside: world.outside, addons: world.addons,
    addressPool: CLUSTER_ADDRESSES,
    registry: `registry.${region}:5000`,
    // Nothing is probed by the clock here: the region tells what changes.
    probeEveryMs: 365 * 86_400_000, tellsAll: true, toldAt: world.toldAt,
    quotas: (account: string) => world.limits.quotas(account),
    graceMs: run.graceMs,
    componentsReady: async () => ({ state: 'ready' as const }),
    claimMachineAddresses: (tx: Transaction, machineIds: readonly string[]) => tx.claimAddresses(region, machineIds, MACHINE_ADDRESSES),
    bootstrapLine: (token: string) => face.bootstrapLine(token),
    randomBytes: poolBytes,
  }
  const regionOf = (name: string): typeof own => {
    if (name !== region) throw new Error(`Region ${name} is not run here`)
    return own
  }
  return ofTheirKeys(controllersOver({ store, log, regionOf, tenantAddressOf, onDecision, newLedgerId: () => newId('ledger', clock.now(), ledgerBytes(8)), makePki: async ({ id }) => keysOf(id) }))
}

/** Nothing is signed in a simulated cluster; its keys are texts that say so. */
function keysOf(clusterId: string): ClusterPki {
  const text = `Keys of the simulated cluster ${clusterId}`
  return { caCert: text, caKey: text, frontProxyCaCert: text, frontProxyCaKey: text, etcdCaCert: text, etcdCaKey: text, serviceAccountKey: text, serviceAccountPublicKey: text }
}
