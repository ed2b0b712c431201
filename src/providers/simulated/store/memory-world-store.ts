import { WorldTaken, type KeptThing, type WorldStore } from './world-store.ts'

/** Worlds that end with their process: for tests, and for regions that nobody needs after the run. */
export class MemoryWorldStore implements WorldStore {
  readonly #regions = new Map<string, Map<string, KeptThing>>()

  readonly #claims = new Map<string, number>()

  /** The worlds as they stand now, apart from these. */
  copy(): MemoryWorldStore {
    const copy = new MemoryWorldStore()
    for (const [region, things] of this.#regions) copy.#regions.set(region, new Map(things))
    for (const [region, claim] of this.#claims) copy.#claims.set(region, claim)
    return copy
  }

  async claim(region: string): Promise<number> {
    const claim = (this.#claims.get(region) ?? 0) + 1
    this.#claims.set(region, claim)
    return claim
  }

  async find(region: string, kind: string, id: string): Promise<string | undefined> {
    return this.#regions.get(region)?.get(`${kind}/${id}`)?.text
  }

  async ofKind(regions: readonly string[], kind: string): Promise<readonly { region: string; text: string }[]> {
    return regions.flatMap(region => [...this.#regions.get(region)?.values() ?? []].flatMap(thing => (thing.kind === kind && thing.text !== undefined ? [{ region, text: thing.text }] : [])))
  }

  async *load(region: string): AsyncIterable<KeptThing> {
    yield* this.#regions.get(region)?.values() ?? []
  }

  async write(region: string, claim: number, changes: readonly KeptThing[]): Promise<void> {
    if (claim !== this.#claims.get(region)) throw new WorldTaken(`The world of ${region} was opened by another process`)
    let things = this.#regions.get(region)
    if (!things) this.#regions.set(region, things = new Map())
    for (const change of changes) {
      const key = `${change.kind}/${change.id}`
      if (change.text === undefined) things.delete(key)
      else things.set(key, change)
    }
  }

  async forget(region: string): Promise<void> {
    this.#regions.delete(region)
    this.#claims.delete(region)
  }
}
