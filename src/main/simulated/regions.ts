import type { RegionMaker, RegionPorts } from '#api/regions.ts'
import { leavesNothing, type KeptPlay } from '#api/scenarios/kept-play.ts'
import type { Player } from '#api/scenarios/player.ts'
import { tenantAddresses } from '#controllers/cluster/tenant-address.ts'
import type { KeptLease } from '#kernel/keep-lease.ts'
import { refuse } from '#model/errors/catalogue.ts'
import type { Components } from '#ports/components.ts'
import type { OnDecision } from '#ports/decisions.ts'
import type { Log } from '#ports/log.ts'
import type { Queue } from '#ports/queue.ts'
import type { RegionRecord, Store } from '#ports/store.ts'
import { regionsWithFaults } from '#providers/simulated/faults/kept-faults.ts'
import { onboardingLine } from '#providers/simulated/machines/onboarding-line.ts'
import type { WorldStore } from '#providers/simulated/store/world-store.ts'
import { hasToken, Plays } from './plays.ts'
import { LAST_LANE } from './seeded-bytes.ts'
import { PLAY_CLOCK, runSimulatedRegion } from './run.ts'
import { SimulatedRegionFace } from './face.ts'
import { settingsOf, withSettings, type SimulatedSettings } from './settings.ts'
import { systemClock } from '../system-clock.ts'

export interface SimulatedRegionsParts {
  readonly store: Store
  readonly queue: Queue
  readonly worldStore: WorldStore
  readonly lease: KeptLease
  readonly components: Components
  /** What the API answers for; simulated regions are put into it and taken out. */
  readonly regions: Map<string, RegionPorts>
  readonly graceMs: number
  /** Of this server, as clients reach it. */
  readonly endpoint: () => string
  readonly log: Log
  readonly onDecision?: OnDecision | undefined
  readonly signal: AbortSignal
}

/** Made at the first start; it has no limits until some are set. */
export const FIRST_REGION = 'sim-1'
const FIRST_SEED = 1
/** A seed's story begins at the same instant, or it would not be the same. */
const SEEDED_START = Date.UTC(2026, 11, 1)
/** Regions that another server made or removed are known here after this. */
const LOOK_EVERY_MS = 2_000
/** Names that nobody knows are looked for no more often, however many are asked for. */
const LEARN_EVERY_MS = 100
/** Faults of our own answers in regions that another server runs are met here after this. */
const FAULTS_EVERY_MS = 400
const REMOVAL_PATIENCE_MS = 20_000
const REMOVAL_LOOK_MS = 50

interface Running {
  readonly face: SimulatedRegionFace
  readonly stop: AbortController
  readonly done: Promise<void>
  /** How many looks at the list of regions had begun when this did. */
  readonly afterLook: number
}

/** All simulated regions on this database: each is shown by every server and run by one. */
export class SimulatedRegions implements RegionMaker {
  readonly #parts: SimulatedRegionsParts
  readonly #running = new Map<string, Running>()
  readonly #tenantAddressOf: ReturnType<typeof tenantAddresses>
  readonly #player = Promise.withResolvers<Player>()
  readonly plays: Plays
  /** Looks at faults, by number: one that began earlier tells nothing after a later one has. */
  #looksBegun = 0
  #looksTold = 0
  /** The same of looks at the list of regions; one that began before a region did knows nothing of it. */
  #listsBegun = 0
  #listsTold = 0
  /** A look that has not begun, and when the last one of its kind did. */
  #learning: Promise<void> | undefined
  #learnedAt = -Infinity

