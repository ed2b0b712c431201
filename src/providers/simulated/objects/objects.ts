import type { World } from '../world/world.ts'

/** An object of a cluster that somebody put there, by its kind, namespace and name. */
export interface WorldObject {
  readonly clusterId: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly finalizers: readonly string[]
  /** The add-on that applied it; undefined: a user. */
  readonly owner?: string
  /** It goes when its last finalizer has. */
  readonly deletedAt?: number
}

export type ObjectName = Pick<WorldObject, 'clusterId' | 'kind' | 'namespace' | 'name'>

/** Objects besides nodes, workloads and pods: what add-ons may collide with, and custom resources whose finalizers nobody serves. */
export class Objects {
  readonly #world: World
  readonly #table

  constructor(world: World) {
    this.#world = world
    this.#table = world.table<WorldObject>('object')
  }

  get(which: ObjectName): WorldObject | undefined {
    return this.#table.get(keyOf(which))
  }

  /** In the order of their names. */
  of(clusterId: string, kind?: string): readonly WorldObject[] {
    return [...this.#table.entries()].filter(([, one]) => one.clusterId === clusterId && (kind === undefined || one.kind === kind)).toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, object]) => object)
  }

  /** Makes it, or replaces its finalizers; one that waits for its last finalizer goes when none is left. */
  put(object: WorldObject): void {
    const before = this.get(object)
    const next = { ...object, ...(before?.owner !== undefined && { owner: before.owner }), ...(before?.deletedAt !== undefined && { deletedAt: before.deletedAt }) }
    if (next.deletedAt !== undefined && next.finalizers.length === 0) this.#table.delete(keyOf(object))
    else this.#table.put(keyOf(object), next)
  }

  /** `true`: it is gone. One with finalizers stays, marked, until they are taken off. */
  delete(which: ObjectName): boolean {
    const object = this.get(which)
    if (!object) return true
    if (object.finalizers.length === 0) return this.#table.delete(keyOf(which))
    if (object.deletedAt === undefined) this.#table.put(keyOf(which), { ...object, deletedAt: this.#world.now() })
    return false
  }

  removeAll(clusterId: string): void {
    for (const [key, object] of this.#table.entries()) if (object.clusterId === clusterId) this.#table.delete(key)
  }
}

function keyOf({ clusterId, kind, namespace, name }: ObjectName): string {
  return `${clusterId}/${kind}/${namespace}/${name}`
}
