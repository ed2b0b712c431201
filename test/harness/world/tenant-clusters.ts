import { BEING_STOPPED } from '#model/node-pool/node-config.ts'
import { TenantClusterUnreachable, type NodeSeen, type RoomSeen, type TenantCluster, type TenantClusterAddress, type TenantClusterProbe } from '#ports/tenant-cluster.ts'
import type { MemoryControlPlanes } from './control-planes.ts'

type Handlers = Parameters<TenantCluster['watch']>[1]

/** The inside of one cluster: what its API would answer. */
export interface Inside {
  base: boolean
  defaultServiceAccount: boolean
  members: readonly string[]
  nodes: Map<string, NodeSeen>
  /** When each kubelet last renewed its Lease. */
  leases: Map<string, number>
  kubeconfigs: Set<string>
  /** Pods on a node that evictions have not ended yet. */
  pods: Map<string, number>
  /** Pods of its users' workloads, each of half a node; the scheduler fills nodes in the order in which they came. */
  workload: number
  dnsDown: boolean
  watchers: Set<{ handlers: Handlers; lost: boolean }>
}

const NO_PROBE: TenantClusterProbe = { ready: false, says: 'connection refused', scheduler: false, controllerManager: false, defaultServiceAccount: false, baseApplied: false, dns: { available: 0, wanted: 0, schedulableNodes: 0 } }

/** Tenant clusters in memory, over the control planes that the memory host runs. */
export class MemoryTenantClusters implements TenantCluster {
  readonly insides = new Map<string, Inside>()
  /** Set: nobody reaches any API, though it may run. */
  blind = false
  /** Set: pods alone cannot be listed. */
  podsAreBlind = false
  /** Set: every API answers with this refusal. */
  refusal: Error | undefined
  readonly #host: MemoryControlPlanes

  constructor(host: MemoryControlPlanes) {
    this.#host = host
  }

  inside(clusterId: string): Inside {
    let inside = this.insides.get(clusterId)
    if (!inside) this.insides.set(clusterId, inside = { base: false, defaultServiceAccount: false, members: [], nodes: new Map(), leases: new Map(), kubeconfigs: new Set(), pods: new Map(), workload: 0, dnsDown: false, watchers: new Set() })
    return inside
  }

