import type { Clock } from '#ports/clock.ts'
import type { Log } from '#ports/log.ts'

export interface WatchEachOptions<Subject extends { readonly id: string }> {
  /** What is to be watched now. */
  readonly wanted: () => Promise<readonly Subject[]>
  /** Watches one until aborted. */
  readonly watch: (subject: Subject, signal: AbortSignal) => Promise<void>
  /** Real time; only slept on. */
  readonly clock: Clock
  readonly log: Log
  /** For log lines, e.g. `nodes`. */
  readonly what: string
}

export interface Watches {
  /** Looks now what is to be watched; for whoever knows that something was made or goes. */
  look(): void
  readonly done: Promise<void>
}

/** Backstop for subjects that another process began or ended. */
const LOOK_EVERY_MS = 10_000

/** Keeps one watch going for each subject there is, begins and ends them as subjects come and go; ends with all of them when aborted. */
export function watchEach<Subject extends { readonly id: string }>(options: WatchEachOptions<Subject>, signal: AbortSignal): Watches {
  const { wanted, watch, clock, log, what } = options
  const running = new Map<string, { stop: AbortController; done: Promise<void> }>()
  let wake = new AbortController()

  const lookOnce = async (): Promise<void> => {
    const subjects = await wanted()
    const ids = new Set(subjects.map(subject => subject.id))
    for (const [id, { stop }] of running) if (!ids.has(id)) stop.abort()
    for (const subject of subjects) {
      if (running.has(subject.id)) continue
      const stop = new AbortController()
      const done = watch(subject, AbortSignal.any([signal, stop.signal]))
        .catch(error => log.error({ id: subject.id, what, error }, 'Ending a watch did not succeed'))
        .finally(() => running.delete(subject.id))
      running.set(subject.id, { stop, done })
    }
  }

  const loop = async (): Promise<void> => {
    while (!signal.aborted) {
      const woken = wake.signal
      try {
        await lookOnce()
      } catch (error) {
        log.warn({ what, error }, 'Looking for what is to be watched did not succeed')
      }
      await clock.sleep(LOOK_EVERY_MS, AbortSignal.any([signal, woken])).catch(() => undefined) // woken: looks at once
    }
    await Promise.all([...running.values()].map(({ done }) => done))
  }

  return {
    look() {
      wake.abort()
      wake = new AbortController()
    },
    done: loop(),
  }
}
