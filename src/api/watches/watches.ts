import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { refuse } from '#model/errors/catalogue.ts'
import type { Clock } from '#ports/clock.ts'
import type { Log } from '#ports/log.ts'
import type { Store } from '#ports/store.ts'
import type { ApiSettings } from '../settings.ts'
import { ChangeFeed, type Followed } from './change-feed.ts'
import type { WatchedChanges } from './watched-changes.ts'

/** No answer follows on the connection of one that never ends by itself. */
const HEADERS: OutgoingHttpHeaders = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', connection: 'close' }
/** Between two looks of a watch, so that a busy fleet is told in few of them. */
const PACE_MS = 20
/** Between two looks while the store is away. */
const AWAY_MS = 1_000

/** The streams that are open: each ends with its reader, with its region and with the server. */
export class Watches {
  readonly #feed: ChangeFeed
  readonly #settings: ApiSettings['watches']
  readonly #log: Log
  readonly #realTime: Pick<Clock, 'sleep'>
  readonly #open = new Set<AbortController>()
  #closing = false

  constructor(store: Pick<Store, 'changesAfter' | 'listenToHistory'>, settings: ApiSettings['watches'], log: Log, realTime: Pick<Clock, 'sleep'>) {
    this.#feed = new ChangeFeed(store, log, settings.listenOnMs)
    this.#settings = settings
    this.#log = log
    this.#realTime = realTime
  }

  /** Streams changes to a response until it ends. Throws the refusal where there is no room. */
  stream(changes: WatchedChanges, response: ServerResponse): void {
    const ended = this.#enter(response)
    if (!ended) return
    response.writeHead(200, HEADERS)
    // What is not read is not added to.
    const beat = setInterval(() => { if (!response.writableNeedDrain) response.write(':\n\n') }, this.#settings.commentMs)
    const leave = this.#feed.join()
    this.#pour(changes, response, ended).catch((error: unknown) => {
      this.#log.error({ err: error }, 'A watch ended unexpectedly')
      response.destroy()
    }).finally(() => {
      clearInterval(beat)
      leave()
    })
  }

  /** Hands on a stream of another server. */
  relay(from: IncomingMessage, headers: OutgoingHttpHeaders, response: ServerResponse): void {
    let ended: AbortSignal | undefined
    try {
      ended = this.#enter(response)
    } finally {
      if (!ended) from.destroy()
    }
    if (!ended) return
    response.writeHead(200, { ...headers, connection: 'close' })
    from.once('error', () => response.destroy()) // cut off there is cut off here
    from.once('close', () => { if (!from.complete) response.destroy() })
    from.pipe(response)
    ended.addEventListener('abort', () => {
      from.unpipe(response).destroy()
      finish(response)
    }, { once: true })
  }

  /** All end, and none begins. */
  close(): void {
    this.#closing = true
    for (const ended of this.#open) ended.abort()
    this.#feed.close()
  }

  /** What ends it; undefined where its reader has left while its call was held. */
  #enter(response: ServerResponse): AbortSignal | undefined {
    if (response.destroyed) return undefined
    if (this.#closing) refuse('ServiceUnavailable', { why: 'this server is about to end' })
    if (this.#open.size >= this.#settings.most) refuse('ServiceUnavailable', { why: `${this.#settings.most} watches are open at this server, which is as many as it takes` })
    const ended = new AbortController()
    this.#open.add(ended)
    response.once('close', () => {
      this.#open.delete(ended)
      ended.abort()
    })
    return ended.signal
  }

  /** One part after the other, each when the one before is read: a reader that is slow is told from the store when it comes to that, and nothing piles up for it. */
  async #pour(changes: WatchedChanges, response: ServerResponse, ended: AbortSignal): Promise<void> {
    for await (const text of this.#texts(changes, ended)) {
      if (response.write(text) || await isRead(response, this.#settings.readWithinMs, ended)) continue
      response.destroy()
      return
    }
    finish(response)
  }

  async *#texts({ scope, filter, after: begun, region }: WatchedChanges, ended: AbortSignal): AsyncGenerator<string> {
    // The position alone, without data, is no event: whoever is cut off before the first one goes on from there.
    yield `: changes behind ${begun}\nid: ${begun}\n\n`
    for (let after = begun; !ended.aborted;) {
      const { rings } = this.#feed
      const found = await this.#feed.look(scope, filter, after).catch(whileAway)
      if (found === undefined) {
        await this.#unless(ended, AWAY_MS)
        continue
      }
      if (found.region !== region) return
      after = found.upTo
      if (found.text !== '') yield found.text
      if (found.isFull) continue
      await this.#unless(ended, PACE_MS)
      await this.#feed.rungAfter(rings, ended)
    }
  }

  async #unless(ended: AbortSignal, ms: number): Promise<void> {
    await this.#realTime.sleep(ms, ended).catch(() => {}) // aborted: whoever waits sees it
  }
}

/** What was given to it goes out; of who does not read it, nothing is waited for. */
function finish(response: ServerResponse): void {
  if (response.writableNeedDrain) response.destroy()
  else response.end()
}

/** Resolves when the reader has room again, or when nothing is sent any more; false when that takes too long. */
function isRead(response: ServerResponse, withinMs: number, ended: AbortSignal): Promise<boolean> {
  return new Promise(resolve => {
    const settle = (read: boolean) => () => {
      clearTimeout(patience)
      response.off('drain', onDrain)
      ended.removeEventListener('abort', onDrain)
      resolve(read)
    }
    const onDrain = settle(true), patience = setTimeout(settle(false), withinMs)
    response.once('drain', onDrain)
    ended.addEventListener('abort', onDrain, { once: true })
    if (ended.aborted) onDrain()
  })
}

/** The database comes back, and the reader need not know. */
function whileAway(error: unknown): Followed | undefined {
  if (error instanceof Error && 'kind' in error && error.kind === 'StoreUnavailable') return undefined
  throw error
}
