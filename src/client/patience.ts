import { NoAnswer } from './errors.ts'
import { isPassing } from './passing.ts'
import { realTime, type WaitingTime } from './waiting-time.ts'

/** A server that was killed is started again by somebody, or another one takes its place. */
const PATIENCE_MS = 90_000
const PAUSE_MS = 500

export interface PatienceOptions {
  /** Whoever waits is told once that it takes longer, and how long at most. */
  readonly tell: (text: string) => void
  readonly time?: WaitingTime
}

export interface Asking {
  /** What takes so long by itself is waited for no further; what is lost time and again not much longer than that. */
  readonly longestMs?: number
  /** Whoever listened has left, and nothing is asked any more. */
  readonly left?: AbortSignal | undefined
}

/**
 * For calls that may be sent again without being done twice: where a server is gone before it answers, or opens a region anew, they are sent again until an answer comes, for a minute and a half at most. Where
 * none came, all that is asked afterwards fails at once, until something is answered.
 */
export class Patience {
  readonly #tell: (text: string) => void
  readonly #time: WaitingTime
  #lostAt: number | undefined
  #isOver = false

  constructor({ tell, time = realTime }: PatienceOptions) {
    this.#tell = tell
    this.#time = time
  }

  async ask<Answer>(call: () => Promise<Answer>, { longestMs = PATIENCE_MS, left }: Asking = {}): Promise<Answer> {
    const begunAt = this.#time.now()
    for (;;) {
      left?.throwIfAborted()
      const askedAt = this.#time.now()
      try {
        const answer = await call()
        this.#answered()
        return answer
      } catch (error) {
        if (!isPassing(error)) {
          this.#answered()
          throw error
        }
        const now = this.#time.now()
        this.#isOver ||= now - this.#noteLost(error, askedAt, now) >= PATIENCE_MS || now - askedAt >= longestMs || now - begunAt >= longestMs + PATIENCE_MS
        if (this.#isOver) throw error
      }
      await this.#time.sleep(PAUSE_MS)
    }
  }

  #answered(): void {
    this.#lostAt = undefined
    this.#isOver = false
  }

  /** Answers since when nothing was answered. */
  #noteLost(error: unknown, askedAt: number, now: number): number {
    if (this.#lostAt === undefined) this.#tell(`The server ${error instanceof NoAnswer ? 'gives no answer' : 'refuses the call'} for now; what was asked is sent again for up to ${Math.round(PATIENCE_MS / 1_000)} s.`)
    // One that was lost after so long was there in between: the time begins anew.
    if (this.#lostAt === undefined || (error instanceof NoAnswer && now - askedAt > PATIENCE_MS / 10)) this.#lostAt = now
    return this.#lostAt
  }
}
