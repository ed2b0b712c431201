import type { Clock } from '#ports/clock.ts'
import type { Log } from '#ports/log.ts'
import { LostWatch, type ProcessLease, type Queue } from '#ports/queue.ts'

/** A watch that this process owns at this epoch; what Queue's putSights and markWatch ask for. */
export interface OwnedWatch {
  readonly lease: ProcessLease
  readonly subject: string
  readonly epoch: number
}

export interface WatchHolder {
  readonly queue: Queue
  readonly lease: ProcessLease
  /** Real time; only slept on. */
  readonly clock: Clock
  readonly log: Log
}

/** How long a watch that another process has is left alone before it is asked for again. */
const ASK_AGAIN_MS = 5_000
const FIRST_PAUSE_MS = 500, LONGEST_PAUSE_MS = 30_000

/**
 * Takes a watch whenever nobody alive has it, and runs it; a run that ends or throws is begun anew after a pause that grows while runs fail at once.
 * Ends, with the watch given back, when the signal or the process's lease ends.
 */
export async function holdWatch({ queue, lease, clock, log }: WatchHolder, subject: string, run: (watch: OwnedWatch, signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
  const ends = AbortSignal.any([signal, lease.lost])
  let pause = FIRST_PAUSE_MS
  while (!ends.aborted) {
    try {
      const epoch = await queue.claimWatch(lease, subject)
      if (epoch !== undefined) {
        const begun = clock.now()
        try {
          await run({ lease, subject, epoch }, ends)
        } finally {
          pause = clock.now() - begun > LONGEST_PAUSE_MS ? FIRST_PAUSE_MS : Math.min(pause * 2, LONGEST_PAUSE_MS)
        }
      } else pause = ASK_AGAIN_MS
    } catch (error) {
      if (!ends.aborted && !(error instanceof LostWatch)) log.warn({ subject, error }, 'Watching broke off')
    }
    if (!ends.aborted) await clock.sleep(pause, ends).catch(() => undefined) // woken by the end, which the loop sees
  }
  if (!lease.lost.aborted) await queue.releaseWatch(lease, subject)
}
