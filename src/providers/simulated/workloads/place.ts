import { HOSTNAME, isChosen, tolerates } from '#model/node-pool/fits.ts'
import { asksOfNeighbours, neighboursOf, type Ground, type InTheWay, type Marks, type NearTerms } from '#model/node-pool/neighbours.ts'
import type { WorldNode } from '../world/things.ts'
import type { Pod, Workload, WorkloadOrder } from './workload.ts'

/** What a node offers to pods. */
export const NODE_ROOM = { cpuMillis: 4_000, memoryMiB: 8_192 }

/** A node as the scheduler sees it; what is free is what its pods have not asked for. What it carries is told where a workload asks for something of its neighbours. */
export interface Place extends Ground {
  readonly ready: boolean
  readonly unschedulable: boolean
  readonly carries: Marks[]
  freeCpuMillis: number
  freeMemoryMiB: number
  freePods: number
}

export type Placement = { readonly node: string } | { readonly message: string }

const CORDONED = 'node(s) were unschedulable', UNREACHABLE = 'node(s) had untolerated taint {node.kubernetes.io/unreachable: }'
const IN_THE_WAY: Readonly<Record<InTheWay, string>> = {
  ports: 'node(s) didn\'t have free ports for the requested pod ports', spread: 'node(s) didn\'t match pod topology spread constraints', affinity: 'node(s) didn\'t match pod affinity rules',
  antiAffinity: 'node(s) didn\'t match pod anti-affinity rules', othersAntiAffinity: 'node(s) didn\'t satisfy existing pods anti-affinity rules',
}

/** A cluster's nodes, less what is on them. */
export function placesOf(nodes: readonly WorldNode[], all: readonly Workload[], freePods: number): readonly Place[] {
  const weighs = all.some(one => asksOfNeighbours(asOf(one)))
  const places = new Map<string, Place>(nodes.map(({ name, ready, unschedulable, labels, taints }) => [name, {
    name, ready: ready === 'True', unschedulable, labels: labelsOf({ name, labels }), taints, carries: [], freeCpuMillis: NODE_ROOM.cpuMillis, freeMemoryMiB: NODE_ROOM.memoryMiB, freePods,
  }]))
  for (const workload of all) for (const pod of workload.pods) if (pod.node !== undefined && places.has(pod.node)) occupy(places.get(pod.node)!, workload, weighs ? pod : undefined)
  return [...places.values()]
}

type Needs = Omit<WorkloadOrder, 'kind' | 'image'>

/** The scheduler's filters in its order, and its words. Of the nodes that fit the emptiest one is taken, by name among equals. */
export function place(needs: Needs, places: readonly Place[]): Placement {
  const refusals = new Map<string, number>(), near = neighboursOf(asOf(needs), places)
  let best: Place | undefined
  for (const one of places) {
    const why = refusal(needs, one, near)
    if (why === undefined) {
      if (!best || one.freeCpuMillis > best.freeCpuMillis || (one.freeCpuMillis === best.freeCpuMillis && one.name < best.name)) best = one
      continue
    }
    for (const text of why) refusals.set(text, (refusals.get(text) ?? 0) + 1)
  }
  if (best) return { node: best.name }
  if (places.length === 0) return { message: 'no nodes available to schedule pods' }
  const reasons = [...refusals].map(([text, count]) => `${count} ${text}`).toSorted().join(', ')
  return { message: `0/${places.length} nodes are available: ${reasons}. preemption: 0/${places.length} nodes are available: ${places.length} Preemption is not helpful for scheduling.` }
}

/** Those that were put on it, and its name as its kubelet labels it. */
export function labelsOf({ name, labels }: Pick<WorldNode, 'name' | 'labels'>): Place['labels'] {
  return { [HOSTNAME]: name, ...labels }
}

/** Takes what the pod asks for off the node, and leaves its marks there. */
export function occupy(place: Place, workload: Needs, pod?: Pick<Pod, 'name'>): void {
  place.freeCpuMillis -= workload.cpuMillis
  place.freeMemoryMiB -= workload.memoryMiB
  place.freePods -= 1
  if (pod) place.carries.push(marksOf(workload, pod))
}

/** What of a pod its neighbours look at. */
export function marksOf({ namespace, labels, antiAffinity, hostPorts }: Needs, { name }: Pick<Pod, 'name'>): Marks {
  return { name: `${namespace}/${name}`, ...(labels && { labels }), ...(antiAffinity && { antiAffinity }), ...(hostPorts && { hostPorts }) }
}

/** Any pod of it. */
export function asOf(workload: Needs): NearTerms {
  return { ...workload, name: `${workload.namespace}/${workload.name}` }
}

function refusal(needs: Needs, one: Place, near: (place: Place) => InTheWay | undefined): readonly string[] | undefined {
  if (one.unschedulable && !tolerates(needs.tolerations, { key: 'node.kubernetes.io/unschedulable', value: '', effect: 'NoSchedule' })) return [CORDONED]
  if (!one.ready && !tolerates(needs.tolerations, { key: 'node.kubernetes.io/unreachable', value: '', effect: 'NoSchedule' })) return [UNREACHABLE]
  const taint = one.taints.find(each => each.effect !== 'PreferNoSchedule' && !tolerates(needs.tolerations, each))
  if (taint) return [`node(s) had untolerated taint {${taint.key}: ${taint.value}}`]
  if (!isChosen(one, needs)) return ['node(s) didn\'t match Pod\'s node affinity/selector']
  const lacks = [
    one.freePods < 1 ? ['Too many pods'] : [], one.freeCpuMillis < needs.cpuMillis ? ['Insufficient cpu'] : [], one.freeMemoryMiB < needs.memoryMiB ? ['Insufficient memory'] : [],
  ].flat()
  if (lacks.length > 0) return lacks
  const why = near(one)
  return why && [IN_THE_WAY[why]]
}
