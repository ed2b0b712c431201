/** The work of a region that is run in order. One file over three hundred lines, as what is due, passes, their ends and the region's time are one loop over one state, and each step is only right after the others. */
import type { Clock } from '#ports/clock.ts'
import type { Controller, PassOutcome } from '#ports/controller.ts'
import type { Log } from '#ports/log.ts'
import type { ClaimedWork, EndedWork, ProcessLease, Queue } from '#ports/queue.ts'
import type { RegionChange, RegionEvents } from '#ports/region-events.ts'
import { batchesOf } from './batches.ts'
import { NO_METER, type WorkerMeter } from './meter.ts'
import type { RegionClock } from './region-clock.ts'
import type { Meanwhile, Turns } from './turns.ts'
import { Wake } from './wake.ts'

export interface OrderedWorkerOptions {
  readonly region: string
  readonly queue: Pick<Queue, 'due' | 'completeMany' | 'failUntil' | 'nextDue' | 'listen'>
  /** Under which the keys run; whoever runs this holds the region's watch by it. */
  readonly lease: ProcessLease
  readonly clock: RegionClock
  /** Real time. */
  readonly realClock: Clock
  readonly controllers: readonly Controller[]
  readonly events: RegionEvents
  /** Writes what changed where passes see it, with the keys that have to look. */
  readonly tell: (changes: readonly RegionChange[]) => Promise<void>
  readonly log: Log
  /** While its clock stands still nothing of this begins before a call has done all that it does. Absent: there are no calls. */
  readonly turns?: Turns
  readonly meter?: WorkerMeter
}

export interface OrderedWorker {
  /** Resolves when nothing is due up to the clock's target, or false when that did not come within `patienceMs` of real time. */
  settled(patienceMs: number): Promise<boolean>
  /** Somebody else than its own passes changed the region: it is looked at now. */
  wake(): void
  /** Resolves when stopped; rejects when the region cannot be run on by this process, which begins anew then. */
  readonly ended: Promise<void>
}

interface FailedWork {
  readonly work: ClaimedWork
  readonly error: unknown
}

/** Until when there is nothing to do, and what may end that before. */
interface Rest { readonly next: number; readonly woken: Promise<void>; readonly set: Promise<void> }

/** Where nobody waits for its turn to end. */
const AT_ALL_TIMES: Meanwhile = wait => wait()

/** More than a fleet's busiest instant needs at once would only keep others' keys in memory. */
const AT_ONCE = 500
/** Passes at once while the clock runs: most of a pass is waiting for the store. */
const HANDS_WHILE_RUNNING = 80
/** Backstop for calls that were lost. */
const SLOWEST_LOOK_MS = 2_000
/** Real time by which a clock that runs is not yet behind. */
const MOMENT_MS = 20
/** Region time that is done together where it is behind: the second that statuses are told by. */
const LONGEST_MOMENT_MS = 1_000
const FIRST_RETRY_MS = 200
const LONGEST_RETRY_MS = 30_000
/** For so many failures no deadline of a status is slept through; what fails for longer is tried ever more seldom, so that what fails for years is no work. Whoever changes what it waits for enqueues it, or hastens its region. */
const FAILURES_IN_A_ROW = 48
const SELDOM_MS = 3_600_000
/** From an hour on each pause is an eighth longer, and so is the whole wait: what has come meanwhile unheard is found within an eighth of the time that it was waited for. */
const LONGER_BY = 9 / 8
/** A hundred years. */
const MOST_LONGER = 100
const RUNS_AT_ONE_INSTANT = 100
const PUT_OFF_MS = 1_000
/** More than a key has reason to run at one instant: once for every so many others that have news for it (`AT_ONCE`), of which no region has a million. */
const WAKES_AT_ONE_INSTANT = 2_000
/** More would let a key that is never done keep those that are due with it waiting. */
const RUNS_IN_A_ROW = 4
const STORE_AGAIN_MS = [50, 200, 500, 1_000, 2_000]

/**
 * Runs one region in order, in one process: keys that are due run one after another (a few at once while the clock runs), by (due, kind, id); then the region's own events of this instant happen; and only when neither is
 * left does its time move, to the next instant at which something is due or happens, and never past its clock's target. So the same calls at the same instants give the same history.
 */
export function runOrderedWorker(options: OrderedWorkerOptions, signal: AbortSignal): OrderedWorker {
  const loop = new OrderedLoop(options, signal)
  return { settled: patienceMs => loop.settled(patienceMs), wake: () => loop.wake(), ended: loop.run() }
}

