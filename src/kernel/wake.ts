/** A bell that many ring and one hears: whoever asks for the next ring before looking misses none. */
export class Wake {
  #ring: PromiseWithResolvers<void> = Promise.withResolvers()

  call(): void {
    this.#ring.resolve()
    this.#ring = Promise.withResolvers()
  }

  next(): Promise<void> {
    return this.#ring.promise
  }
}
