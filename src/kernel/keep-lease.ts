import type { Clock } from '#ports/clock.ts'
import type { Log } from '#ports/log.ts'
import type { ProcessLease, Queue } from '#ports/queue.ts'

export interface KeepLeaseOptions {
  readonly queue: Pick<Queue, 'register'>
  /** Real time; only slept on. */
  readonly clock: Clock
  readonly log: Log
  /** Unique among living processes. */
  readonly name: string
  readonly ttlMs?: number
}

export interface KeptLease {
  /** The lease of the moment; undefined while there is none. */
  lease(): ProcessLease | undefined
  /** Gives the lease back and takes a new one: what it is in doubt whether it holds is nobody's then. */
  renew(): void
  /** Gives it back for good; call it when nothing runs under it any more. */
  stop(): Promise<void>
}

const AGAIN_MS = 500

/** Keeps a lease for those in a process who hold watches without a worker of their own; a lost one is replaced. Resolves when there is a first one, or none could be had at once. */
export async function keepLease({ queue, clock, log, name, ttlMs = 3_500 }: KeepLeaseOptions): Promise<KeptLease> {
  const stopping = new AbortController()
  let current: ProcessLease | undefined
  let doubt = new AbortController()
  const first = Promise.withResolvers<void>()

  const keep = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        doubt = new AbortController()
        const lease = current = await queue.register({ name, hosts: [], ttlMs })
        first.resolve()
        await ended(AbortSignal.any([lease.lost, doubt.signal, stopping.signal]))
        current = undefined
        await lease.release()
      } catch (error) {
        current = undefined
        first.resolve()
        log.warn({ error, name }, 'Keeping a lease was interrupted')
        await clock.sleep(AGAIN_MS, stopping.signal).catch(() => undefined) // aborted: the loop ends
      }
    }
  }
  const kept = keep()
  await first.promise
  return {
    lease: () => current,
    renew: () => doubt.abort(),
    stop: async () => {
      stopping.abort()
      await kept
    },
  }
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
