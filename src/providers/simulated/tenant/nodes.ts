import type { ControlPlanes } from '../control-planes/control-planes.ts'
import { GRACE } from '../durations.ts'
import type { WorldNode } from '../world/things.ts'
import type { World } from '../world/world.ts'
import { foresee, nextTurn, settleNode, type Hearing } from './readiness.ts'
import { seeNode } from './see-node.ts'

/** What machines tell of their kubelets: since when, or from when on, one can be heard. */
export interface Kubelets {
  hearing(machineId: string): { readonly from: number | undefined; readonly says?: string }
}

/** The Node objects of all clusters, by cluster and name. */
export class Nodes {
  readonly #world: World
  readonly #planes: ControlPlanes
  readonly #table
  readonly #byCluster = new Map<string, Map<string, WorldNode>>()
  readonly #onChange = new Set<(clusterId: string, name: string) => void>()
  #kubelets: Kubelets = { hearing: () => ({ from: undefined }) }

  constructor(world: World, planes: ControlPlanes) {
    this.#world = world
    this.#planes = planes
    this.#table = world.table<WorldNode>('node', { replays: true })
    world.on('node', id => this.#live(id))
  }

  connect(kubelets: Kubelets): void {
    this.#kubelets = kubelets
  }

  /** Told when a Node object came, changed or went. */
  onChange(told: (clusterId: string, name: string) => void): () => void {
    this.#onChange.add(told)
    return () => { this.#onChange.delete(told) }
  }

  get(clusterId: string, name: string): WorldNode | undefined {
    const node = this.#byCluster.get(clusterId)?.get(name)
    if (node) this.#settle(clusterId, node)
    return node
  }

  /** In the order in which they came. */
  of(clusterId: string): readonly WorldNode[] {
    const nodes = [...this.#byCluster.get(clusterId)?.values() ?? []]
    for (const node of nodes) this.#settle(clusterId, node)
    return nodes
  }

  /** A kubelet registers. */
  add(clusterId: string, node: WorldNode): void {
    this.#index(clusterId, node)
    this.#foresee(clusterId, node)
    this.#changed(clusterId, node.name)
  }

  change(clusterId: string, node: WorldNode): void {
    this.#table.put(keyOf(clusterId, node.name), node)
    this.#changed(clusterId, node.name)
  }

  remove(clusterId: string, name: string): boolean {
    const nodes = this.#byCluster.get(clusterId)
    if (!nodes?.delete(name)) return false
    if (nodes.size === 0) this.#byCluster.delete(clusterId)
    this.#table.delete(keyOf(clusterId, name))
    this.#changed(clusterId, name)
    return true
  }

  /** The data of the cluster is gone, and its Node objects with it; nobody is there to tell of each. */
  removeAll(clusterId: string): void {
    for (const name of this.#byCluster.get(clusterId)?.keys() ?? []) this.#table.delete(keyOf(clusterId, name))
    this.#byCluster.delete(clusterId)
  }

  /** Something changed by which the node is heard or judged. */
  refresh(clusterId: string, name: string): void {
    const node = this.#byCluster.get(clusterId)?.get(name)
    if (!node) return
    const before = [node.ready, node.since, node.says, node.heardSince].join()
    this.#foresee(clusterId, node)
    if ([node.ready, node.since, node.says, node.heardSince].join() !== before) this.#changed(clusterId, name)
  }

  refreshAll(clusterId: string): void {
    for (const name of this.#byCluster.get(clusterId)?.keys() ?? []) this.refresh(clusterId, name)
  }

  tellAll(clusterId: string): void {
    for (const name of this.#byCluster.get(clusterId)?.keys() ?? []) this.#changed(clusterId, name)
  }

  /** After a start of the process. */
  restore(): void {
    for (const [id, node] of this.#table.entries()) {
      const [clusterId = ''] = id.split('/')
      const nodes = this.#byCluster.get(clusterId)
      if (nodes) nodes.set(node.name, node)
      else this.#byCluster.set(clusterId, new Map([[node.name, node]]))
      this.#world.schedule('node', id, nextTurn(node))
    }
  }

  #index(clusterId: string, node: WorldNode): void {
    const nodes = this.#byCluster.get(clusterId)
    if (nodes) nodes.set(node.name, node)
    else this.#byCluster.set(clusterId, new Map([[node.name, node]]))
  }

  #foresee(clusterId: string, node: WorldNode): void {
    const now = this.#world.now()
    const hearing: Hearing = { ...this.#kubelets.hearing(node.machine), apiFrom: this.#planes.apiFrom(clusterId), judged: this.#planes.runs(clusterId, 'kube-controller-manager') }
    foresee(node, hearing, this.#world.draw.within(GRACE, 'tenant-cluster', 'grace', node.uid, node.silentSince ?? now), now)
    this.#table.put(keyOf(clusterId, node.name), node)
    this.#world.schedule('node', keyOf(clusterId, node.name), nextTurn(node))
  }

  #live(id: string): void {
    const node = this.#table.get(id)
    if (!node) return
    const [clusterId = ''] = id.split('/')
    this.#settle(clusterId, node)
  }

  /** Whoever looks at it at the instant of a turn makes the turn, and it is told once, whoever that was. */
  #settle(clusterId: string, node: WorldNode): void {
    if (!settleNode(node, this.#world.now())) return
    this.#table.put(keyOf(clusterId, node.name), node)
    this.#world.schedule('node', keyOf(clusterId, node.name), nextTurn(node))
    this.#changed(clusterId, node.name)
  }

  #changed(clusterId: string, name: string): void {
    for (const told of this.#onChange) told(clusterId, name)
    if (!this.#planes.isUp(clusterId)) return // nobody can see it; all are told when the API answers again
    const node = this.get(clusterId, name)
    this.#world.tell({ kind: 'Node', clusterId, name, seen: node && seeNode(node, this.#world.draw, this.#world.now()) })
  }
}

function keyOf(clusterId: string, name: string): string {
  return `${clusterId}/${name}`
}
