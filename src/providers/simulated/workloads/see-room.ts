import { asksOfNeighbours } from '#model/node-pool/neighbours.ts'
import type { PodNeed, RoomSeen } from '#ports/tenant-cluster.ts'
import { isBase } from './cluster-dns.ts'
import { asOf, marksOf, NODE_ROOM, type Place } from './place.ts'
import { SYSTEM_NAMESPACE, type Pod, type Workload } from './workload.ts'

/** What finds no room, which nodes carry what, and what is left on them. `places`: the nodes of the cluster, less what is on them; `podsPerNode`: of how many pods each has place. */
export function seeRoom(all: readonly Workload[], places: () => readonly Place[], podsPerNode: number): RoomSeen {
  const deployments = all.filter(one => one.kind === 'Deployment'), weighs = all.some(one => asksOfNeighbours(asOf(one)))
  const unplaced = deployments.flatMap(one => one.pods.filter(pod => pod.unplaced).map(pod => ({ one, pod })))
  const waiting = unplaced.map(({ one, pod }) => needOf(one, pod, weighs))
  const busy = new Set(deployments.flatMap(one => (one.namespace === SYSTEM_NAMESPACE ? [] : one.pods.flatMap(pod => pod.node ?? []))))
  const placed = deployments.flatMap(one => one.pods.flatMap(pod => (pod.node === undefined || busy.has(pod.node) ? [] : [{ name: pod.node, pod: needOf(one, pod, weighs) }])))
  const light = [...Map.groupBy(placed, ({ name }) => name)].map(([name, some]) => ({ name, pods: some.map(({ pod }) => pod) }))
  return {
    waiting, perNode: { ...NODE_ROOM, pods: podsPerNode, known: true }, busy: [...busy].toSorted(), light: light.toSorted((one, other) => (one.name < other.name ? -1 : 1)),
    free: waiting.length + light.length > 0 ? places().map(one => roomOf(one, weighs)) : [], steady: true,
    ...waiting.length > 0 && { daemons: all.filter(one => one.kind === 'DaemonSet').map(one => needOf(one, one, weighs)), waitingSince: Math.max(...unplaced.map(({ pod }) => pod.madeAt)) },
  }
}

function needOf(workload: Workload, pod: Pick<Pod, 'name'>, weighs: boolean): PodNeed {
  const { namespace, owner, cpuMillis, memoryMiB, nodeSelector, nodeAffinity, tolerations, affinity, spread } = workload
  return {
    ...weighs ? marksOf(workload, pod) : { name: `${namespace}/${pod.name}` }, cpuMillis, memoryMiB, ...(nodeSelector && { nodeSelector }), ...(nodeAffinity && { nodeAffinity }), ...(tolerations && { tolerations }),
    ...(affinity && { affinity }), ...(spread && { spread }), ...(isBase(owner) && { base: true as const }),
  }
}

function roomOf({ name, ready, unschedulable, labels, taints, carries, freeCpuMillis, freeMemoryMiB, freePods }: Place, weighs: boolean): RoomSeen['free'][number] {
  return { name, labels, taints, cpuMillis: freeCpuMillis, memoryMiB: freeMemoryMiB, pods: freePods, ...!(ready && !unschedulable) && { shut: true as const }, ...weighs && { carries } }
}
