import { randomUUID } from 'node:crypto'
import type { Notification } from 'pg'

import type { Clock } from '#ports/clock.ts'
import type { Log } from '#ports/log.ts'
import type { Database } from '../connection/database.ts'

/** NOTIFY inside the writing transactions would serialise their commits; so each process sends one for all of the last few milliseconds, outside of them. */
interface Channel { readonly name: string; readonly coalesceMs: number }
const WORK: Channel = { name: 'edgehold_work', coalesceMs: 5 }
/** Rows of the history got positions. Whoever follows it is a person or a program of a user: what comes together is told together. */
export const HISTORY: Channel = { name: 'edgehold_history', coalesceMs: 20 }
const RECONNECT_MS = 250

type OnWork = (regions?: readonly string[]) => void

/** Tells the processes that something was enqueued, or something else of a channel. Lost calls are made good by a slow poll: the workers', and the sequencer's. */
export class WakeUps {
  readonly #database: Database
  readonly #clock: Clock
  readonly #log: Log
  readonly #channel: Channel
  readonly #listeners = new Set<OnWork>()
  /** Ours are told at once, and need not hear from the database what they know. */
  readonly #self = randomUUID()
  #sending = false
  #closed = false

  constructor(database: Database, clock: Clock, log: Log, channel = WORK) {
    this.#database = database
    this.#clock = clock
    this.#log = log
    this.#channel = channel
  }

  /** After a commit that enqueued, in these regions if they are known. Our own listeners are called at once; other processes within some milliseconds. */
  announce(regions?: readonly string[]): void {
    this.tell(regions)
    if (this.#sending || this.#closed) return
    this.#sending = true
    this.#send().catch((error: unknown) => this.#log.debug({ error }, 'Waking other processes did not succeed'))
  }

  /** Our own listeners alone. */
  tell(regions?: readonly string[]): void {
    for (const listener of this.#listeners) listener(regions)
  }

  /** Resolves when aborted. Reconnects by itself; after each connect it calls back once, since something may have been missed. */
  async listen(onWork: OnWork, signal: AbortSignal): Promise<void> {
    this.#listeners.add(onWork)
    try {
      while (!signal.aborted) {
        await this.#listenOnce(onWork, signal).catch((error: unknown) => this.#log.debug({ error }, 'Listening to other processes was interrupted'))
        await this.#clock.sleep(RECONNECT_MS, signal).catch(() => {}) // aborted: the loop ends
      }
    } finally {
      this.#listeners.delete(onWork)
    }
  }

  close(): void {
    this.#closed = true
  }

  async #send(): Promise<void> {
    try {
      await this.#clock.sleep(this.#channel.coalesceMs)
    } finally {
      this.#sending = false
    }
    if (!this.#closed) await this.#database.query(`notify ${this.#channel.name}, '${this.#self}'`)
  }

  async #listenOnce(onWork: OnWork, signal: AbortSignal): Promise<void> {
    const client = await this.#database.dedicated()
    const { promise: ended, resolve } = Promise.withResolvers<void>()
    client.once('end', resolve)
    client.on('notification', ({ payload }: Notification) => {
      if (payload !== this.#self) onWork()
    })
    signal.addEventListener('abort', () => resolve(), { once: true })
    try {
      await client.query(`listen ${this.#channel.name}`)
      onWork()
      if (!signal.aborted) await ended
    } finally {
      await client.end().catch(() => {}) // it broke by itself
    }
    if (!signal.aborted) this.#database.connect().catch((error: unknown) => this.#log.debug({ error }, 'Looking for the database did not succeed'))
  }
}