class OrderedLoop {
  readonly #options: OrderedWorkerOptions
  readonly #signal: AbortSignal
  readonly #controllers: ReadonlyMap<string, Controller>
  readonly #meter: WorkerMeter
  readonly #enqueued = new Wake()
  readonly #rested = new Wake()
  /** Something was enqueued, or the clock was set, since the loop last looked for everything there is to do. */
  #news = true
  #resting = false
  /** Lets calls have their turn in the midst of its own. */
  #meanwhile = AT_ALL_TIMES
  /** Its clock stood still at the last turn, when passes came before what happened at their instant. */
  #stoodStill = false
  /** Nobody runs the region by this any more. */
  #isOver = false
  /** When the first key is due, as the queue said it then (real time). */
  #due: { readonly at: number; readonly askedAt: number } | undefined
  #runsAtOnce: { readonly at: number; readonly counts: Map<string, number> } = { at: 0, counts: new Map() }
  #claimsAtOnce: { readonly at: number; readonly counts: Map<string, number> } = { at: 0, counts: new Map() }
  /** How often each key was kept from being woken for ever. */
  readonly #keptOff = new Map<string, number>()

  constructor(options: OrderedWorkerOptions, signal: AbortSignal) {
    this.#options = options
    this.#signal = signal
    this.#controllers = new Map(options.controllers.map(controller => [controller.kind as string, controller]))
    this.#meter = options.meter ?? NO_METER
  }