  constructor(parts: SimulatedRegionsParts) {
    this.#parts = parts
    const { store, queue, lease, signal } = parts
    this.plays = new Plays({ store, queue, lease, signal, faceOf: region => this.faceOf(region), make: (region, play) => this.#makeFor(play, region), remove: region => this.remove(region), look: () => this.look() })
    this.#tenantAddressOf = tenantAddresses(parts.store)
  }

  /** Begins to run what there is, the first one made if there was none; resolves when that one is open, or is not soon. */
  async start(): Promise<void> {
    const { store } = this.#parts
    if (!await store.findRegion(FIRST_REGION)) await this.#insert(FIRST_REGION, FIRST_SEED, { startAt: systemClock.now(), paused: false, speed: 1 })
    await this.look()
    void this.#watchFaults()
  }

  /** How scenarios are played; until it is known none is. */
  playBy(player: Player): void {
    this.#player.resolve(player)
  }

  faceOf(region: string): SimulatedRegionFace | undefined {
    return this.#running.get(region)?.face
  }

  /** Runs what came, and stops what went, since the last look. */
  async look(): Promise<void> {
    const { store, regions, log } = this.#parts
    const begun = ++this.#listsBegun
    const records = (await store.listRegions()).filter(record => record.kind === 'Simulated')
    if (begun < this.#listsTold) return
    this.#listsTold = begun
    const names = new Set(records.map(record => record.region))
    for (const [name, { stop, afterLook }] of this.#running) if (!names.has(name) && begun > afterLook) {
      stop.abort()
      this.#running.delete(name)
      regions.delete(name)
    }
    for (const record of records) {
      const known = this.#running.get(record.region)
      if (known) known.face.follow(settingsOf(record))
      else this.#begin(record, error => log.error({ region: record.region, error }, 'Running a region ended'))
    }
  }

  async learn(region: string): Promise<void> {
    if (!this.#parts.regions.has(region)) await (this.#learning ??= this.#learnSoon())
  }

  async #learnSoon(): Promise<void> {
    await systemClock.sleep(Math.max(0, this.#learnedAt + LEARN_EVERY_MS - performance.now()))
    this.#learning = undefined
    this.#learnedAt = performance.now()
    await this.look()
  }

  /** Looks again and again until aborted. */
  async watch(): Promise<void> {
    const { signal, log } = this.#parts
    while (!signal.aborted) {
      await systemClock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined) // aborted: the loop ends
      if (!signal.aborted) await this.look().catch((error: unknown) => log.debug({ error }, 'Looking for simulated regions did not succeed'))
    }
  }

  /** Reads are passed on only while they may meet a fault, so that they cost no round trip otherwise. */
  async #watchFaults(): Promise<void> {
    const { signal, log } = this.#parts
    while (!signal.aborted) {
      await this.#lookAtFaults().catch((error: unknown) => log.debug({ error }, 'Looking for faults of our own answers did not succeed'))
      await systemClock.sleep(FAULTS_EVERY_MS, signal).catch(() => undefined) // aborted: the loop ends
    }
  }

  async #lookAtFaults(): Promise<void> {
    const faces = [...this.#running].flatMap(([region, { face }]) => (face.isOpen ? [] : [{ region, face }]))
    if (faces.length === 0) return
    const begun = ++this.#looksBegun
    const found = await regionsWithFaults(this.#parts.worldStore, faces.map(({ region }) => region), 'api')
    if (begun < this.#looksTold) return
    this.#looksTold = begun
    for (const { region, face } of faces) face.judgeReads(found.has(region))
  }

  /** Every clock is kept and every watch given back. */
  async stop(): Promise<void> {
    for (const { stop } of this.#running.values()) stop.abort()
    await Promise.all([...this.#running.values()].map(({ done }) => done))
    await this.#parts.lease.stop()
  }

  async create(order: Parameters<RegionMaker['create']>[0]): Promise<string | undefined> {
    const records = await this.#parts.store.listRegions()
    const name = order.region ?? freeName(records)
    if (records.some(record => record.region === name)) return undefined
    const seeded = order.seed !== undefined
    const made = await this.#insert(name, order.seed ?? Math.floor(Math.random() * 2 ** 31), { startAt: order.startAt ?? (seeded ? SEEDED_START : systemClock.now()), paused: order.paused, speed: order.speed, ...(order.durations && { durations: order.durations }) })
    if (!made) return undefined
    await this.look()
    await this.faceOf(name)?.untilOpen()
    return name
  }

  async #makeFor(play: KeptPlay, region: string): Promise<boolean> {
    if (!await this.#insert(region, play.order.seed, { ...PLAY_CLOCK, startAt: PLAY_CLOCK.at, play })) return false
    await this.look()
    return true
  }

  async remove(region: string): Promise<boolean> {
    const { store } = this.#parts
    const found = await store.findRegion(region)
    // Whoever removes it holds its record for as long as that takes.
    if (found && !settingsOf(found).deleting) await store.write(systemClock.now(), async tx => {
      const record = await tx.lockRegion(region)
      if (record) await tx.putRegion({ ...withSettings(record, { deleting: true }), ready: false, text: 'it is being deleted' })
    })
    await this.look()
    // Where this server runs it, it is gone as soon as that ends.
    await Promise.race([this.#running.get(region)?.done, systemClock.sleep(REMOVAL_LOOK_MS)])
    for (const end = performance.now() + REMOVAL_PATIENCE_MS; performance.now() < end;) {
      if (!await store.findRegion(region)) {
        await this.look()
        return true
      }
      await systemClock.sleep(REMOVAL_LOOK_MS)
    }
    return false
  }

  #begin(record: RegionRecord, failed: (error: unknown) => void): void {
    const { store, queue, worldStore, lease, components, regions, graceMs, endpoint, log, onDecision, signal } = this.#parts
    const { region } = record
    const face = new SimulatedRegionFace(settingsOf(record), {
      components, endpoint, bootstrapLine: (at, token) => onboardingLine(`${at}/simulated/${region}`, token), lookAtFaults: () => this.#lookAtFaults(),
    })
    const stop = new AbortController()
    const done = runSimulatedRegion({
      region, face, store, queue, worldStore, lease, graceMs, endpoint, onDecision, log: log.child({ region }), tenantAddressOf: this.#tenantAddressOf, plays: this.plays, player: this.#player.promise,
      serverOf: clusterId => `${endpoint()}/simulated/${region}/clusters/${clusterId}`,
    }, AbortSignal.any([signal, stop.signal])).catch(failed).then(() => {
      // It was removed, and another one may be made under its name before anybody looks.
      if (signal.aborted || this.#running.get(region)?.face !== face) return
      this.#running.delete(region)
      regions.delete(region)
    })
    this.#running.set(region, { face, stop, done, afterLook: this.#listsBegun })
    regions.set(region, face)
  }

  /** False if one of that name was there already. */
  async #insert(region: string, seed: number, { startAt, paused, speed, durations = {}, play }: { startAt: number; paused: boolean; speed: number; durations?: Readonly<Record<string, number>>; play?: KeptPlay }): Promise<boolean> {
    const { store } = this.#parts
    return store.write(systemClock.now(), async tx => {
      await tx.lockName('regions')
      if (await tx.lockRegion(region)) return false
      const others = (await store.listRegions()).filter(other => other.kind === 'Simulated').map(settingsOf)
      if (play && others.some(other => other.play?.fresh && !other.deleting && !(other.play.told && leavesNothing(other.play)) && hasToken(other.play, play.order))) return false
      const lanes = new Set(others.filter(other => other.seed === seed).map(other => other.lane))
      let lane = 0
      while (lanes.has(lane)) lane++
      if (lane > LAST_LANE) return refuse('OperationDenied.RegionNotReady', { region, why: `there are ${lane} regions of its seed already` })
      const fixed = Object.entries(durations).map(([name, ms]) => [name, [ms, ms]] as const)
      const settings: SimulatedSettings = { seed, lane, opened: 0, clock: { paused, speed, at: startAt, since: systemClock.now() }, ...(fixed.length > 0 && { durations: Object.fromEntries(fixed) }), ...(play && { play }) }
      await tx.putRegion({ region, kind: 'Simulated', ready: true, text: 'simulated', settings: { ...settings } })
      return true
    })
  }
}

function freeName(records: readonly RegionRecord[]): string {
  const taken = new Set(records.map(record => record.region))
  let number = 2
  while (taken.has(`sim-${number}`)) number++
  return `sim-${number}`
}
