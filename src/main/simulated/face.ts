import type { Apart, ClockChange, ClockShown, Elsewhere, Meanwhile, NotReady, RegionPorts, RegionTime } from '#api/regions.ts'
import { RegionClock } from '#kernel/region-clock.ts'
import type { Turns } from '#kernel/turns.ts'
import { Wake } from '#kernel/wake.ts'
import type { Components } from '#ports/components.ts'
import type { MachineLogins } from '#ports/machine-logins.ts'
import type { Machines } from '#ports/machines.ts'
import type { RegionQuotas } from '#ports/quotas.ts'
import type { RegionFaults, RegionStock, RegionUsers } from '#ports/region-world.ts'
import type { Store } from '#ports/store.ts'
import { type AddressedCluster, TenantClusterUnreachable } from '#ports/tenant-cluster.ts'
import { WORLD_ADDONS } from '#providers/simulated/addons/catalogue.ts'
import type { SimulatedRegion } from '#providers/simulated/simulated-region.ts'
import { MACHINE_ADDRESSES, type SimulatedSettings } from './settings.ts'
import { systemClock } from '../system-clock.ts'

/** What the process that runs a region has of it. */
export interface OpenRegion {
  readonly clock: RegionClock
  readonly world: SimulatedRegion
  readonly logins: MachineLogins
  readonly randomBytes: (count: number) => Uint8Array
  /** As everybody writes to it in this region. */
  readonly store: Store
  readonly storeTogether: (apart: Apart) => Store
  /** Of calls and of its own work. */
  readonly turns: Turns
  /** Resolves when nothing is due up to the clock's target, or false when that did not come in time. */
  settled(patienceMs: number): Promise<boolean>
  /** Somebody changed something in it: its own work looks now. */
  wake(): void
  /** Writes down where a paused clock stands at the end of its step, so that whoever opens the region after a crash does there what was asked for there. */
  keepClock(): Promise<void>
  setClock(change: ClockChange): Promise<void>
  setSchedulable(cluster: AddressedCluster, nodeName: string, schedulable: boolean): Promise<void>
}

export interface FaceParts {
  readonly components: Components
  /** For machines that ask the server at that address. */
  readonly bootstrapLine: (endpoint: string, token: string) => string
  /** Of this server. */
  readonly endpoint: () => string
  /** Looks which regions have faults of our own answers, and tells their faces. */
  readonly lookAtFaults: () => Promise<void>
}

const IS_BEING_OPENED = 'it is being opened'
/** After a server that was killed its lease has to lapse first. */
const OPENING_MS = 6_000
/** own-actions.md: SetClock answers with `Behind` then. */
const STEP_PATIENCE_MS = 20_000
const QUIET_MS = 20_000

/** A simulated region as the API sees it: whole in the process that runs it; in others its records are shown, and its clock as it was last set. */
export class SimulatedRegionFace implements RegionPorts {
  readonly kind = 'Simulated' as const
  readonly unlimited = true as const
  readonly anyKeySetsLimits = true as const
  readonly isRemovable = true as const
  readonly #parts: FaceParts
  #settings: SimulatedSettings
  #following: RegionClock
  #open: OpenRegion | undefined
  /** What the clock showed when this process ceased to run the region. */
  #stoodAt = 0
  /** While this process does not run the region: faults of our own answers stand in it. Until that is known for the first time they may. */
  #judgesReads = true
  readonly #judged = new Wake()
  readonly #followed = new Wake()
  #opened = Promise.withResolvers<void>()

  constructor(settings: SimulatedSettings, parts: FaceParts) {
    this.#settings = settings
    this.#parts = parts
    this.#following = RegionClock.following(systemClock, settings.clock)
  }

  get settings(): SimulatedSettings {
    return this.#settings
  }

