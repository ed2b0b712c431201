import type { Clock } from '#ports/clock.ts'
import type { Log } from '#ports/log.ts'
import type { ClaimedWork, EndedWork, ProcessLease, Queue } from '#ports/queue.ts'
import type { WorkKey } from '#ports/store.ts'
import type { Database } from '../connection/database.ts'
import { claim, dueInOrder, dueInTurn, firstRound, freeAbandoned, type Round } from './claim.ts'
import { complete, completeMany, fail, failUntil } from './complete.ts'
import { enqueue, hasten } from './enqueue.ts'
import { leaseEnds, registerLease, RenewedLease } from './lease.ts'
import { nextDue } from './next-due.ts'
import { ClaimableRegions } from './regions.ts'
import { WakeUps } from './wake-ups.ts'
import { claimWatch, markWatch, putSights, releaseWatch, type HeldWatch, type SightGone, type SightToPut } from './watches.ts'

/** How often a process that claims looks for keys of dead ones. */
const ABANDONED_EVERY_MS = 1_000
/** How often a lease is looked at until it is renewed or lapses. */
const RENEWAL_LOOK_MS = 100

/** The queue on PostgreSQL. Each method is one statement or one transaction; see the files beside this one. */
export class PostgresQueue implements Queue {
  readonly #database: Database
  readonly #clock: Clock
  readonly #log: Log
  readonly #wakeUps: WakeUps
  readonly #regions: ClaimableRegions
  #freedAt = Number.NEGATIVE_INFINITY
  /** Of all that are not run in order, and of each region that is. */
  readonly #round: Round = firstRound()
  readonly #rounds = new Map<string, Round>()
  readonly #hostsOf = new Map<string, readonly string[]>()

  constructor(database: Database, clock: Clock, log: Log, wakeUps: WakeUps) {
    this.#database = database
    this.#clock = clock
    this.#log = log
    this.#wakeUps = wakeUps
    this.#regions = new ClaimableRegions(database)
  }

  async register(process: { name: string; hosts: readonly string[]; ttlMs: number }): Promise<ProcessLease> {
    const since = this.#clock.now()
    const epoch = await registerLease(this.#database, process)
    this.#hostsOf.set(`${process.name}/${epoch}`, process.hosts)
    const lease = new RenewedLease({
      database: this.#database, clock: this.#clock, log: this.#log, name: process.name, epoch, ttlMs: process.ttlMs, since,
      onTick: () => this.#freeAbandoned(),
      onReleased: () => this.#freeAbandoned(),
    })
    lease.lost.addEventListener('abort', () => this.#hostsOf.delete(`${process.name}/${epoch}`), { once: true })
    return lease
  }

  async outlives(process: { readonly name: string; readonly epoch: number }): Promise<boolean> {
    const first = await leaseEnds(this.#database, process)
    for (let ends = first; ends !== undefined; ends = await leaseEnds(this.#database, process)) {
      if (ends !== first) return true
      await this.#clock.sleep(RENEWAL_LOOK_MS)
    }
    return false
  }

  async claim(lease: ProcessLease, options: { limit: number; now: (region: string) => number; realNow: number }): Promise<readonly ClaimedWork[]> {
    const regions = await this.#regions.of(this.#hostsOf.get(`${lease.name}/${lease.epoch}`) ?? [], this.#clock.now())
    if (regions.length === 0) return []
    if (Math.abs(this.#clock.now() - this.#freedAt) >= ABANDONED_EVERY_MS) await this.#freeAbandoned()
    return claim(this.#database, lease, regions.map(region => ({ region, now: options.now(region) })), options.realNow, options.limit, this.#round)
  }

  due(lease: ProcessLease, options: { region: string; now: number; limit: number; inTurn?: boolean }): Promise<readonly ClaimedWork[]> {
    return options.inTurn === true ? dueInTurn(this.#database, lease, options, this.#roundOf(options.region)) : dueInOrder(this.#database, lease, options)
  }

  #roundOf(region: string): Round {
    const round = this.#rounds.get(region) ?? firstRound()
    this.#rounds.set(region, round)
    return round
  }

  complete(lease: ProcessLease, work: ClaimedWork, lookAgainAt: number | undefined): Promise<void> {
    return complete(this.#database, lease, work, lookAgainAt)
  }

  async completeMany(lease: ProcessLease, ended: readonly EndedWork[]): Promise<void> {
    if (ended.length > 0) await this.#database.transaction(async connection => { completeMany(connection, lease, ended) })
  }

  fail(lease: ProcessLease, work: ClaimedWork, retryAt: number, error: string): Promise<void> {
    return fail(this.#database, lease, work, retryAt, error)
  }

  failUntil(lease: ProcessLease, work: ClaimedWork, dueAt: number, error: string): Promise<void> {
    return failUntil(this.#database, lease, work, dueAt, error)
  }

  async hasten(region: string, after: number): Promise<void> {
    await hasten(this.#database, region, after)
    this.announce([region])
  }

  nextDue(regions: readonly string[]): Promise<{ dueAt?: { region: string; at: number }[]; retryAt?: number }> {
    return nextDue(this.#database, regions)
  }

  listen(onWork: (regions?: readonly string[]) => void, signal: AbortSignal): Promise<void> {
    return this.#wakeUps.listen(onWork, signal)
  }

  async enqueue(key: WorkKey & { region: string }): Promise<void> {
    await enqueue(this.#database, [{ ...key, dueAt: 0 }])
    this.announce([key.region])
  }

  /** After a commit that enqueued keys of these regions. */
  announce(regions: Iterable<string>): void {
    const named = [...regions]
    for (const region of named) if (!this.#regions.knows(region)) this.#regions.forget()
    this.#wakeUps.announce(named.length > 0 ? named : undefined)
  }

  async #freeAbandoned(): Promise<void> {
    this.#freedAt = this.#clock.now()
    if (await freeAbandoned(this.#database)) this.#wakeUps.announce()
  }

  async claimWatch(lease: ProcessLease, subject: string): Promise<number | undefined> {
    const epoch = await claimWatch(this.#database, lease, subject, this.#clock.now())
    // Whoever takes over from a dead process goes on with what that one had begun, before anything else.
    if (epoch !== undefined) await this.#freeAbandoned()
    return epoch
  }

  releaseWatch(lease: ProcessLease, subject: string): Promise<void> {
    return releaseWatch(this.#database, lease, subject, this.#clock.now())
  }

  async putSights(watch: HeldWatch, sights: readonly SightToPut[], gone: readonly SightGone[] = []): Promise<void> {
    const enqueued = await this.#database.transaction(connection => putSights(connection, watch, sights, gone))
    if (enqueued) this.announce([...sights, ...gone].flatMap(sight => sight.key?.region ?? []))
  }

  async markWatch(watch: HeldWatch, staleSince: number | undefined, quietly = false): Promise<void> {
    const enqueued = await this.#database.transaction(connection => markWatch(connection, watch, staleSince, quietly))
    if (enqueued) this.announce([])
  }
}
