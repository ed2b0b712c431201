import type { Clock } from '#ports/clock.ts'
import type { Controller } from '#ports/controller.ts'
import type { Log } from '#ports/log.ts'
import type { ClaimedWork, ProcessLease, Queue } from '#ports/queue.ts'
import { NO_METER, type WorkerMeter } from './meter.ts'
import { runPass, type PassParts } from './pass.ts'
import { Wake } from './wake.ts'

export interface WorkerOptions {
  readonly queue: Queue
  readonly clock: Clock
  readonly log: Log
  readonly controllers: readonly Controller[]
  /** Unique among living processes, e.g. host, pid and start time. */
  readonly name: string
  /** Hosts whose local regions' work may run here. */
  readonly hosts: readonly string[]
  /** Time of a region, epoch ms. */
  readonly now: (region: string) => number
  /** How long real time runs until a region's clock shows `at`; infinite while it stands still. By default regions run in real time. */
  readonly msUntil?: (region: string, at: number) => number
  /** Regions that this process serves, for the wait until the next due key. */
  readonly regions: () => Promise<readonly string[]>
  readonly meter?: WorkerMeter
  readonly concurrency?: number
  /** A dead process's keys run elsewhere after this and a second more. Shorter, and a busy machine loses leases of living ones. */
  readonly leaseTtlMs?: number
}

export interface Worker {
  /** The lease of the moment: a new one after a loss. Undefined while there is none. */
  lease(): ProcessLease | undefined
  /** Resolves when the worker has stopped: after `stop`, or the signal's abort, within ten seconds. */
  readonly ended: Promise<void>
  stop(): Promise<void>
}

/** Backstop for calls that were lost. Short enough that nobody thinks it hangs, long enough that an idle server does nothing. */
const SLOWEST_POLL_MS = 5_000
/** Of the ten seconds that a shutdown may take; what runs longer is abandoned and done again by the next process. */
const SHUTDOWN_PATIENCE_MS = 8_000
const RETRY_MS = 500

/**
 * Runs controllers over the queue: claims keys when it is told of work, when something becomes due, and every five seconds; runs up to `concurrency` passes
 * at once. All passes stop when the lease is lost, and a new lease is taken.
 */
export function runWorker(options: WorkerOptions, signal?: AbortSignal): Worker {
  const stopping = new AbortController()
  if (signal?.aborted) stopping.abort(signal.reason)
  signal?.addEventListener('abort', () => stopping.abort(signal.reason), { once: true })
  const loop = new WorkerLoop(options, stopping.signal)
  const ended = loop.run()
  return {
    lease: () => loop.lease,
    ended,
    stop: () => {
      stopping.abort(new Error('the worker stops'))
      return ended
    },
  }
}

class WorkerLoop {
  lease: ProcessLease | undefined
  readonly #options: WorkerOptions
  readonly #parts: PassParts
  readonly #stopping: AbortSignal
  readonly #wake = new Wake()
  readonly #running = new Set<Promise<void>>()
  /** A claim failed, and may have been done all the same: keys would be ours and run nowhere. Under a new epoch they are nobody's. */
  #inDoubt = false
  readonly #concurrency: number

  constructor(options: WorkerOptions, stopping: AbortSignal) {
    this.#options = options
    this.#stopping = stopping
    this.#concurrency = options.concurrency ?? 16
    const controllers = new Map(options.controllers.map(controller => [controller.kind as string, controller]))
    this.#parts = { queue: options.queue, clock: options.clock, log: options.log, meter: options.meter ?? NO_METER, controllers }
  }

