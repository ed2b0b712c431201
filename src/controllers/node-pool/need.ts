import { takes, wouldTake } from '#model/node-pool/fits.ts'
import type { NodePoolFacts, NodePoolSpec } from '#model/node-pool/record.ts'
import type { NodeRoom, PodNeed, RoomSeen } from '#ports/tenant-cluster.ts'

/** A pool as far as it goes whether its nodes would take a pod. */
export interface Taker {
  readonly spec: Pick<NodePoolSpec, 'labels' | 'taints' | 'cordon' | 'scaling'>
  readonly facts: Pick<NodePoolFacts, 'deletion'>
}

/**
 * Of the pods that wait, those that are need: a pool that scales by itself makes nodes that would take them, and something besides the cluster's base needs nodes. The base alone
 * brings no first node, so that a cluster without pods of anybody's can be at none; beside others it is need as they are, since they would not run well without it.
 */
export function needIn(room: RoomSeen, pools: readonly Taker[]): RoomSeen {
  const scaled = pools.filter(({ spec, facts }) => spec.scaling?.enabled && !facts.deletion)
  // Sentences name the first one, which is the reason for the others of the base.
  const waiting = room.waiting.filter(pod => scaled.some(({ spec }) => wouldTake(spec, pod))).toSorted((one, other) => Number(one.base ?? false) - Number(other.base ?? false))
  return { ...room, waiting: needsNodes({ ...room, waiting }) ? waiting : [] }
}

/**
 * Of the nodes that autoscalers may take those that stay: pods of add-ons and of the base that are on them would find no room on what stays. All others may go at once, and each of them alone.
 * Nodes with fewer such pods go first, by name among equals, so that every pool of the cluster reckons alike. The base alone keeps none.
 */
export function keptFor(room: RoomSeen, takeable: readonly string[]): ReadonlySet<string> {
  const kept = new Set<string>(), mayGo = new Set(takeable)
  if (!needsNodes(room)) return kept
  const staying = new Set([...room.busy, ...room.light.map(({ name }) => name)])
  let places: readonly NodeRoom[] = room.free.filter(({ name }) => staying.has(name) || !mayGo.has(name)), moving: readonly PodNeed[] = []
  const light = room.light.filter(({ name }) => mayGo.has(name)).toSorted((one, other) => one.pods.length - other.pods.length || (one.name < other.name ? -1 : 1))
  for (const { name, pods } of light) {
    // With those of nodes that go as well: what would have moved to this one moves elsewhere.
    const all = [...moving, ...pods], others = places.filter(place => place.name !== name)
    if (findRoom(all, others)) [moving, places] = [all, others]
    else kept.add(name)
  }
  return kept
}

/** Something besides the base is there that is on a node, or waits for one. */
export function needsNodes({ waiting, busy, light }: RoomSeen): boolean {
  return busy.length > 0 || [...waiting, ...light.flatMap(({ pods }) => pods)].some(({ base }) => base !== true)
}

/** Whether each finds a place: the largest one first, each on the emptiest that takes it. */
function findRoom(pods: readonly PodNeed[], places: readonly NodeRoom[]): boolean {
  const left = new Map(places.map(place => [place.name, place]))
  return pods.toSorted((one, other) => other.cpuMillis - one.cpuMillis || other.memoryMiB - one.memoryMiB).every(pod => {
    const [emptiest] = [...left.values()].filter(place => hasRoom(place, pod) && takes(place, pod)).sort((one, other) => other.cpuMillis - one.cpuMillis)
    if (emptiest) left.set(emptiest.name, { ...emptiest, cpuMillis: emptiest.cpuMillis - pod.cpuMillis, memoryMiB: emptiest.memoryMiB - pod.memoryMiB, pods: emptiest.pods - 1 })
    return emptiest !== undefined
  })
}

function hasRoom(place: NodeRoom, { cpuMillis, memoryMiB }: PodNeed): boolean {
  return place.pods > 0 && place.cpuMillis >= cpuMillis && place.memoryMiB >= memoryMiB
}
