/** What runs in the region's clusters, from order to pods; a little over three hundred lines, as each step of a workload is only right after the others. */
import type { WorkloadSeen } from '#model/addon/health.ts'
import { takes, tolerates } from '#model/node-pool/fits.ts'
import type { RoomSeen } from '#ports/tenant-cluster.ts'
import type { FaultTarget } from '#ports/region-world.ts'
import type { ControlPlanes } from '../control-planes/control-planes.ts'
import type { Durations } from '../durations.ts'
import type { Faults } from '../faults/faults.ts'
import type { Nodes } from '../tenant/nodes.ts'
import type { WorldNode } from '../world/things.ts'
import type { World } from '../world/world.ts'
import { isBase } from './cluster-dns.ts'
import type { Images } from './images.ts'
import { labelsOf, occupy, place, placesOf, type Place } from './place.ts'
import { roll } from './roll.ts'
import { retries, seePod } from './see-pod.ts'
import { seeRoom } from './see-room.ts'
import type { Pod, Workload, WorkloadOrder } from './workload.ts'

/** Pods on a node that is not reached go after so long, as by Kubernetes' default toleration. */
const UNREACHED_MS = 300_000

type Told = (clusterId: string, owner: string | undefined, moved: boolean) => void

/** All workloads of all clusters, by cluster, namespace and name. */
export class Workloads {
  readonly #world: World
  readonly #planes: ControlPlanes
  readonly #nodes: Nodes
  readonly #images: Images
  readonly #faults: Faults
  readonly #durations: Durations
  readonly #table
  readonly #byCluster = new Map<string, Set<string>>()
  readonly #onChange = new Set<Told>()
  /** Clusters whose pods are looked at again at this instant, once for all that happens in it. */
  readonly #soon = new Set<string>()

