import type { RegionUsers } from '#ports/region-world.ts'
import { TenantClusterUnreachable } from '#ports/tenant-cluster.ts'
import type { ControlPlanes } from '../control-planes/control-planes.ts'
import type { Images } from '../workloads/images.ts'
import type { Workloads } from '../workloads/workloads.ts'
import type { World } from '../world/world.ts'
import { kindComplaint } from './kinds.ts'
import type { Objects } from './objects.ts'

const PLACE = { kind: 'Deployment', namespace: 'default' } as const

/** What a user of a simulated cluster would do with kubectl, and what somebody would push into the region's registry. Throws TenantClusterUnreachable while an API gives no answer. */
export class Users implements RegionUsers {
  readonly #world: World
  readonly #planes: ControlPlanes
  readonly #objects: Objects
  readonly #workloads: Workloads
  readonly #images: Images

  constructor(parts: { world: World; planes: ControlPlanes; objects: Objects; workloads: Workloads; images: Images }) {
    this.#world = parts.world
    this.#planes = parts.planes
    this.#objects = parts.objects
    this.#workloads = parts.workloads
    this.#images = parts.images
  }

  kindComplaint(clusterId: string, kind: string): string | undefined {
    this.#reach(clusterId)
    return kindComplaint(kind, this.#objects.of(clusterId, 'CustomResourceDefinition').map(({ name }) => name))
  }

  async putObject(object: { readonly clusterId: string; readonly kind: string; readonly namespace?: string; readonly name: string; readonly finalizers?: readonly string[] }): Promise<void> {
    this.#reach(object.clusterId)
    this.#objects.put({ clusterId: object.clusterId, kind: object.kind, namespace: object.namespace ?? '', name: object.name, finalizers: object.finalizers ?? [] })
    // An add-on may wait for a name, a definition or a finalizer, for long.
    this.#world.turn()
    await this.#world.settle()
  }

  /** False if there is none of that name. One with finalizers is marked and stays until they are taken off. */
  async deleteObject({ namespace = '', ...which }: { readonly clusterId: string; readonly kind: string; readonly namespace?: string; readonly name: string }): Promise<boolean> {
    this.#reach(which.clusterId)
    const was = this.#objects.get({ ...which, namespace }) !== undefined
    if (was) {
      this.#objects.delete({ ...which, namespace })
      this.#world.turn()
    }
    await this.#world.settle()
    return was
  }

  /** A Deployment of the user's with so many pods; none takes it away. */
  async setWorkload({ clusterId, name, pods, cpuMillis, memoryMiB }: { readonly clusterId: string; readonly name: string; readonly pods: number; readonly cpuMillis: number; readonly memoryMiB: number }): Promise<void> {
    this.#reach(clusterId)
    if (pods === 0) this.#workloads.remove(clusterId, { ...PLACE, name })
    else this.#workloads.apply(clusterId, undefined, { ...PLACE, name, replicas: pods, cpuMillis, memoryMiB, image: `${name}:latest` })
    await this.#world.settle()
  }

  async setImage(name: string, present: boolean): Promise<void> {
    await this.#images.set(name, present)
  }

  #reach(clusterId: string): void {
    if (!this.#planes.isUp(clusterId)) throw new TenantClusterUnreachable(`The API of the cluster ${clusterId} gives no answer: connection refused`)
  }
}