  /** What the record says now. */
  follow(settings: SimulatedSettings): void {
    if (JSON.stringify(settings) === JSON.stringify(this.#settings)) return
    this.#settings = settings
    this.#following = RegionClock.following(systemClock, settings.clock)
    this.#followed.call()
  }

  /** The next time that its record says something else. */
  followed(): Promise<void> {
    return this.#followed.next()
  }

  judgeReads(judgesReads: boolean): void {
    this.#judgesReads = judgesReads
    if (!judgesReads) this.#judged.call()
  }

  get isOpen(): boolean {
    return this.#open !== undefined
  }

  open(region: OpenRegion): void {
    this.#open = region
    this.#opened.resolve()
  }

  close(): void {
    this.#stoodAt = this.#open?.clock.now() ?? this.#stoodAt
    if (this.#open) this.#judgesReads = this.#open.world.faults.list().some(({ port }) => port === 'api')
    this.#open = undefined
    this.#opened = Promise.withResolvers()
  }

  ready(): { ready: boolean; text: string } {
    if (this.#settings.deleting) return { ready: false, text: 'it is being deleted' }
    const elsewhere = this.elsewhere()
    if (!this.#open && !elsewhere) return { ready: false, text: IS_BEING_OPENED }
    const { paused, speed } = this.#open?.clock ?? this.#following
    const text = `simulated, seed ${this.#settings.seed}; its clock ${paused ? 'is paused' : `runs at speed ${speed}`}`
    return { ready: true, text: elsewhere ? `${text}; the server at ${elsewhere.endpoint} runs it, and is passed its calls` : text }
  }

  now(): number {
    return this.#read().now
  }

  servedVersions(): readonly string[] {
    return this.#parts.components.kubernetesVersions()
  }

  reservedRanges(): [] {
    return []
  }

  refusesWrites(): NotReady | undefined {
    if (this.#settings.deleting) return { why: 'it is being deleted', passes: false }
    return this.#open ? undefined : { why: `${IS_BEING_OPENED}, or taken over from a server that ended`, passes: true }
  }

  elsewhere(): Elsewhere | undefined {
    const { servedAt, deleting } = this.#settings
    if (this.#open || deleting || servedAt === undefined || servedAt === this.#parts.endpoint()) return undefined
    return { endpoint: servedAt, judgesReads: this.#judgesReads, isStill: () => this.#settings.servedAt === servedAt, lookAgain: () => this.#parts.lookAtFaults() }
  }

  /** Writes wait a little for a region that is being opened, and are taken at an instant that is kept. */
  async untilOpen(): Promise<void> {
    if (this.#open) return this.#open.keepClock()
    if (!this.#settings.deleting) await this.#patiently()
  }

  refusesReads(): string | undefined {
    return this.#open || this.#settings.deleting || !this.#judgesReads ? undefined : `faults of our own answers stand in the region, and nobody counts yet what they meet: ${IS_BEING_OPENED}, or taken over from a server that ended`
  }

  async untilJudged(): Promise<void> {
    if (this.refusesReads() !== undefined) await this.#patiently(this.#judged.next())
  }

  /** Until the region is open here, or something else is the case, but not for long. */
  async #patiently(orUntil?: Promise<void>): Promise<void> {
    const patience = new AbortController()
    await Promise.race([this.#opened.promise, ...orUntil ? [orUntil] : [], systemClock.sleep(OPENING_MS, patience.signal).catch(() => undefined)]) // aborted: it is the case
    patience.abort()
  }

  inTurn<Answer>(call: (meanwhile: Meanwhile) => Promise<Answer>): Promise<Answer> {
    return this.#open ? this.#open.turns.call(call) : call(wait => wait())
  }

  /** With a paused clock what a call set off is done before its answer, so that one caller's calls always meet the same world. */
  async afterWrite(): Promise<void> {
    const clock = this.#open?.clock
    this.#open?.wake()
    // A step that is under way has its own patience.
    if (clock?.paused && clock.target() === clock.now()) await this.#open?.settled(QUIET_MS)
  }

  get faults(): RegionFaults | undefined {
    return this.#open?.world.faults
  }

  get quotas(): RegionQuotas | undefined {
    return this.#open?.world.limits
  }

  get stock(): RegionStock | undefined {
    return this.#open?.world.limits
  }

  get users(): RegionUsers | undefined {
    return this.#open?.world.users
  }

  /** The same in every region of that kind, whoever runs it. */
  get addons(): RegionPorts['addons'] {
    return this.#open?.world.addons ?? { catalogue: () => WORLD_ADDONS }
  }

  get machines(): Machines | undefined {
    return this.#open?.world.machines
  }

  get logins(): MachineLogins | undefined {
    return this.#open?.logins
  }

  machineAddresses(): { first: string; last: string } {
    return MACHINE_ADDRESSES
  }

  bootstrapLine(token: string): string {
    return this.#parts.bootstrapLine(this.elsewhere()?.endpoint ?? this.#parts.endpoint(), token)
  }

  async setSchedulable(cluster: AddressedCluster, nodeName: string, schedulable: boolean): Promise<void> {
    if (!this.#open) throw new TenantClusterUnreachable('no process of this server runs the region')
    await this.#open.setSchedulable(cluster, nodeName, schedulable)
  }

  get store(): Store | undefined {
    return this.#open?.store
  }

  storeTogether(apart: Apart): Store | undefined {
    return this.#open?.storeTogether(apart)
  }

  get randomBytes(): ((count: number) => Uint8Array) | undefined {
    return this.#open?.randomBytes
  }

  get clock(): RegionTime {
    return {
      read: () => this.#read(),
      quietUntil: () => this.#open?.clock.restsUntil,
      set: async change => {
        const open = this.#open
        if (!open) throw new Error('a region that this process does not run takes no writes')
        await open.setClock(change)
        if (change.step !== undefined && await open.settled(STEP_PATIENCE_MS)) await open.keepClock()
        return this.#read()
      },
    }
  }

  #read(): ClockShown {
    // Nobody runs it: it stands still, and what a step had not done yet is done once somebody does.
    if (!this.#open && this.elsewhere() === undefined) {
      const { at, speed, paused, steppedTo = at } = this.#settings.clock
      const now = Math.max(at, this.#stoodAt), behindMs = paused ? steppedTo - now : 0
      return { now, speed, paused, ...(behindMs > 0 && { behindMs }) }
    }
    const clock = this.#open?.clock ?? this.#following
    const now = clock.now(), behindMs = clock.target() - now
    // A clock that runs fast is always a little behind; what a person would call behind is a second of real time.
    const isBehind = clock.paused ? behindMs > 0 : behindMs > Math.max(1_000, 1_000 * clock.speed)
    return { now, speed: clock.speed, paused: clock.paused, ...(isBehind && { behindMs }) }
  }
}
