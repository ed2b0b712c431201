import type { Clock } from '#ports/clock.ts'
import { Wake } from './wake.ts'

/** Lets the region go on while a call waits for that. */
type Meanwhile = <Answer>(wait: () => Promise<Answer>) => Promise<Answer>

/** Backstop: a region whose own work does not come to an end, as where the database is away, keeps no call waiting for longer. */
const PATIENCE_MS = 20_000

/**
 * Whose turn it is in a region whose time stands still: that of its own work, or of calls, of which many may have theirs at once. So what a call sets off begins when it has done all that it does: if its own
 * work began behind the first of several effects, it would depend on real time which of them it meets.
 */
export class Turns {
  readonly #realClock: Clock
  #calls = 0
  #isWorking = false
  readonly #workEnded = new Wake()
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

  /** The next time that no call has its turn any more. */
  callsEnded(): Promise<void> {
    return this.#callsEnded.next()
  }

  /** The region's own; it asks whether there are calls before. */
  async work<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    this.#isWorking = true
    try {
      return await work()
    } finally {
      this.#isWorking = false
      this.#workEnded.call()
    }
  }

  async #begin(): Promise<void> {
    if (this.#isWorking) await this.#untilWorkEnded()
    this.#calls++
  }

  async #untilWorkEnded(): Promise<void> {
    const patience = new AbortController()
    const over = this.#realClock.sleep(PATIENCE_MS, patience.signal).then(() => true, () => true)
    // The next turn of its own may begin before this goes on.
    while (this.#isWorking && !await Promise.race([this.#workEnded.next().then(() => false), over]));
    patience.abort()
  }

  #end(): void {
    this.#calls--
    if (this.#calls === 0) this.#callsEnded.call()
  }
}
