import type { KeptThing, WorldStore } from './world-store.ts'

/** Worlds that end with their process: for tests, and for regions that nobody needs after the run. */
export class MemoryWorldStore implements WorldStore {
  readonly #regions = new Map<string, Map<string, KeptThing>>()

  async *load(region: string): AsyncIterable<KeptThing> {
    yield* this.#regions.get(region)?.values() ?? []
  }

  async write(region: string, changes: readonly KeptThing[]): Promise<void> {
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
  }
}
