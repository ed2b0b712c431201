import type { EventEmitter } from 'node:events'
import type { Writable } from 'node:stream'
import { whenOutputEnds } from '#client/outputs.ts'

/** The exit codes that a shell gives a program which these ended. */
const ENDED_BY = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const

export interface Hearing { readonly output: Writable; readonly errors: Writable; readonly signals: EventEmitter }

const ITS_PROCESS: Hearing = { output: process.stdout, errors: process.stderr, signals: process }

/** To whom a demo is told. They may leave before its end: by closing its output, as `| head` does, by Ctrl-C, or as what they write it to is full. What was made has to go then, too. */
export class Audience {
  readonly #hearing: Hearing
  readonly #left = new AbortController()
  #code = 0
  /** Where it is told: once the output has failed, where errors are. */
  #told: Writable

  constructor(hearing: Hearing = ITS_PROCESS) {
    this.#hearing = hearing
    this.#told = hearing.output
    for (const [stream, other] of [[hearing.output, hearing.errors], [hearing.errors, hearing.output]] as const) {
      whenOutputEnds([stream], { left: () => { this.#leave() }, failed: error => { this.#failed(error, other) } })
    }
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
    if (!this.#told.destroyed) this.#told.write(`${text}\n`)
  }

  /** Answers the code once all that was told is written, or cannot be. */
  async end(): Promise<number> {
    // What a write ends with is told a little later than the write itself.
    if (!this.#told.destroyed) await new Promise<void>(resolve => { this.#told.write('', () => resolve()) })
    return this.#code
  }

  #failed(error: Error, other: Writable): void {
    if (!this.#left.signal.aborted) {
      this.#code = 1
      this.#told = other
      this.tell(`edgehold: What is told cannot be written (${'code' in error ? String(error.code) : error.message}), so the demo ends.`)
    }
    this.#leave()
  }

  #leave(): void {
    this.#left.abort(new Error('Nobody reads what is told'))
  }

  readonly #interrupted = (signal: keyof typeof ENDED_BY): void => {
    // The next one ends the process at once, as a person who asks twice wants it.
    for (const each of Object.keys(ENDED_BY)) this.#hearing.signals.off(each, this.#interrupted)
    this.#code ||= ENDED_BY[signal]
    this.#left.abort(new Error('The demo was interrupted'))
  }
}