  async probe({ clusterId }: TenantClusterAddress): Promise<TenantClusterProbe> {
    if (this.blind) throw new TenantClusterUnreachable('timed out after 2 s')
    if (!this.#host.isReady(clusterId)) return NO_PROBE
    const inside = this.inside(clusterId)
    const schedulableNodes = [...inside.nodes.values()].filter(node => node.ready?.status === 'True' && !node.unschedulable && !node.taints.some(isStopping)).length
    return {
      ready: true, says: 'ok', scheduler: this.#host.isUp(clusterId, 'kube-scheduler'), controllerManager: this.#host.isUp(clusterId, 'kube-controller-manager'),
      defaultServiceAccount: this.#host.isUp(clusterId, 'kube-controller-manager', 3_000), baseApplied: inside.base,
      dns: { available: inside.dnsDown ? 0 : Math.min(schedulableNodes, 1), wanted: Math.min(schedulableNodes, 1), schedulableNodes },
    }
  }

  async ensureBase(cluster: TenantClusterAddress): Promise<void> { this.#reach(cluster).base = true }
  async ensureMembers(cluster: TenantClusterAddress, names: readonly string[]): Promise<void> { this.#reach(cluster).members = [...names] }
  async getNode(cluster: TenantClusterAddress, name: string): Promise<NodeSeen | undefined> { return this.#reach(cluster).nodes.get(name) }

  async leaseRenewedAt(cluster: TenantClusterAddress, name: string): Promise<number | undefined> { return this.#reach(cluster).leases.get(name) }

  async watch({ clusterId }: TenantClusterAddress, handlers: Handlers, signal: AbortSignal): Promise<void> {
    const watcher = { handlers, lost: true }
    this.inside(clusterId).watchers.add(watcher)
    await this.live()
    await new Promise<void>(resolve => {
      if (signal.aborted) resolve()
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
    this.inside(clusterId).watchers.delete(watcher)
  }

  async ensureNodeConfig(cluster: TenantClusterAddress, name: string, { labels, taints }: { labels: readonly { key: string; value: string }[]; taints: NodeSeen['taints'] }): Promise<'done' | 'pending'> {
    const node = this.#reach(cluster).nodes.get(name)
    if (!node) return 'pending'
    await this.setNode(cluster.clusterId, { ...node, labels: Object.fromEntries(labels.map(({ key, value }) => [key, value])), taints: [...taints, ...node.taints.filter(isStopping)] })
    return 'done'
  }

  async setSchedulable(cluster: TenantClusterAddress, name: string, schedulable: boolean, by?: 'pool'): Promise<void> {
    const node = this.#reach(cluster).nodes.get(name)
    if (node && by === 'pool') {
      if (node.taints.some(isStopping) === schedulable) await this.setNode(cluster.clusterId, { ...node, taints: [...node.taints.filter(taint => !isStopping(taint)), ...schedulable ? [] : [BEING_STOPPED]] })
    } else if (node && node.unschedulable === schedulable) await this.setNode(cluster.clusterId, { ...node, unschedulable: !schedulable })
  }

  async evict(cluster: TenantClusterAddress, name: string): Promise<number> {
    const { pods } = this.#reach(cluster)
    const left = Math.max(0, (pods.get(name) ?? 0) - 1)
    pods.set(name, left)
    return left
  }

  async room(cluster: TenantClusterAddress): Promise<RoomSeen> {
    if (this.podsAreBlind) throw new TenantClusterUnreachable('listing pods timed out after 5 s')
    const { nodes, workload } = this.#reach(cluster)
    const ready = [...nodes.values()].filter(node => node.ready?.status === 'True' && !node.unschedulable && !node.taints.some(isStopping))
    const waiting = Array.from({ length: Math.max(0, workload - 2 * ready.length) }, (_, index) => ({ name: `web-${index}`, cpuMillis: 1000, memoryMiB: 64 }))
    return { waiting, perNode: ready.length > 0 ? { cpuMillis: 2000, memoryMiB: 4096 } : undefined, busy: ready.slice(0, Math.ceil(workload / 2)).map(node => node.name), light: [], free: [] }
  }

  async ensureNodeGone(cluster: TenantClusterAddress, name: string): Promise<void> {
    if (this.#reach(cluster).nodes.delete(name)) await this.#tell(cluster.clusterId, handlers => handlers.onGone(name))
  }

  async issueBootstrapToken(): Promise<string> { return 'aaaaaa.bbbbbbbbbbbbbbbb' }

  async issueKubeconfig(cluster: TenantClusterAddress, { id }: { id: string }): Promise<string> {
    this.#reach(cluster).kubeconfigs.add(id)
    return `kubeconfig of ${id}`
  }

  async revokeKubeconfig(cluster: TenantClusterAddress, id: string): Promise<void> { this.#reach(cluster).kubeconfigs.delete(id) }

  /** The API server has this Node object from now on. */
  async setNode(clusterId: string, node: NodeSeen): Promise<void> {
    this.inside(clusterId).nodes.set(node.name, node)
    await this.#tell(clusterId, handlers => handlers.onChange(node))
  }

  isUp(clusterId: string): boolean {
    return !this.blind && this.#host.isReady(clusterId)
  }

  /** Watches break when an API goes, and begin with the whole list when it is back. */
  async live(): Promise<void> {
    for (const [clusterId, inside] of this.insides) {
      for (const watcher of inside.watchers) {
        const up = this.isUp(clusterId)
        if (up && watcher.lost) {
          watcher.lost = false
          await watcher.handlers.onSync([...inside.nodes.values()])
        } else if (!up && !watcher.lost) {
          watcher.lost = true
          await watcher.handlers.onLost('connection refused')
        }
      }
    }
  }

  async #tell(clusterId: string, tell: (handlers: Handlers) => Promise<void>): Promise<void> {
    for (const watcher of this.inside(clusterId).watchers) if (!watcher.lost) await tell(watcher.handlers)
  }

  #reach({ clusterId }: TenantClusterAddress): Inside {
    if (!this.isUp(clusterId)) throw new TenantClusterUnreachable(`The API of ${clusterId} gives no answer`)
    if (this.refusal) throw this.refusal
    return this.inside(clusterId)
  }
}

function isStopping({ key }: { readonly key: string }): boolean {
  return key === BEING_STOPPED.key
}