  async run(): Promise<void> {
    const { queue, clock, region } = this.#options
    const over = new AbortController()
    const listening = queue.listen(regions => { if (regions?.includes(region) ?? true) this.wake() }, AbortSignal.any([this.#signal, over.signal]))
    const stop = () => this.wake()
    this.#signal.addEventListener('abort', stop, { once: true })
    try {
      while (!this.#signal.aborted) await this.#turn()
    } finally {
      clock.hold()
      this.#resting = false
      this.#isOver = true
      this.#rested.call()
      over.abort()
      await listening
    }
  }

  async settled(patienceMs: number): Promise<boolean> {
    const { realClock, queue, region, clock } = this.#options
    const patience = new AbortController()
    const over = realClock.sleep(patienceMs, patience.signal).then(() => true, () => true)
    // What was enqueued before this call may not have been announced yet.
    this.wake()
    try {
      for (;;) {
        const next = this.#rested.next()
        if (await Promise.race([next.then(() => false), over]) || this.#signal.aborted || this.#isOver) return false
        if (!this.#resting || this.#news) continue
        const due = await queue.nextDue([region])
        if (this.#resting && !this.#news && (due.dueAt?.[0]?.at ?? Number.POSITIVE_INFINITY) > clock.target()) return true
        this.wake()
      }
    } finally {
      patience.abort()
    }
  }

  wake(): void {
    this.#news = true
    this.#enqueued.call()
  }

  async #turn(): Promise<void> {
    const { clock, turns } = this.#options
    const rest = await (turns && clock.paused ? this.#inTurn(turns) : this.#look())
    if (rest) await this.#waitFor(rest.next, rest.woken, rest.set)
  }

  /** Behind calls, unless the clock runs by the time that they have ended: who has its turn is nothing to it then. */
  #inTurn(turns: Turns): Promise<Rest | undefined> {
    const { clock } = this.#options
    return turns.work(async meanwhile => {
      this.#meanwhile = meanwhile
      try {
        return clock.paused ? await this.#look() : undefined
      } finally {
        this.#meanwhile = AT_ALL_TIMES
      }
    }, { waits: () => clock.paused && !this.#signal.aborted, news: () => Promise.race([this.#enqueued.next(), clock.nextSet()]) })
  }

  async #look(): Promise<Rest | undefined> {
    const woken = this.#enqueued.next(), set = this.#options.clock.nextSet()
    const next = await this.#atThisInstant()
    return next === undefined ? undefined : { next, woken, set }
  }

  /** Everything that is to be done at this instant; then on to the next one, or to rest: the answer is until when. */
  async #atThisInstant(): Promise<number | undefined> {
    const { clock, events } = this.#options
    if (this.#news) this.#due = undefined
    this.#news = false
    this.#resting = false
    clock.hold()
    // However long it rested or how far it was moved: until something happens there is nothing to hear of.
    clock.heard((events.nextAt() ?? Number.POSITIVE_INFINITY) - 1)
    // Where it is behind, what falls within a moment is done together: late by no more than that and the next one, and never kept from moving on by what is due or happens all the time.
    if (this.#isBehind()) clock.moveTo(Math.min(clock.target(), clock.now() + LONGEST_MOMENT_MS))
    const resumes = this.#stoodStill && !clock.paused
    this.#stoodStill = clock.paused
    // What happened at the instant of a pause: from here on passes decide by what was told.
    if (resumes && (events.nextAt() ?? Number.POSITIVE_INFINITY) <= clock.passTime() && await this.#hear()) return undefined
    if (clock.paused ? await this.#oneAfterAnother() : await this.#sideBySide()) return undefined
    const next = Math.min(await this.#nextDue(), events.nextAt() ?? Number.POSITIVE_INFINITY)
    if (this.#news || this.#signal.aborted) return undefined
    if (next <= clock.target()) {
      clock.moveTo(next)
      return undefined
    }
    this.#resting = true
    this.#noneIsEndless()
    clock.rest(next)
    this.#rested.call()
    return next
  }

  /** What is due first, then what happened at the same instant. Answers whether there was anything to do. */
  async #oneAfterAnother(): Promise<boolean> {
    this.#options.clock.heard()
    if (await this.#nextDue() > this.#options.clock.now()) return this.#hear()
    await this.#runDue()
    return true
  }

  /**
   * Passes over what is due run while what happened since the last turn is told: the clock is where that has come to, and passes decide by the instant up to which everything was told before, so that no
   * deadline passes of which it is not known what happened until then. What they write is of the clock's instant, as it may follow from what was told meanwhile.
   */
  async #sideBySide(): Promise<boolean> {
    const isDue = await this.#nextDue() <= this.#options.clock.passTime()
    const hearing = this.#hear(), running = isDue ? this.#runDue() : Promise.resolve()
    // Neither goes on after the other has failed.
    await Promise.allSettled([hearing, running])
    await running
    const happened = await hearing
    return isDue || happened
  }

  /** What happened in the region until now; whether there was anything. */
  async #hear(): Promise<boolean> {
    const { clock, events, tell } = this.#options
    const changes = await events.liveUntil(clock.now())
    if (changes.length === 0) return false
    await this.#untilStored(() => tell(changes))
    events.heard()
    this.#due = undefined
    return true
  }

  #isBehind(): boolean {
    const { clock } = this.#options
    return !clock.paused && clock.target() - clock.now() > clock.speed * MOMENT_MS
  }

  async #waitFor(next: number, woken: Promise<void>, set: Promise<void>): Promise<void> {
    const { realClock, clock } = this.#options
    const stop = new AbortController()
    const ms = Math.min(SLOWEST_LOOK_MS, Math.max(1, clock.msUntil(next)))
    await Promise.race([woken, set, realClock.sleep(ms, AbortSignal.any([stop.signal, this.#signal])).catch(() => undefined)]) // aborted: it was woken
    stop.abort()
  }

  /** When the first key is due; asked of the queue only where something may have changed since it was asked last. */
  async #nextDue(): Promise<number> {
    const { queue, region, realClock } = this.#options
    if (this.#due === undefined || realClock.now() - this.#due.askedAt > SLOWEST_LOOK_MS) {
      const askedAt = realClock.now()
      const { dueAt } = await this.#untilStored(() => queue.nextDue([region]))
      this.#due = { at: dueAt?.[0]?.at ?? Number.POSITIVE_INFINITY, askedAt }
    }
    return this.#due.at
  }

  async #runDue(): Promise<void> {
    const { queue, lease, region, clock } = this.#options
    this.#due = undefined
    const due = await this.#untilStored(() => queue.due(lease, { region, now: clock.passTime(), limit: AT_ONCE, inTurn: !clock.paused }))
    this.#meter.claimed(due.length)
    const hands = handsOf(clock), waiting = batchesOf(clock.paused ? await this.#withoutEndless(due) : due, hands, kind => this.#controllers.get(kind)?.reconcileMany !== undefined).values()
    const ended: EndedWork[] = [], failed: FailedWork[] = []
    await Promise.all(Array.from({ length: hands }, async () => {
      for (const batch of waiting) {
        if (this.#signal.aborted) return
        await this.#passes(batch, hands, ended, failed)
        // A crash runs again what was not ended, so for one hand, whose keys come one after another, nothing is left to the end.
        if (hands === 1) await this.#end(ended.splice(0), failed.splice(0))
      }
    }))
    await this.#end(ended, failed)
  }

  /**
   * Keys that wake each other without end would hold the region's time, and whoever waits for it, for ever: a clock that stands still or is stepped moves on only when nothing is due. They are put off, for longer each time;
   * no such key is right, but nothing else is to suffer for it.
   */
  async #withoutEndless(due: readonly ClaimedWork[]): Promise<readonly ClaimedWork[]> {
    const { clock, log } = this.#options, now = clock.passTime()
    if (this.#claimsAtOnce.at !== now) this.#claimsAtOnce = { at: now, counts: new Map() }
    const { counts } = this.#claimsAtOnce, put: EndedWork[] = []
    const kept = due.filter(work => {
      const { kind, id } = work, key = `${kind}/${id}`, count = (counts.get(key) ?? 0) + 1
      counts.set(key, count)
      if (count <= WAKES_AT_ONE_INSTANT) return true
      const times = this.#keptOff.get(key) ?? 0
      this.#keptOff.set(key, times + 1)
      put.push({ work, lookAgainAt: now + Math.min(SELDOM_MS, PUT_OFF_MS * 2 ** times) })
      log.warn({ kind, id, runs: count, times }, 'Putting off what is woken for ever at one instant')
      return false
    })
    await this.#end(put, [])
    return kept
  }

  /**
   * Passes over keys of one kind, whose ends are written together: what was enqueued meanwhile runs again, as if each had ended by itself. Chance and real time have no part in when a pass that
   * failed runs again; only a store that is away is waited for in real time.
   */
  async #passes(batch: readonly ClaimedWork[], hands: number, ended: EndedWork[], failed: FailedWork[]): Promise<void> {
    const { clock, realClock } = this.#options
    const startedAt = realClock.now()
    const meter = (work: ClaimedWork, outcome: Parameters<WorkerMeter['passEnded']>[1]) => this.#meter.passEnded(work.kind, outcome, (realClock.now() - startedAt) / batch.length)
    for (const [work, outcome] of await this.#outcomes(batch, hands)) {
      if (!('error' in outcome)) {
        ended.push({ work, lookAgainAt: this.#dueAgain(work, outcome.lookAgainAt) })
        meter(work, 'done')
      } else if (this.#signal.aborted) meter(work, 'abandoned')
      else if (kindOf(outcome.error) === 'StaleRevision') {
        ended.push({ work, lookAgainAt: clock.passTime() })
        meter(work, 'stale')
      } else {
        failed.push({ work, error: outcome.error })
        meter(work, 'failed')
      }
    }
  }

  /** Where nothing is due any more, none of those that ran wakes another for ever: what runs a key at this instant from here on is a new cause, such as somebody's call, and of those there is no end. */
  #noneIsEndless(): void {
    this.#claimsAtOnce.counts.clear()
    this.#runsAtOnce.counts.clear()
    this.#keptOff.clear()
  }

  async #end(ended: readonly EndedWork[], failed: readonly FailedWork[]): Promise<void> {
    const { queue, lease, clock, log } = this.#options
    if (ended.length > 0) await this.#untilStored(() => queue.completeMany(lease, ended))
    for (const { work, error } of failed) {
      const retryAt = clock.now() + retryAfter(work.failures + 1)
      log.warn({ kind: work.kind, id: work.id, failures: work.failures + 1, retryAt, error }, 'Pass did not succeed')
      await this.#untilStored(() => queue.failUntil(lease, work, retryAt, messageOf(error)))
    }
  }

  /** Of each key that had its pass; those that the end of the run came before are left out. */
  async #outcomes(batch: readonly ClaimedWork[], hands: number): Promise<readonly (readonly [ClaimedWork, PassOutcome])[]> {
    const controller = this.#controllers.get(batch[0]?.kind ?? '')
    const outcomes: (readonly [ClaimedWork, PassOutcome])[] = []
    await this.#giveWay()
    const together = batch.length > 1 ? await this.#together(controller, batch) : undefined, waiting = batch.values()
    await Promise.all(Array.from({ length: Math.min(hands, batch.length) }, async () => {
      for (const work of waiting) {
        if (!together?.has(work.id)) await this.#giveWay()
        if (this.#signal.aborted && !together?.has(work.id)) continue
        outcomes.push([work, await this.#outcome(controller, work, together?.get(work.id), hands)])
      }
    }))
    return outcomes
  }

  /** Calls that wait need not wait for five hundred passes. Whoever sends some while others, or a step, are under way was never promised what they meet, and what they enqueue runs behind what is due already. */
  async #giveWay(): Promise<void> {
    if (this.#options.turns?.isAwaited) await this.#meanwhile(async () => undefined)
  }

  /** What befell all of them befalls each in a pass of its own, and is told there. */
  async #together(controller: Controller | undefined, batch: readonly ClaimedWork[]): Promise<ReadonlyMap<string, PassOutcome> | undefined> {
    try {
      return await controller?.reconcileMany?.(batch.map(({ id }) => id), this.#signal)
    } catch (error) {
      this.#options.log.debug({ kind: controller?.kind, error }, 'Passes over many keys together did not succeed; each gets its own')
      return undefined
    }
  }

  /** A pass for which the store was away is run again, as one that is alone. What looks again at once does so here where no order is promised, without its way through the queue. */
  async #outcome(controller: Controller | undefined, { kind, id }: ClaimedWork, known: PassOutcome | undefined, hands: number): Promise<PassOutcome> {
    if (known && !('error' in known && kindOf(known.error) === 'StoreUnavailable')) return known
    try {
      if (!controller) throw new Error(`Nobody here works on ${kind}`)
      for (let runs = 1; ; runs++) {
        const outcome = await this.#untilStored(() => controller.reconcile(id, this.#signal))
        if (hands === 1 || runs === RUNS_IN_A_ROW || this.#signal.aborted || (outcome.lookAgainAt ?? Number.POSITIVE_INFINITY) > this.#options.clock.passTime()) return outcome
      }
    } catch (error) {
      return { error }
    }
  }

  /** Whole milliseconds, and never before the instant asked for. What looks again at once, over and over, would hold the region's time for ever, so it is put off a little. */
  #dueAgain({ kind, id }: ClaimedWork, lookAgainAt: number | undefined): number | undefined {
    if (lookAgainAt === undefined) return undefined
    const now = this.#options.clock.passTime(), due = Math.ceil(lookAgainAt)
    if (due > now) return due
    if (this.#runsAtOnce.at !== now) this.#runsAtOnce = { at: now, counts: new Map() }
    const { counts } = this.#runsAtOnce, key = `${kind}/${id}`
    const count = (counts.get(key) ?? 0) + 1
    counts.set(key, count)
    if (count < RUNS_AT_ONE_INSTANT) return due
    this.#options.log.warn({ kind, id, runs: count }, 'Putting off what looks again at once for ever')
    return now + PUT_OFF_MS
  }

  /** Without the store nothing of the region can go on, so its time stands still until it is back; calls are told that it is away by themselves, and wait for nobody. */
  async #untilStored<T>(act: () => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await act()
      } catch (error) {
        if (kindOf(error) !== 'StoreUnavailable' || this.#signal.aborted) throw error
        this.#options.log.warn({ region: this.#options.region, error }, 'Waiting for the store')
        await this.#meanwhile(() => this.#options.realClock.sleep(STORE_AGAIN_MS[attempt] ?? 2_000, this.#signal)).catch(() => undefined) // aborted: the next failure is the last
      }
    }
  }
}

/** One caller's calls at a paused clock always meet the same order; a clock that runs promises none among what is due together. */
export function handsOf(clock: Pick<RegionClock, 'paused'>): number {
  return clock.paused ? 1 : HANDS_WHILE_RUNNING
}

/** Region milliseconds until the n-th retry, n from 1. */
export function retryAfter(failures: number): number {
  if (failures <= FAILURES_IN_A_ROW) return Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - 1))
  const doubled = failures - FAILURES_IN_A_ROW, untilSeldom = Math.floor(Math.log2(SELDOM_MS / LONGEST_RETRY_MS))
  return Math.floor(doubled <= untilSeldom ? LONGEST_RETRY_MS * 2 ** doubled : SELDOM_MS * LONGER_BY ** Math.min(doubled - untilSeldom - 1, MOST_LONGER))
}

/** Errors that cross folders are told apart by their kind. */
function kindOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'kind' in error ? error.kind : undefined
}

/** The error and its causes in one line, outermost first. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}: ${messageOf(error.cause)}`
}
