import type { ControlPlanes } from '../control-planes/control-planes.ts'
import type { Nodes } from '../tenant/nodes.ts'
import { isSchedulable } from '../tenant/see-node.ts'
import type { World } from '../world/world.ts'
import type { WorkloadOrder } from './workload.ts'
import type { Workloads } from './workloads.ts'

/** The owner under which cluster DNS runs. */
export const DNS_OWNER = 'core-dns'

/** Whose pods every cluster has from the beginning. */
export function isBase(owner: string | undefined): boolean {
  return owner === DNS_OWNER
}

export const DNS_VERSION = '1.12.1-edge.1'

export const DNS: WorkloadOrder = {
  kind: 'Deployment', namespace: 'kube-system', name: 'core-dns', replicas: 1, cpuMillis: 100, memoryMiB: 70, image: `coredns:${DNS_VERSION}`,
  tolerations: [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }, { key: 'CriticalAddonsOnly' }],
}

/** Cluster DNS: pods like all others, with a count that the port asks for, and a word to whoever watches the cluster when it goes down or comes back. */
export class ClusterDns {
  readonly #world: World
  readonly #workloads: Workloads
  readonly #nodes: Nodes
  /** Clusters of which whoever watches them has heard, or seen, that it is down. */
  readonly #down = new Set<string>()

  constructor(world: World, workloads: Workloads, nodes: Nodes, planes: ControlPlanes) {
    this.#world = world
    this.#workloads = workloads
    this.#nodes = nodes
    workloads.onChange((clusterId, owner) => { if (owner === DNS_OWNER) this.#look(clusterId) })
    // Beside a new node pods that were broken before count, and pods that only wait for one are about to start there.
    nodes.onChange(clusterId => { if (planes.isUp(clusterId) && (this.#down.has(clusterId) || this.#isBroken(clusterId))) this.#look(clusterId) })
    planes.onTurn(clusterId => { if (!planes.plane(clusterId)) this.#down.delete(clusterId) })
  }

  ensure(clusterId: string): void {
    if (this.#workloads.of(clusterId, DNS_OWNER).length === 0) this.#workloads.apply(clusterId, DNS_OWNER, DNS)
  }

  /** Who sees by this that it is down hears when it comes back. */
  count(clusterId: string): { readonly available: number; readonly wanted: number } {
    const counted = this.#count(clusterId)
    if (isMissing(counted)) this.#down.add(clusterId)
    return counted
  }

  #count(clusterId: string): { readonly available: number; readonly wanted: number } {
    const [dns] = this.#workloads.of(clusterId, DNS_OWNER)
    if (!dns || !this.#nodes.of(clusterId).some(isSchedulable)) return { available: 0, wanted: 0 }
    const { available, desired } = this.#workloads.see(dns)
    return { available, wanted: desired }
  }

  /** After a start of the process, whose first word is how each cluster is: those of which it said that DNS is down hear when it comes back. */
  restore(clusterIds: Iterable<string>): void {
    for (const clusterId of clusterIds) if (isMissing(this.#count(clusterId))) this.#down.add(clusterId)
  }

  #isBroken(clusterId: string): boolean {
    return this.#workloads.of(clusterId, DNS_OWNER).some(({ pods }) => pods.some(pod => pod.broken))
  }

  /** One that is only being started is not down, and not yet back. */
  #look(clusterId: string): void {
    const isDown = isMissing(this.#count(clusterId))
    const [dns] = this.#workloads.of(clusterId, DNS_OWNER)
    const starts = dns?.pods.some(pod => !pod.broken && (pod.readyAt ?? 0) > this.#world.now()) ?? false
    if (isDown === this.#down.has(clusterId) || (isDown && starts)) return
    if (isDown) this.#down.add(clusterId)
    else this.#down.delete(clusterId)
    this.#world.tell({ kind: 'ControlPlane', clusterId })
  }
}

function isMissing({ available, wanted }: { readonly available: number; readonly wanted: number }): boolean {
  return wanted > 0 && available === 0
}