  constructor(parts: { world: World; planes: ControlPlanes; nodes: Nodes; images: Images; faults: Faults; durations: Durations }) {
    this.#world = parts.world
    this.#planes = parts.planes
    this.#nodes = parts.nodes
    this.#images = parts.images
    this.#faults = parts.faults
    this.#durations = parts.durations
    this.#table = this.#world.table<Workload>('workload')
    this.#world.on('workloads', clusterId => {
      this.#soon.delete(clusterId)
      this.#live(clusterId)
    })
    this.#nodes.onChange((clusterId, name) => { if (this.#mayConcern(clusterId, name)) this.#liveSoon(clusterId) })
    this.#planes.onTurn(clusterId => { if (this.#planes.plane(clusterId)) this.#liveSoon(clusterId); else this.#removeAll(clusterId) })
    this.#images.onChange(() => this.#liveEverywhere())
    this.#faults.onChange(() => this.#liveEverywhere())
  }

  /** Told when what one sees of somebody's pods changed, and whether one of them came, went, or found a place. */
  onChange(told: Told): void {
    this.#onChange.add(told)
  }

  /** Brings one workload to its order; a changed order makes its pods anew, as a roll-out. */
  apply(clusterId: string, owner: string | undefined, order: WorkloadOrder): void {
    const key = keyOf(clusterId, order), before = this.#table.get(key)
    const same = before && JSON.stringify(podOf(before)) === JSON.stringify(podOf(order))
    const revision = (before?.revision ?? 0) + (same ? 0 : 1)
    this.#put({ ...order, clusterId, revision, made: before?.made ?? 0, pods: before?.pods ?? [], ...(owner !== undefined && { owner }) })
    this.#live(clusterId)
  }

  remove(clusterId: string, which: Pick<WorkloadOrder, 'kind' | 'namespace' | 'name'>): void {
    const key = keyOf(clusterId, which), owner = this.#table.get(key)?.owner
    if (!this.#table.delete(key)) return
    this.#byCluster.get(clusterId)?.delete(key)
    this.#live(clusterId)
    for (const told of this.#onChange) told(clusterId, owner, true)
  }

  /** Those of an owner, or all of the cluster, by name. */
  of(clusterId: string, owner?: string): readonly Workload[] {
    return [...this.#byCluster.get(clusterId) ?? []].toSorted().flatMap(key => this.#table.get(key) ?? []).filter(one => owner === undefined || one.owner === owner)
  }

  see(workload: Workload): WorkloadSeen {
    const { kind, name, clusterId } = workload, now = this.#world.now()
    const pods = workload.pods.map(pod => seePod(pod, workload, this.#isReady(clusterId, pod.node), `registry.${this.#world.region}:5000`, now))
    const updated = pods.filter(pod => pod.current).length
    return { name: `${kind}/${name}`, ...(kind === 'DaemonSet' && { onEachNode: true as const }), desired: kind === 'Deployment' ? workload.replicas ?? 1 : updated, available: pods.filter(pod => pod.ready).length, updated, pods }
  }

  room(clusterId: string): RoomSeen {
    return seeRoom(this.of(clusterId), () => this.#placesOf(clusterId, this.of(clusterId)), this.#podsPerNode(clusterId))
  }

  /** Something besides the base needs nodes: then it matters where each pod is, and where it could go. */
  needsNodes(clusterId: string): boolean {
    return this.of(clusterId).some(one => one.kind === 'Deployment' && !isBase(one.owner))
  }

  /** Evicts what evictions end on the node; what nothing can end is none of it. */
  evict(clusterId: string, node: string): number {
    for (const workload of this.of(clusterId)) {
      if (workload.kind === 'DaemonSet') continue
      const pods = workload.pods.filter(pod => pod.node !== node)
      if (pods.length < workload.pods.length) this.#put({ ...workload, pods })
    }
    this.#live(clusterId)
    return 0
  }

  restore(): void {
    for (const [key, { clusterId }] of this.#table.entries()) this.#index(clusterId, key)
    for (const clusterId of this.#byCluster.keys()) this.#liveSoon(clusterId)
  }

  /** Lets the cluster's controllers, scheduler and kubelets do what they would do now. */
  #live(clusterId: string): void {
    if (!this.#byCluster.get(clusterId)?.size || !this.#planes.isUp(clusterId)) return
    const all = this.of(clusterId), before = new Map(all.map(one => [one, JSON.stringify(this.see(one))])), stood = new Map(all.map(one => [one, standing(one)]))
    const nodes = new Map(this.#nodes.of(clusterId).map(node => [node.name, node]))
    const kept = new Map(all.map(one => [one, JSON.stringify(one)]))
    for (const workload of all) {
      this.#dropLost(workload, nodes)
      // What pods have come to by now is what their controllers judge: a roll-out whose last new pod has just come up ends here.
      this.#run(workload)
      if (this.#planes.runs(clusterId, 'kube-controller-manager')) this.#control(workload, nodes)
    }
    if (this.#planes.runs(clusterId, 'kube-scheduler')) this.#schedule(clusterId, all)
    for (const workload of all) {
      // The kubelet's part of those that were just made and placed.
      this.#run(workload)
      if (JSON.stringify(workload) !== kept.get(workload)) this.#put(workload)
    }
    this.#world.schedule('workloads', clusterId, this.#nextAt(clusterId))
    const changed = new Set(all.filter(one => JSON.stringify(this.see(one)) !== before.get(one) || this.#justTurned(one)).map(one => one.owner))
    const moved = new Set(all.filter(one => standing(one) !== stood.get(one)).map(one => one.owner))
    for (const owner of changed) for (const told of this.#onChange) told(clusterId, owner, moved.has(owner))
  }

  /** Pods on nodes that are gone or long unreached are gone as well, and those whose node carries a NoExecute taint that they do not put up with. */
  #dropLost(workload: Workload, nodes: ReadonlyMap<string, WorldNode>): void {
    const now = this.#world.now()
    workload.pods = workload.pods.filter(pod => {
      if (pod.node === undefined) return true
      const node = nodes.get(pod.node)
      if (!node) return false
      const lost = workload.kind === 'Deployment' && node.ready !== 'True' && now >= node.since + UNREACHED_MS
      return !lost && !node.taints.some(taint => taint.effect === 'NoExecute' && !tolerates(workload.tolerations, taint))
    })
  }

  #control(workload: Workload, nodes: ReadonlyMap<string, WorldNode>): void {
    const now = this.#world.now()
    const make = (node?: string): Pod => ({
      name: `${workload.name}-${this.#world.draw.hex(5, 'pod', keyOf(workload.clusterId, workload), workload.made++)}`, revision: workload.revision, madeAt: now, ...(node !== undefined && { node, placedAt: now }),
    })
    if (workload.kind === 'Deployment') {
      // Rolling on until nothing more can be done at this instant.
      for (let round = 0; round < 2; round++) {
        const { kept, make: count } = roll(workload.pods, workload.replicas ?? 1, workload.revision, pod => this.#runs(workload, pod))
        workload.pods = [...kept, ...Array.from({ length: count }, () => make())]
      }
      return
    }
    const fits = [...nodes.values()].filter(node => takes({ ...node, labels: labelsOf(node) }, workload))
    const names = new Set(fits.map(node => node.name))
    const kept = workload.pods.filter(pod => pod.node !== undefined && names.has(pod.node) && pod.revision === workload.revision)
    const has = new Set(kept.map(pod => pod.node))
    workload.pods = [...kept, ...fits.filter(node => !has.has(node.name)).map(node => make(node.name))]
  }

  #placesOf(clusterId: string, all: readonly Workload[]): readonly Place[] {
    return placesOf(this.#nodes.of(clusterId), all, this.#podsPerNode(clusterId))
  }

  #podsPerNode(clusterId: string): number {
    return this.#planes.plane(clusterId)?.maxPodsPerNode ?? 0
  }

  #schedule(clusterId: string, all: readonly Workload[]): void {
    if (!all.some(one => one.pods.some(pod => pod.node === undefined))) return
    const places = new Map(this.#placesOf(clusterId, all).map(one => [one.name, one]))
    // What wants to be near others is tried again once they have their places.
    for (let isMoved = true; isMoved;) {
      isMoved = false
      for (const workload of all) {
        for (const pod of workload.pods) {
          if (pod.node !== undefined) continue
          const found = place(workload, [...places.values()])
          if ('node' in found) {
            Object.assign(pod, { node: found.node, placedAt: this.#world.now() })
            delete pod.unplaced
            occupy(places.get(found.node)!, workload, pod)
            isMoved = all.some(one => one.affinity ?? one.spread)
          } else pod.unplaced = found
        }
      }
    }
  }

  /** The kubelet's part: what was placed starts, what has no image or ends waits longer and longer, what was mended runs at the next try. */
  #run(workload: Workload): void {
    const now = this.#world.now()
    for (const pod of workload.pods) {
      if (pod.node === undefined || pod.placedAt === undefined) continue
      const isNew = pod.readyAt === undefined && !pod.broken
      const by = this.#isBroken(workload, pod)
      if (by === undefined && isNew) pod.readyAt = pod.placedAt + this.#world.draw.within(this.#durations.pod, 'tenant-cluster', 'pod', pod.name)
      else if (by === undefined && pod.broken) {
        // Once its next try succeeded it runs; until then it waits as it did.
        pod.readyAt ??= retries(pod.broken.since, now).nextAt
        if (pod.readyAt > now) continue
        if (pod.broken.by === 'exit') pod.restarts = (pod.restarts ?? 0) + retries(pod.broken.since, now).count + 1
        delete pod.broken
      } else if (by !== undefined && pod.broken?.by !== by) {
        pod.broken = { by, since: now }
        delete pod.readyAt
      } else if (by !== undefined) delete pod.readyAt
    }
  }

  #isBroken(workload: Workload, pod: Pod): 'image' | 'exit' | undefined {
    // An image that is on its node already is not pulled again.
    const pulled = pod.readyAt !== undefined && !pod.broken
    if (!pulled && pod.broken?.by !== 'exit' && this.#images.isMissing(workload.image)) return 'image'
    if (workload.exits && pod.revision === workload.revision) return 'exit'
    return this.#faults.affecting('addon-installer', 'container', targetOfWorkload(workload)) ? 'exit' : undefined
  }

  #runs(workload: Workload, pod: Pod): boolean {
    return pod.node !== undefined && !pod.broken && (pod.readyAt ?? Infinity) <= this.#world.now() && this.#isReady(workload.clusterId, pod.node)
  }

  #isReady(clusterId: string, node: string | undefined): boolean {
    return node !== undefined && this.#nodes.get(clusterId, node)?.ready === 'True'
  }

  /** One of its pods became ready at this very instant, by time alone. */
  /** By themselves, or with their node. */
  #justTurned({ clusterId, pods }: Workload): boolean {
    const now = this.#world.now()
    return pods.some(pod => pod.readyAt === now || (pod.node !== undefined && this.#nodes.get(clusterId, pod.node)?.since === now))
  }

  #nextAt(clusterId: string): number | undefined {
    const now = this.#world.now()
    const instants = this.of(clusterId).flatMap(({ pods }) => pods.flatMap(pod => {
      const node = pod.node === undefined ? undefined : this.#nodes.get(clusterId, pod.node)
      return [pod.readyAt, node && node.ready !== 'True' ? node.since + UNREACHED_MS : undefined, pod.broken?.by === 'image' ? pod.broken.since + 1_000 : undefined]
    })).filter(at => at !== undefined && at > now)
    return instants.length === 0 ? undefined : Math.min(...instants as number[])
  }

  #mayConcern(clusterId: string, node: string): boolean {
    const all = this.#byCluster.get(clusterId)
    if (!all?.size) return false
    return this.of(clusterId).some(({ kind, pods }) => kind === 'DaemonSet' || pods.some(pod => pod.node === undefined || pod.node === node))
  }

  #liveEverywhere(): void {
    for (const clusterId of this.#byCluster.keys()) this.#liveSoon(clusterId)
  }

  #liveSoon(clusterId: string): void {
    if (this.#soon.has(clusterId) || !this.#byCluster.get(clusterId)?.size) return
    this.#soon.add(clusterId)
    this.#world.schedule('workloads', clusterId, this.#world.now())
  }

  #removeAll(clusterId: string): void {
    for (const key of this.#byCluster.get(clusterId) ?? []) this.#table.delete(key)
    this.#byCluster.delete(clusterId)
  }

  #put(workload: Workload): void {
    const key = keyOf(workload.clusterId, workload)
    this.#table.put(key, workload)
    this.#index(workload.clusterId, key)
  }

  #index(clusterId: string, key: string): void {
    const keys = this.#byCluster.get(clusterId)
    if (keys) keys.add(key)
    else this.#byCluster.set(clusterId, new Set([key]))
  }
}

export function targetOfWorkload({ clusterId, owner, name }: Pick<Workload, 'clusterId' | 'owner' | 'name'>): FaultTarget {
  return { kind: 'Addon', id: `${clusterId}:${owner ?? name}`, name: owner ?? name, also: [{ kind: 'Cluster', id: clusterId }] }
}

/** Where its pods are, and which of them find none. */
function standing({ pods }: Workload): string {
  return pods.map(({ name, node, unplaced }) => `${name} ${node ?? (unplaced ? '?' : '')}`).join()
}

function keyOf(clusterId: string, { kind, namespace, name }: Pick<WorkloadOrder, 'kind' | 'namespace' | 'name'>): string {
  return `${clusterId}/${kind}/${namespace}/${name}`
}

/** What each of its pods is made from; a changed number of them makes none anew. */
function podOf({ kind, cpuMillis, memoryMiB, image, tolerations, nodeSelector, nodeAffinity, labels, affinity, antiAffinity, spread, hostPorts, exits }: WorkloadOrder): unknown {
  return [kind, cpuMillis, memoryMiB, image, tolerations, nodeSelector, nodeAffinity, labels, affinity, antiAffinity, spread, hostPorts, exits]
}
