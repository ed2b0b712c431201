import { WorldTaken, type KeptThing, type WorldStore } from './world-store.ts'

/** Worlds that end with their process: for tests, and for regions that nobody needs after the run. */
export class MemoryWorldStore implements WorldStore {
  readonly #regions = new Map<string, Map<string, KeptThing>>()

  readonly #claims = new Map<string, number>()

  async claim(region: string): Promise<number> {
    const claim = (this.#claims.get(region) ?? 0) + 1
    this.#claims.set(region, claim)
    return claim
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
