import type { Clock } from '#ports/clock.ts'

interface Sleeper {
  readonly at: number
  readonly wake: () => void
}

/** Time that moves only when told to; sleepers wake in the order of their instants, each with the clock standing at its own. */
export class SteppedClock implements Clock {
  #now: number
  #sleepers: Sleeper[] = []

  constructor(start = Date.UTC(2026, 10, 25, 12)) {
    this.#now = start
  }

  now(): number {
    return this.#now
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    await new Promise<void>((resolve, reject) => {
      const sleeper = { at: this.#now + ms, wake: resolve }
      this.#sleepers.push(sleeper)
      signal?.addEventListener('abort', () => {
        this.#sleepers = this.#sleepers.filter(other => other !== sleeper)
        reject(signal.reason as Error)
      }, { once: true })
    })
  }

  /** The next instant at which a sleeper wakes. */
  nextWake(): number | undefined {
    return this.#sleepers.length === 0 ? undefined : Math.min(...this.#sleepers.map(sleeper => sleeper.at))
  }

  moveTo(instant: number): void {
    for (;;) {
      const [next] = this.#sleepers.filter(sleeper => sleeper.at <= instant).sort((one, other) => one.at - other.at)
      if (!next) break
      this.#sleepers = this.#sleepers.filter(other => other !== next)
      this.#now = Math.max(this.#now, next.at)
      next.wake()
    }
    this.#now = Math.max(this.#now, instant)
  }
}
