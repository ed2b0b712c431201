import { StoreUnavailable, type Store, type Transaction } from '#ports/store.ts'

/** A write that waits for its transaction. */
export interface Write {
  readonly now: number
  readonly work: (tx: Transaction) => Promise<unknown>
  readonly done: (answer: unknown) => void
  readonly failed: (error: unknown) => void
}

export interface TogetherParts<Item extends Write> {
  readonly store: Pick<Store, 'write'>
  /** Takes from those that wait, oldest first, what goes into one transaction: none only where all of them have to wait for those that are under way. */
  take(waiting: Item[], underWay: ReadonlySet<Item>): readonly Item[]
  /** Does the work of all of them in one transaction; each is answered what it is given for it. Throws SomeRejected where it knows which of them cannot be done. */
  answersOf(tx: Transaction, writes: readonly Item[]): Promise<ReadonlyMap<Item, unknown>>
  /** Ends when a transaction has been under way for so long that the next one begins beside it; absent: that waits for its end. */
  patience?(): Promise<unknown>
  /** Those that are each written by themselves are so side by side: none of them locks what another of them waits for while it holds something. */
  readonly sideBySide?: true
}

/** Of writes in one transaction these cannot be done, as one of them throws. */
export class SomeRejected<Item extends Write> extends Error {
  readonly rejected: ReadonlySet<Item>

  constructor(rejected: ReadonlySet<Item>, cause: unknown) {
    super('Some of the writes in a transaction cannot be done', { cause })
    this.rejected = rejected
  }
}

/**
 * Writes that come together while a transaction is under way go in the next one. Each writer is answered as if it were alone: those that cannot be done are written by themselves, and the others together once more; where it is not
 * known who is in the way, each by itself. Only a database that cannot be reached any more is so for all of them: what was sent to it may have been committed.
 */
export class Together<Item extends Write> {
  readonly #parts: TogetherParts<Item>
  readonly #waiting: Item[] = []
  /** Those that were taken and are not answered. */
  readonly #underWay = new Set<Item>()
  #isRunning = false

  constructor(parts: TogetherParts<Item>) {
    this.#parts = parts
  }

  add(write: Item): void {
    this.#waiting.push(write)
    this.#run()
  }

  #run(): void {
    if (this.#isRunning || this.#waiting.length === 0) return
    this.#isRunning = true
    // Those who come in the same turn of the event loop are still to join.
    setImmediate(() => {
      const taken = this.#parts.take(this.#waiting, this.#underWay)
      if (taken.length === 0) {
        this.#isRunning = false
        return
      }
      for (const write of taken) this.#underWay.add(write)
      const written = this.#write(taken)
      void Promise.race([written, ...this.#parts.patience ? [this.#parts.patience()] : []]).finally(() => {
        this.#isRunning = false
        this.#run()
      })
    })
  }

  async #write(writes: readonly Item[]): Promise<void> {
    if (writes.length < 2) return this.#alone(writes)
    try {
      const answers = await this.#parts.store.write(Math.max(...writes.map(({ now }) => now)), tx => this.#parts.answersOf(tx, writes))
      for (const write of writes) this.#end(write, () => { write.done(answers.get(write)) })
    } catch (error) {
      if (error instanceof StoreUnavailable) {
        for (const write of writes) this.#end(write, () => { write.failed(error) })
      } else if (error instanceof SomeRejected && error.rejected.size > 0) {
        const rejected = error.rejected as ReadonlySet<Item>
        await Promise.all([this.#alone(writes.filter(write => rejected.has(write))), this.#write(writes.filter(write => !rejected.has(write)))])
      } else {
        await this.#alone(writes)
      }
    }
  }

  /** Those that waited for it may be written now. */
  #end(write: Item, answer: () => void): void {
    this.#underWay.delete(write)
    answer()
    this.#run()
  }

  /** Whose fault it is, each hears from its own transaction. */
  async #alone(writes: readonly Item[]): Promise<void> {
    const write = async (item: Item): Promise<void> => {
      try {
        const answer = await this.#parts.store.write(item.now, item.work)
        this.#end(item, () => { item.done(answer) })
      } catch (error) {
        this.#end(item, () => { item.failed(error) })
      }
    }
    if (this.#parts.sideBySide) await Promise.all(writes.map(write))
    else for (const one of writes) await write(one)
  }
}
