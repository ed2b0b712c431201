import type { Clock } from '#ports/clock.ts'

/** So many calls under way are a load under which each is served sooner by sharing. */
const MANY = 8
/** How long a call waits for others to come along. */
const WAIT_MS = 10

/**
 * Lets calls of a busy region begin together: what they look for and write in one turn of the event loop is one look and one write, and each statement that is not sent leaves time for all of them. While
 * few are under way each begins at once, so nobody waits who is alone.
 */
export class Meeting {
  readonly #realTime: Pick<Clock, 'sleep'>
  #underWay = 0
  #waiting: (() => void)[] = []

  constructor(realTime: Pick<Clock, 'sleep'>) {
    this.#realTime = realTime
  }

  async join<Answer>(call: () => Promise<Answer>): Promise<Answer> {
    // Nobody begins before one who came first and still waits.
    if (this.#underWay >= MANY || this.#waiting.length > 0) await this.#withOthers()
    this.#underWay++
    try {
      return await call()
    } finally {
      this.#underWay--
    }
  }

  #withOthers(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    if (this.#waiting.push(resolve) === 1) void this.#realTime.sleep(WAIT_MS).then(() => { for (const begin of this.#waiting.splice(0)) begin() })
    return promise
  }
}
