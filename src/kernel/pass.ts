import type { Clock } from '#ports/clock.ts'
import type { Controller } from '#ports/controller.ts'
import type { Log } from '#ports/log.ts'
import type { ClaimedWork, ProcessLease, Queue } from '#ports/queue.ts'
import { backOffMs } from './back-off.ts'
import type { WorkerMeter } from './meter.ts'

export interface PassParts {
  readonly queue: Queue
  readonly clock: Clock
  readonly log: Log
  readonly meter: WorkerMeter
  readonly controllers: ReadonlyMap<string, Controller>
}

const WRITE_AGAIN_MS = 100
const LONGEST_WRITE_AGAIN_MS = 1_000

/** Before every region's time. */
const AT_ONCE = 0

/**
 * One run of one key, from its claim to its end. A record that was written by somebody else meanwhile ends the pass quietly and the key runs again at once; any
 * other error is logged here, once, and tried again with back-off. What was aborted is left as it is: its key is free when the lease is given back.
 */
export async function runPass(parts: PassParts, lease: ProcessLease, work: ClaimedWork, signal: AbortSignal): Promise<void> {
  const { queue, clock, log, meter } = parts
  const startedAt = clock.now()
  const end = (outcome: Parameters<WorkerMeter['passEnded']>[1]) => meter.passEnded(work.kind, outcome, clock.now() - startedAt)
  const controller = parts.controllers.get(work.kind)
  try {
    if (!controller) throw new Error(`Nobody here works on ${work.kind}`)
    const { lookAgainAt } = await controller.reconcile(work.id, signal)
    await untilWritten(() => queue.complete(lease, work, lookAgainAt))
    end('done')
  } catch (error) {
    if (signal.aborted) return end('abandoned')
    if (kindOf(error) === 'StaleRevision') {
      await untilWritten(() => queue.complete(lease, work, AT_ONCE))
      return end('stale')
    }
    const waitMs = backOffMs(work.failures + 1, Math.random())
    const level = kindOf(error) === 'StoreUnavailable' ? 'warn' : 'error'
    log[level]({ kind: work.kind, id: work.id, failures: work.failures + 1, waitMs, error }, 'Pass did not succeed')
    await untilWritten(() => queue.fail(lease, work, clock.now() + waitMs, messageOf(error)))
    end('failed')
  }

  /** A run whose end cannot be written would stay ours, and run nowhere, for as long as we live: the database is asked until it answers, or the lease is gone. */
  async function untilWritten(write: () => Promise<void>): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await write()
      } catch (error) {
        if (kindOf(error) !== 'StoreUnavailable' || signal.aborted) throw error
        await clock.sleep(Math.min(attempt * WRITE_AGAIN_MS, LONGEST_WRITE_AGAIN_MS), signal).catch(() => {}) // aborted: the next failure is the last
      }
    }
  }
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
