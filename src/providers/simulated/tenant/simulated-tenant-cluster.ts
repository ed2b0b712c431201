import { BEING_STOPPED } from '#model/node-pool/node-config.ts'
import { TenantClusterUnreachable, type NodeConfig, type NodeSeen, type RoomSeen, type TenantCluster, type TenantClusterAddress, type TenantClusterProbe } from '#ports/tenant-cluster.ts'
import { untilAborted, type ControlPlanes } from '../control-planes/control-planes.ts'
import type { World } from '../world/world.ts'
import type { Insides } from './insides.ts'
import { simulatedKubeconfig } from './kubeconfig.ts'
import type { Nodes } from './nodes.ts'
import { isSchedulable, lastHeartbeat, seeNode } from './see-node.ts'

const NOT_READY: TenantClusterProbe = { ready: false, says: 'connection refused', scheduler: false, controllerManager: false, defaultServiceAccount: false, baseApplied: false, dns: { available: 0, wanted: 0, schedulableNodes: 0 } }

/** What the pods of a cluster are to its port. */
export interface Pods {
  /** Cluster DNS is there, as ordered. */
  ensureDns(clusterId: string): void
  dns(clusterId: string): { readonly available: number; readonly wanted: number }
  /** Ends pods on the node that evictions end; answers how many are still there. */
  evict(clusterId: string, nodeName: string): number
  room(clusterId: string): RoomSeen
}

/** The inside of a world's clusters, as their administrator sees and changes it. */
export class SimulatedTenantCluster implements TenantCluster {
  readonly #world: World
  readonly #planes: ControlPlanes
  readonly #nodes: Nodes
  readonly #insides: Insides
  readonly #pods: Pods
  readonly #serverOf: (clusterId: string) => string
  #onMembers: (clusterId: string) => void = () => {}

  constructor(parts: { world: World; planes: ControlPlanes; nodes: Nodes; insides: Insides; pods: Pods; serverOf: (clusterId: string) => string }) {
    this.#world = parts.world
    this.#planes = parts.planes
    this.#nodes = parts.nodes
    this.#insides = parts.insides
    this.#pods = parts.pods
    this.#serverOf = parts.serverOf
  }

  onMembers(told: (clusterId: string) => void): void {
    this.#onMembers = told
  }

