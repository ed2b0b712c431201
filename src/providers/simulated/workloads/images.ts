import type { World } from '../world/world.ts'

/** The region's image registry: it has every image but those that somebody took away. */
export class Images {
  readonly #world: World
  readonly #missing
  #onChange: () => void = () => {}

  constructor(world: World) {
    this.#world = world
    this.#missing = world.table<true>('missing-image')
  }

  onChange(told: () => void): void {
    this.#onChange = told
  }

  /** `name` or `name:tag`; one without a tag means all of them. */
  async set(name: string, present: boolean): Promise<void> {
    if (present) this.#missing.delete(name)
    else this.#missing.put(name, true)
    this.#onChange()
    await this.#world.settle()
  }

  isMissing(image: string): boolean {
    return this.#missing.size > 0 && (this.#missing.get(image) !== undefined || this.#missing.get(image.split(':')[0] ?? '') !== undefined)
  }
}
