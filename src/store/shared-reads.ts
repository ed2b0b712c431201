import type { Listing } from '#ports/store.ts'

/** What a query found, and the state of the database in which it looked: equal texts stand for equal data. */
export interface Seen<T> {
  readonly state: string
  readonly found: T
}

interface Reads {
  running: Promise<unknown>
  next: Promise<unknown> | undefined
}

/** Items and listings that are kept at most, all together. */
const MOST_KEPT = 2_000

/**
 * Lets callers that ask the same share one query. Nobody is given the answer of a look that began before it asked, so whoever wrote (here or through another
 * process) and then reads sees what was written: those who come while a query runs share the one after it, and what was found before is given again only after
 * a look, begun since, at the state of the database, which all questions share.
 */
export class SharedReads {
  readonly #state: () => Promise<string>
  readonly #reads = new Map<string, Reads>()
  readonly #kept = new Map<string, Seen<Listing<unknown>>>()
  #weight = 0

  /** `state`: of the database now. */
  constructor(state: () => Promise<string>) {
    this.#state = state
  }

  async list<Item>(question: string, read: () => Promise<Seen<Listing<Item>>>): Promise<Listing<Item>> {
    const kept = this.#kept.get(question)
    if (kept && kept.state === await this.#lookAtState()) return kept.found as Listing<Item>
    const seen = await this.#share(question, read)
    this.#keep(question, seen)
    return seen.found
  }

  #lookAtState(): Promise<string> {
    return this.#share('', this.#state)
  }

  #keep(question: string, seen: Seen<Listing<unknown>>): void {
    const before = this.#kept.get(question)
    if (before === seen) return
    if (before) this.#drop(question, before)
    this.#kept.set(question, seen)
    this.#weight += weightOf(seen)
    for (const [oldest, one] of this.#kept) {
      if (this.#weight <= MOST_KEPT) break
      this.#drop(oldest, one)
    }
  }

  #drop(question: string, seen: Seen<Listing<unknown>>): void {
    this.#kept.delete(question)
    this.#weight -= weightOf(seen)
  }

  #share<T>(question: string, read: () => Promise<T>): Promise<T> {
    const found = this.#reads.get(question)
    if (!found) return this.#begin(question, read)
    found.next ??= found.running.then(ignore, ignore).then(() => this.#begin(question, read))
    return found.next as Promise<T>
  }

  #begin<T>(question: string, read: () => Promise<T>): Promise<T> {
    const running = read()
    const reads: Reads = { running, next: undefined }
    this.#reads.set(question, reads)
    const end = () => {
      if (reads.next === undefined) this.#reads.delete(question)
    }
    running.then(end, end)
    return running
  }
}

function weightOf(seen: Seen<Listing<unknown>>): number {
  return 1 + seen.found.items.length
}

function ignore(): void {}
