import type { Clock } from '#ports/clock.ts'
import type { Log } from '#ports/log.ts'
import type { ProcessLease, Queue } from '#ports/queue.ts'
import { backOffMs } from './back-off.ts'

/** A watch that this process holds now; `Queue.putSights` and `markWatch` take it as it is. */
export interface HeldWatch {
  readonly lease: ProcessLease
  readonly subject: string
  readonly epoch: number
}

export interface WatchingOptions {
  readonly queue: Queue
  readonly clock: Clock
  readonly log: Log
  /** The lease of the moment, e.g. `Worker.lease`. */
  readonly lease: () => ProcessLease | undefined
  readonly subject: string
  /** Watches until aborted. Ending or throwing earlier is an interruption: it is begun anew after a pause, under the same epoch while the lease lives. */
  readonly watch: (held: HeldWatch, signal: AbortSignal) => Promise<void>
}

/** How often a process that does not hold a watch asks whether its owner still lives: with the lease's three and a half seconds, a dead owner is replaced within five. */
const ASK_MS = 1_500

/**
 * Keeps one watch of a subject going in exactly one living process: all that serve it call this, one claims it, and the others take over when its lease has
 * lapsed. Resolves when aborted, having given the watch back.
 */
export async function keepWatching(options: WatchingOptions, signal: AbortSignal): Promise<void> {
  const { queue, clock, log, subject } = options
  let failures = 0
  while (!signal.aborted) {
    try {
      const lease = options.lease()
      const epoch = lease && !lease.lost.aborted ? await queue.claimWatch(lease, subject) : undefined
      if (lease && epoch !== undefined) {
        const startedAt = clock.now()
        await watchOnce(options, { lease, subject, epoch }, AbortSignal.any([signal, lease.lost]))
        failures = clock.now() - startedAt > 60_000 ? 1 : failures + 1
      }
    } catch (error) {
      failures += 1
      if (!signal.aborted) log.warn({ error, subject, failures }, 'Watch was interrupted')
    }
    await clock.sleep(failures > 0 ? Math.min(backOffMs(failures, Math.random()), 10_000) : ASK_MS, signal).catch(() => {}) // aborted: the loop ends
  }
}

async function watchOnce(options: WatchingOptions, held: HeldWatch, signal: AbortSignal): Promise<void> {
  try {
    await options.watch(held, signal)
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    if (signal.aborted && !held.lease.lost.aborted) await options.queue.releaseWatch(held.lease, held.subject)
  }
}
