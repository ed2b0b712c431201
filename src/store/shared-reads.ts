interface Reads {
  running: Promise<unknown>
  next: Promise<unknown> | undefined
}

/**
 * Lets callers that ask the same at the same time share one query. Nobody is given the answer of a query that began before it asked, so whoever wrote and
 * then reads sees what it wrote: those who come while a query runs share the one after it.
 */
export class SharedReads {
  readonly #reads = new Map<string, Reads>()

  share<T>(question: string, read: () => Promise<T>): Promise<T> {
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

function ignore(): void {}
