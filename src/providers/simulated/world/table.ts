/** The things of one kind. What is put must be a new object or a changed one: either way it is written. */
export class Table<Thing> {
  readonly kind: string
  readonly #things = new Map<string, Thing>()
  readonly #onChange: (kind: string, id: string, thing: Thing | undefined) => void

  constructor(kind: string, onChange: (kind: string, id: string, thing: Thing | undefined) => void) {
    this.kind = kind
    this.#onChange = onChange
  }

  get size(): number { return this.#things.size }
  get(id: string): Thing | undefined { return this.#things.get(id) }
  entries(): IterableIterator<[string, Thing]> { return this.#things.entries() }
  values(): IterableIterator<Thing> { return this.#things.values() }

  put(id: string, thing: Thing): void {
    this.#things.set(id, thing)
    this.#onChange(this.kind, id, thing)
  }

  delete(id: string): boolean {
    const was = this.#things.delete(id)
    if (was) this.#onChange(this.kind, id, undefined)
    return was
  }

  /** As it was kept; nothing is to be written. */
  adopt(id: string, thing: unknown): void {
    this.#things.set(id, thing as Thing)
  }
}
