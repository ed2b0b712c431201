import { isPassing } from '#client/passing.ts'

/** A server that was killed is started again by somebody, or another one takes its place. */
const PATIENCE_MS = 90_000
const PAUSE_MS = 500

/** Asks a server again that gives no answer, for a minute and a half; where one never comes, everything that is asked afterwards fails at once. For calls that may be sent again. */
export class Patience {
  readonly #tell: (text: string) => void
  readonly #patienceMs: number
  #silentSince: number | undefined

  constructor(tell: (text: string) => void, patienceMs = PATIENCE_MS) {
    this.#tell = tell
    this.#patienceMs = patienceMs
  }

  async ask<Answer>(call: () => Promise<Answer>, left?: AbortSignal): Promise<Answer> {
    for (;;) {
      left?.throwIfAborted()
      try {
        const answer = await call()
        this.#silentSince = undefined
        return answer
      } catch (error) {
        if (!isPassing(error)) throw error
        if (this.#silentSince === undefined) {
          this.#silentSince = performance.now()
          this.#tell('The server gives no answer for now; it is asked again until it does.')
        }
        if (performance.now() - this.#silentSince >= this.#patienceMs) throw error
        await new Promise(resolve => setTimeout(resolve, Math.min(PAUSE_MS, this.#patienceMs)))
      }
    }
  }
}
