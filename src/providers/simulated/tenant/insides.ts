import type { Inside } from '../world/things.ts'
import type { World } from '../world/world.ts'

/** What the APIs of clusters hold besides nodes and pods. */
export class Insides {
  readonly #table

  constructor(world: World) {
    this.#table = world.table<Inside>('inside')
  }

  get(clusterId: string): Inside {
    return this.#table.get(clusterId) ?? { base: false, members: [], kubeconfigs: [] }
  }

  change(clusterId: string, change: Partial<Inside>): void {
    this.#table.put(clusterId, { ...this.get(clusterId), ...change })
  }

  remove(clusterId: string): void {
    this.#table.delete(clusterId)
  }
}