  async run(): Promise<void> {
    const { queue, clock, log } = this.#options
    const listening = queue.listen(() => this.#wake.call(), this.#stopping)
    this.#stopping.addEventListener('abort', () => this.#wake.call(), { once: true })
    while (!this.#stopping.aborted) {
      try {
        await this.#underOneLease()
      } catch (error) {
        log.warn({ error }, 'Worker was interrupted')
        await clock.sleep(RETRY_MS, this.#stopping).catch(() => {}) // aborted: the loop ends
      }
    }
    await listening
  }

  async #underOneLease(): Promise<void> {
    const { queue, hosts, name, leaseTtlMs } = this.#options
    const lease = await queue.register({ name, hosts, ttlMs: leaseTtlMs ?? 3_500 })
    this.lease = lease
    this.#inDoubt = false
    const passes = new AbortController()
    const loseAll = () => {
      passes.abort(lease.lost.reason)
      this.#wake.call()
    }
    lease.lost.addEventListener('abort', loseAll, { once: true })
    try {
      while (!this.#stopping.aborted && !lease.lost.aborted && !this.#inDoubt) await this.#turn(lease, passes.signal)
    } finally {
      await this.#finish(lease, passes)
      this.lease = undefined
    }
  }

  /** Claims what there is room for; waits when there is nothing, or no room. */
  async #turn(lease: ProcessLease, passes: AbortSignal): Promise<void> {
    const { queue, clock, now } = this.#options
    const woken = this.#wake.next()
    const room = this.#concurrency - this.#running.size
    let claimed: readonly ClaimedWork[] = []
    try {
      claimed = room > 0 ? await queue.claim(lease, { limit: room, now, realNow: clock.now() }) : []
    } catch (error) {
      this.#options.log.warn({ error }, 'Claiming work did not succeed')
      this.#inDoubt = true
      return this.#waitFor(woken, RETRY_MS)
    }
    for (const work of claimed) this.#start(lease, work, passes)
    this.#parts.meter.claimed(claimed.length)
    if (claimed.length === room && room > 0) return
    await this.#waitFor(woken, room === 0 ? SLOWEST_POLL_MS : await this.#msUntilDue())
  }

  #start(lease: ProcessLease, work: ClaimedWork, passes: AbortSignal): void {
    const pass = runPass(this.#parts, lease, work, passes)
      .catch((error: unknown) => this.#options.log.error({ error, kind: work.kind, id: work.id }, 'Ending a pass did not succeed'))
      .finally(() => {
        this.#running.delete(pass)
        this.#parts.meter.running(this.#running.size)
        this.#wake.call()
      })
    this.#running.add(pass)
    this.#parts.meter.running(this.#running.size)
  }

  async #msUntilDue(): Promise<number> {
    const { queue, clock, regions, now } = this.#options
    const msUntil = this.#options.msUntil ?? ((region: string, at: number) => at - now(region))
    try {
      const next = await queue.nextDue(await regions())
      const waits = [...(next.dueAt ?? []).map(due => msUntil(due.region, due.at)), ...(next.retryAt === undefined ? [] : [next.retryAt - clock.now()])]
      // Due already and not claimed: somebody else was quicker, or it is another host's; so there is a pause at least.
      return Math.min(SLOWEST_POLL_MS, Math.max(20, Math.min(...waits)))
    } catch (error) {
      this.#options.log.warn({ error }, 'Looking for the next due work did not succeed')
      return RETRY_MS
    }
  }

  async #waitFor(woken: Promise<void>, ms: number): Promise<void> {
    const done = new AbortController()
    await Promise.race([woken, this.#options.clock.sleep(ms, done.signal).catch(() => {})]) // aborted: it was woken
    done.abort()
  }

  /** Waits for what runs, abandons what does not end, gives the lease back: its keys are free at once. */
  async #finish(lease: ProcessLease, passes: AbortController): Promise<void> {
    const { clock, log } = this.#options
    if (!lease.lost.aborted) {
      const patience = new AbortController()
      await Promise.race([Promise.all(this.#running), clock.sleep(SHUTDOWN_PATIENCE_MS, patience.signal).catch(() => {})]) // aborted: all ended
      patience.abort()
    }
    passes.abort(new Error('the worker stops'))
    const patience = new AbortController()
    await Promise.race([Promise.all(this.#running), clock.sleep(1_000, patience.signal).catch(() => {})]) // aborted: all ended
    patience.abort()
    if (this.#running.size > 0) log.warn({ passes: this.#running.size }, 'Abandoning passes that do not stop')
    await lease.release().catch((error: unknown) => log.warn({ error }, 'Giving the lease back did not succeed; it lapses'))
  }
}
