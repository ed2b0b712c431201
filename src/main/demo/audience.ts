import type { EventEmitter } from 'node:events'
import type { Writable } from 'node:stream'
import { whenOutputEnds } from '#client/outputs.ts'

/** The exit codes that a shell gives a program which these ended. */
const ENDED_BY = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const

export interface Hearing { readonly output: Writable; readonly errors: Writable; readonly signals: EventEmitter }

const ITS_PROCESS: Hearing = { output: process.stdout, errors: process.stderr, signals: process }

/** To whom a demo is told. They may leave before its end: by closing its output, as `| head` does, or by Ctrl-C. What was made has to go then, too. */
export class Audience {
  readonly #hearing: Hearing
  readonly #left = new AbortController()
  #code = 0

  constructor(hearing: Hearing = ITS_PROCESS) {
    this.#hearing = hearing
    whenOutputEnds([hearing.output, hearing.errors], {
      left: () => { this.#left.abort(new Error('Nobody reads what is told')) },
      failed(error) { throw error },
    })
    for (const signal of Object.keys(ENDED_BY)) hearing.signals.on(signal, this.#interrupted)
  }

  /** Aborted when nobody wants to hear more. */
  get left(): AbortSignal {
    return this.#left.signal
  }

  /** Of the process: a closed output is nobody's fault. */
  get code(): number {
    return this.#code
  }

  readonly tell = (text: string): void => {
    if (!this.#hearing.output.destroyed) this.#hearing.output.write(`${text}\n`)
  }

  readonly #interrupted = (signal: keyof typeof ENDED_BY): void => {
    // The next one ends the process at once, as a person who asks twice wants it.
    for (const each of Object.keys(ENDED_BY)) this.#hearing.signals.off(each, this.#interrupted)
    this.#code = ENDED_BY[signal]
    this.#left.abort(new Error('The demo was interrupted'))
  }
}
