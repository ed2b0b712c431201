import type { PodNeed, RoomSeen } from '#ports/tenant-cluster.ts'
import { isBase } from './cluster-dns.ts'
import { NODE_ROOM, type Place } from './place.ts'
import { SYSTEM_NAMESPACE, type Pod, type Workload } from './workload.ts'

/** What finds no room, which nodes carry what, and what is left on them. `places`: the nodes of the cluster, less what is on them. */
export function seeRoom(all: readonly Workload[], places: () => readonly Place[]): RoomSeen {
  const deployments = all.filter(one => one.kind === 'Deployment')
  const unplaced = deployments.flatMap(one => one.pods.filter(pod => pod.unplaced?.forRoom).map(pod => ({ one, pod })))
  const waiting = unplaced.map(({ one, pod }) => needOf(one, pod))
  const busy = new Set(deployments.flatMap(one => (one.namespace === SYSTEM_NAMESPACE ? [] : one.pods.flatMap(pod => pod.node ?? []))))
  const placed = deployments.flatMap(one => one.pods.flatMap(pod => (pod.node === undefined || busy.has(pod.node) ? [] : [{ name: pod.node, pod: needOf(one, pod) }])))
  const light = [...Map.groupBy(placed, ({ name }) => name)].map(([name, some]) => ({ name, pods: some.map(({ pod }) => pod) }))
  return {
    waiting, perNode: NODE_ROOM, busy: [...busy].toSorted(), light: light.toSorted((one, other) => (one.name < other.name ? -1 : 1)), free: light.length > 0 ? places().flatMap(roomOf) : [], steady: true,
    ...waiting.length > 0 && { waitingSince: Math.max(...unplaced.map(({ pod }) => pod.madeAt)) },
  }
}

function needOf({ namespace, owner, cpuMillis, memoryMiB, nodeSelector, tolerations }: Workload, pod: Pod): PodNeed {
  return { name: `${namespace}/${pod.name}`, cpuMillis, memoryMiB, ...(nodeSelector && { nodeSelector }), ...(tolerations && { tolerations }), ...(isBase(owner) && { base: true as const }) }
}

function roomOf({ name, ready, unschedulable, labels, taints, freeCpuMillis, freeMemoryMiB, freePods }: Place): RoomSeen['free'] {
  return ready && !unschedulable ? [{ name, labels, taints, cpuMillis: freeCpuMillis, memoryMiB: freeMemoryMiB, pods: freePods }] : []
}