  async probe({ clusterId }: TenantClusterAddress): Promise<TenantClusterProbe> {
    if (!this.#planes.isUp(clusterId)) return NOT_READY
    const schedulableNodes = this.#nodes.of(clusterId).filter(isSchedulable).length
    const controllerManager = this.#planes.runs(clusterId, 'kube-controller-manager')
    return {
      ready: true, says: 'ok', scheduler: this.#planes.runs(clusterId, 'kube-scheduler'), controllerManager, defaultServiceAccount: controllerManager || this.#insides.get(clusterId).base,
      baseApplied: this.#insides.get(clusterId).base, dns: { ...this.#pods.dns(clusterId), schedulableNodes },
    }
  }

  async ensureBase(cluster: TenantClusterAddress): Promise<void> {
    if (!this.#reach(cluster).base) this.#insides.change(cluster.clusterId, { base: true })
    this.#pods.ensureDns(cluster.clusterId)
    await this.#world.settle()
  }

  async watch({ clusterId }: TenantClusterAddress, handlers: Parameters<TenantCluster['watch']>[1], signal: AbortSignal): Promise<void> {
    let sees = false, last: Promise<void> = Promise.resolve()
    const tell = (act: () => Promise<void>): void => {
      last = last.then(async () => { if (!signal.aborted) await act() })
    }
    const turn = (): void => {
      const up = this.#planes.isUp(clusterId)
      if (up === sees) return
      sees = up
      const nodes = this.#seeAll(clusterId)
      tell(() => up ? handlers.onSync(nodes) : handlers.onLost('connection refused'))
    }
    const forgetTurns = this.#planes.onTurn(id => { if (id === clusterId && !signal.aborted) turn() })
    const forgetChanges = this.#nodes.onChange((id, name) => {
      if (id !== clusterId || signal.aborted || !sees) return
      const node = this.#nodes.get(clusterId, name)
      const seen = node && seeNode(node, this.#world.draw, this.#world.now())
      tell(() => seen ? handlers.onChange(seen) : handlers.onGone(name))
    })
    turn()
    await untilAborted(signal)
    forgetTurns()
    forgetChanges()
    await last
  }

  async getNode(cluster: TenantClusterAddress, name: string): Promise<NodeSeen | undefined> {
    this.#reach(cluster)
    const node = this.#nodes.get(cluster.clusterId, name)
    return node && seeNode(node, this.#world.draw, this.#world.now())
  }

  async leaseRenewedAt(cluster: TenantClusterAddress, name: string): Promise<number | undefined> {
    this.#reach(cluster)
    const node = this.#nodes.get(cluster.clusterId, name)
    return node && lastHeartbeat(node, this.#world.draw, this.#world.now())
  }

  async ensureMembers(cluster: TenantClusterAddress, names: readonly string[]): Promise<void> {
    const { members } = this.#reach(cluster)
    if (members.join() !== names.join()) {
      this.#insides.change(cluster.clusterId, { members: [...names] })
      this.#onMembers(cluster.clusterId)
    }
    await this.#world.settle()
  }

  async ensureNodeConfig(cluster: TenantClusterAddress, name: string, { labels, taints, began }: NodeConfig & { readonly began?: NodeConfig }): Promise<'done' | 'pending'> {
    this.#reach(cluster)
    const node = this.#nodes.get(cluster.clusterId, name)
    if (!node) return 'pending'
    const mine = namesOf({ labels, taints })
    const old = new Set((node.configured ?? (began && namesOf(began)))?.filter(one => !mine.includes(one)))
    const kept = Object.entries(node.labels).filter(([key]) => !old.has(`label/${key}`))
    const nextLabels = Object.fromEntries([...kept, ...labels.map(({ key, value }) => [key, value] as const)])
    const others = node.taints.filter(({ key, effect }) => !old.has(`taint/${key}/${effect}`) && !mine.includes(`taint/${key}/${effect}`))
    const nextTaints = [...others, ...taints]
    if (JSON.stringify([nextLabels, nextTaints, mine]) !== JSON.stringify([node.labels, node.taints, node.configured ?? []])) {
      this.#nodes.change(cluster.clusterId, Object.assign(node, { labels: nextLabels, taints: nextTaints, configured: mine }))
    }
    await this.#world.settle()
    return 'done'
  }

  async setSchedulable(cluster: TenantClusterAddress, name: string, schedulable: boolean, by?: 'pool'): Promise<void> {
    this.#reach(cluster)
    const node = this.#nodes.get(cluster.clusterId, name)
    if (node && by === 'pool') {
      const others = node.taints.filter(({ key }) => key !== BEING_STOPPED.key)
      if ((others.length === node.taints.length) !== schedulable) this.#nodes.change(cluster.clusterId, Object.assign(node, { taints: schedulable ? others : [...others, BEING_STOPPED] }))
    } else if (node && node.unschedulable === schedulable) this.#nodes.change(cluster.clusterId, Object.assign(node, { unschedulable: !schedulable }))
    await this.#world.settle()
  }

  async evict(cluster: TenantClusterAddress, name: string): Promise<number> {
    this.#reach(cluster)
    const left = this.#pods.evict(cluster.clusterId, name)
    await this.#world.settle()
    return left
  }

  async room(cluster: TenantClusterAddress): Promise<RoomSeen> {
    this.#reach(cluster)
    return this.#pods.room(cluster.clusterId)
  }

  async ensureNodeGone(cluster: TenantClusterAddress, name: string): Promise<void> {
    this.#reach(cluster)
    this.#nodes.remove(cluster.clusterId, name)
    await this.#world.settle()
  }

  async issueBootstrapToken(cluster: TenantClusterAddress, nodeName: string): Promise<string> {
    this.#reach(cluster)
    return `${this.#world.draw.hex(6, 'token id', cluster.clusterId, nodeName)}.${this.#world.draw.hex(16, 'token', cluster.clusterId, nodeName)}`
  }

  async issueKubeconfig(cluster: TenantClusterAddress, { id, clusterName, server }: { id: string; clusterName: string; validHours: number; server?: string | undefined }): Promise<string> {
    const { kubeconfigs } = this.#reach(cluster)
    if (!kubeconfigs.includes(id)) this.#insides.change(cluster.clusterId, { kubeconfigs: [...kubeconfigs, id] })
    await this.#world.settle()
    return simulatedKubeconfig({ server: server ?? this.#serverOf(cluster.clusterId), clusterName, caCert: cluster.pki.caCert, id, token: this.#world.draw.hex(32, 'kubeconfig', id) })
  }

  async revokeKubeconfig(cluster: TenantClusterAddress, id: string): Promise<void> {
    const { kubeconfigs } = this.#reach(cluster)
    if (kubeconfigs.includes(id)) this.#insides.change(cluster.clusterId, { kubeconfigs: kubeconfigs.filter(one => one !== id) })
    await this.#world.settle()
  }

  #seeAll(clusterId: string): NodeSeen[] {
    return this.#nodes.of(clusterId).map(node => seeNode(node, this.#world.draw, this.#world.now()))
  }

  #reach({ clusterId }: TenantClusterAddress): ReturnType<Insides['get']> {
    if (!this.#planes.isUp(clusterId)) throw new TenantClusterUnreachable(`The API of the cluster ${clusterId} gives no answer: connection refused`)
    return this.#insides.get(clusterId)
  }
}

function namesOf({ labels, taints }: NodeConfig): readonly string[] {
  return [...labels.map(({ key }) => `label/${key}`), ...taints.map(({ key, effect }) => `taint/${key}/${effect}`)]
}
