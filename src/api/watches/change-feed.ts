import type { Log } from '#ports/log.ts'
import type { FollowFilter, Scope, StatusChange, Store } from '#ports/store.ts'
import { changeToWire } from '../actions/own-wire.ts'

/** What follows a position, as it is sent: the text of server-sent events, and from where to go on. */
export interface Followed {
  readonly text: string
  readonly upTo: number
  readonly region: number | undefined
  /** There may be more behind `upTo`. */
  readonly isFull: boolean
}

/** Rows of one look: what a watch holds in memory at most, besides what its socket does. */
const ROWS_AT_ONCE = 50
/** However many watch, their looks leave most of the store's connections to calls. */
const LOOKS_AT_ONCE = 2

type Look = PromiseWithResolvers<Followed> & { readonly ask: () => Promise<Followed> }

/**
 * The history as all watches of a process follow it. While somebody watches, and for some seconds more, it listens to the store, which tells when there is something new; each watch then looks behind its own position. Watches that stand at the
 * same one with the same filter, as most do that have seen everything, share a look and its text.
 */
export class ChangeFeed {
  readonly #store: Pick<Store, 'changesAfter' | 'listenToHistory'>
  readonly #log: Log
  readonly #listenOnMs: number
  #watches = 0
  #listening: AbortController | undefined
  #leaving: NodeJS.Timeout | undefined
  #closed = false
  #rings = 0
  /** Those who wait for the next ring. Each takes itself out: one promise for all would keep whoever has left until it rings, and a quiet region may not change for days. */
  readonly #waitingForRing = new Set<() => void>()
  /** Looks that have not begun: whoever asks now sees in them all that it was told of. */
  readonly #waiting = new Map<string, Look>()
  #looking = 0

  constructor(store: Pick<Store, 'changesAfter' | 'listenToHistory'>, log: Log, listenOnMs: number) {
    this.#store = store
    this.#log = log
    this.#listenOnMs = listenOnMs
  }

  /** Listens from the first watch on and until some seconds after the last one has left, which is what the answer is for. */
  join(): () => void {
    this.#watches += 1
    clearTimeout(this.#leaving)
    if (!this.#listening) {
      const listening = this.#listening = new AbortController()
      this.#store.listenToHistory(() => { this.#ring() }, listening.signal).catch((error: unknown) => {
        this.#log.error({ err: error }, 'Listening to the history ended unexpectedly')
        // The next watch has it listened to anew.
        if (this.#listening === listening) this.#listening = undefined
      })
    }
    return () => {
      this.#watches -= 1
      if (this.#watches > 0) return
      if (this.#closed) this.#listenNoMore()
      else this.#leaving = setTimeout(() => { this.#listenNoMore() }, this.#listenOnMs).unref()
    }
  }

  /** No watch begins any more, so nothing is listened for beyond those that are there. */
  close(): void {
    this.#closed = true
    if (this.#watches === 0) this.#listenNoMore()
  }

  #listenNoMore(): void {
    clearTimeout(this.#leaving)
    this.#listening?.abort()
    this.#listening = undefined
  }

  /** How often there may have been something new: whoever asks before looking, and then waits for more, misses none. */
  get rings(): number {
    return this.#rings
  }

  /** Resolves when it has rung more often than that, or is not waited for any more. */
  rungAfter(rings: number, ended: AbortSignal): Promise<void> {
    if (ended.aborted || this.#rings > rings) return Promise.resolve()
    return new Promise(resolve => {
      const settle = () => {
        ended.removeEventListener('abort', settle)
        this.#waitingForRing.delete(settle)
        resolve()
      }
      ended.addEventListener('abort', settle)
      this.#waitingForRing.add(settle)
    })
  }

  look(scope: Scope, filter: FollowFilter, after: number): Promise<Followed> {
    const name = JSON.stringify([scope, filter, after])
    const shared = this.#waiting.get(name)
    if (shared) return shared.promise
    const look = { ...Promise.withResolvers<Followed>(), ask: () => this.#ask(scope, filter, after) }
    this.#waiting.set(name, look)
    if (this.#looking < LOOKS_AT_ONCE) {
      this.#looking += 1
      // Those who were told in the same turn are still to join.
      setImmediate(() => { void this.#lookThrough() })
    }
    return look.promise
  }

  async #lookThrough(): Promise<void> {
    for (let next = this.#take(); next; next = this.#take()) await next.ask().then(next.resolve, next.reject)
    this.#looking -= 1
  }

  #take(): Look | undefined {
    const [first] = this.#waiting
    if (first) this.#waiting.delete(first[0])
    return first?.[1]
  }

  async #ask(scope: Scope, filter: FollowFilter, after: number): Promise<Followed> {
    const { changes, upTo, region } = await this.#store.changesAfter(scope, filter, after, ROWS_AT_ONCE)
    return { text: changes.map(eventOf).join(''), upTo, region, isFull: changes.length === ROWS_AT_ONCE }
  }

  #ring(): void {
    this.#rings += 1
    for (const settle of this.#waitingForRing) settle()
  }
}

/** JSON has no line breaks of its own, so it is one line of data. */
function eventOf(change: StatusChange): string {
  return `id: ${change.position}\nevent: status\ndata: ${JSON.stringify(changeToWire(change))}\n\n`
}
