import type { Clock } from '#ports/clock.ts'
import { Wake } from './wake.ts'

/** Lets the other side go on while this one waits for that. */
export type Meanwhile = <Answer>(wait: () => Promise<Answer>) => Promise<Answer>

/** While calls have their turn, the region's own work waits so long as `waits` says so; it is asked again whenever `news` resolves. */
export interface Patience {
  waits(): boolean
  news(): Promise<unknown>
}

/** Backstop: a region whose own work does not come to an end keeps no call waiting for longer. */
const PATIENCE_MS = 20_000

/**
 * Whose turn it is in a region whose time stands still: that of its own work, or of calls, of which many may have theirs at once. So what a call sets off begins when it has done all that it does: if its own
 * work began behind the first of several effects, it would depend on real time which of them it meets. Neither side keeps the other from its turn: calls that wait go before the next turn of the work, and those that
 * come while the work waits go behind it.
 */
export class Turns {
  readonly #realClock: Clock
  #calls = 0
  #isWorking = false
  /** The work waits for calls to end. */
  #isWanted = false
  /** Begin the calls that wait, in the order in which they came. */
  readonly #waiting = new Set<() => void>()
  readonly #callsEnded = new Wake()

  constructor(realClock: Clock) {
    this.#realClock = realClock
  }

  async call<Answer>(work: (meanwhile: Meanwhile) => Promise<Answer>): Promise<Answer> {
    await this.#begin()
    try {
      return await work(async wait => {
        this.#end()
        try {
          return await wait()
        } finally {
          await this.#begin()
        }
      })
    } finally {
      this.#end()
    }
  }

  get hasCalls(): boolean {
    return this.#calls > 0
  }

  /** Calls wait for the work to end. */
  get isAwaited(): boolean {
    return this.#waiting.size > 0
  }

  /** The region's own, behind the calls that have their turn. */
  async work<Answer>(work: (meanwhile: Meanwhile) => Promise<Answer>, patience?: Patience): Promise<Answer> {
    await this.#beginWork(patience)
    try {
      return await work(async wait => {
        this.#endWork()
        try {
          return await wait()
        } finally {
          await this.#beginWork(patience)
        }
      })
    } finally {
      this.#endWork()
    }
  }

  async #beginWork(patience?: Patience): Promise<void> {
    this.#isWanted = true
    while (this.hasCalls && (patience?.waits() ?? true)) await Promise.race([this.#callsEnded.next(), ...patience ? [patience.news()] : []])
    this.#isWanted = false
    this.#isWorking = true
  }

  /** Those who waited have their turn from this moment on, before any further work. */
  #endWork(): void {
    this.#isWorking = false
    for (const begin of this.#waiting) this.#admit(begin)
  }

  async #begin(): Promise<void> {
    if (!this.#isWorking && !this.#isWanted) {
      this.#calls++
      return
    }
    const { promise, resolve: begin } = Promise.withResolvers<void>()
    this.#waiting.add(begin)
    const patience = new AbortController()
    this.#realClock.sleep(PATIENCE_MS, patience.signal).then(() => { this.#admit(begin) }, () => undefined) // aborted: it has begun
    await promise
    patience.abort()
  }

  #admit(begin: () => void): void {
    if (!this.#waiting.delete(begin)) return
    this.#calls++
    begin()
  }

  #end(): void {
    this.#calls--
    if (this.#calls === 0) this.#callsEnded.call()
  }
}
