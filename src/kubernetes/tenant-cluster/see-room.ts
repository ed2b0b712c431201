import type { NodeRoom, PodNeed, RoomSeen } from '#ports/tenant-cluster.ts'
import type { DaemonSetObject, NodeObject, PodObject } from '../client/objects.ts'
import { SYSTEM_NAMESPACE } from './base/names.ts'
import { hasEnded, mustLeave } from './evict-pods.ts'
import { amount, cpuMillis } from './quantities.ts'
import { asksOfNeighbours, marksOf, needOf, requestsOf } from './see-need.ts'
import { isCordoned, isReady, seeNode } from './see-node.ts'

/** What a new node of the cluster would have to offer, by the scheduler's own words on pods and by what nodes carry. */
export function seeRoom(pods: readonly PodObject[], nodes: readonly NodeObject[], daemonSets: readonly DaemonSetObject[] = []): RoomSeen {
  const missed = pods.filter(mustLeave), waits = missed.filter(isWaiting)
  // One that is being deleted has its successor elsewhere, or gets it when this one is gone, which on a node that is not reached is with the node.
  const placed = missed.flatMap(pod => (pod.spec?.nodeName !== undefined && pod.metadata.deletionTimestamp === undefined ? [{ name: pod.spec.nodeName, pod }] : []))
  const busy = new Set(placed.flatMap(({ name, pod }) => (pod.metadata.namespace === SYSTEM_NAMESPACE ? [] : name)))
  const byNode = [...Map.groupBy(placed.filter(({ name }) => !busy.has(name)), ({ name }) => name)]
  const weighs = [...waits, ...byNode.flatMap(([, some]) => some.map(({ pod }) => pod))].some(asksOfNeighbours) || pods.some(({ spec }) => spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution)
  const waiting = waits.map(pod => needOf(pod, weighs))
  const light = byNode.map(([name, some]) => ({ name, pods: some.map(({ pod }) => needOf(pod, weighs)) })).toSorted((one, other) => (one.name < other.name ? -1 : 1))
  const offers = offersOf(nodes)
  const least = (of: 'cpuMillis' | 'memoryMiB') => Math.min(...offers.map(offer => offer[of]))
  return {
    waiting, perNode: offers.length === 0 ? undefined : { cpuMillis: least('cpuMillis'), memoryMiB: least('memoryMiB') }, busy: [...busy].toSorted(), light,
    free: waiting.length + light.length > 0 ? roomOf(nodes, pods, { weighs, waits: waiting.length > 0, more: moreOf([...waiting, ...light.flatMap(one => one.pods)]) }) : [],
    ...waiting.length > 0 && { daemons: daemonSets.map(({ metadata, spec }) => needOf({ metadata: { ...metadata, labels: spec?.template?.metadata?.labels ?? {} }, spec: spec?.template?.spec ?? {} }, weighs)) },
  }
}

/** The scheduler found no node for it, for whatever reason: its words tell of the nodes there are, not of one to come. One that is being deleted is placed no more. */
export function isWaiting({ metadata, spec, status }: PodObject): boolean {
  const scheduled = status?.conditions?.find(({ type }) => type === 'PodScheduled')
  return spec?.nodeName === undefined && metadata.deletionTimestamp === undefined && scheduled?.status === 'False' && scheduled.reason === 'Unschedulable'
}

function moreOf(pods: readonly PodNeed[]): readonly string[] {
  return [...new Set(pods.flatMap(({ more = {} }) => Object.keys(more)))].toSorted()
}

/** Taints that a node which has just become Ready still has for a moment. */
const PASSING = new Set(['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable', 'node.kubernetes.io/network-unavailable'])

function roomOf(nodes: readonly NodeObject[], pods: readonly PodObject[], { weighs, waits, more }: { readonly weighs: boolean; readonly waits: boolean; readonly more: readonly string[] }): readonly NodeRoom[] {
  const on = Map.groupBy(pods.filter(pod => !hasEnded(pod)), ({ spec }) => spec?.nodeName)
  return nodes.map(node => {
    const taken = on.get(node.metadata.name) ?? [], { name, labels, taints, createdAt, ready } = seeNode(node), asked = taken.map(requestsOf), offer = offerOf(node), isOpen = takesPods(node)
    const offered = (resource: string) => amount(node.status?.allocatable?.[resource])
    const left = (of: 'cpuMillis' | 'memoryMiB') => asked.reduce((rest, requests) => rest - requests[of], offer?.[of] ?? 0)
    const kept = more.map(resource => [resource, asked.reduce((rest, requests) => rest - (requests.more?.[resource] ?? 0), offered(resource))])
    // None may be one that its device plugin has not reported yet, or not since its kubelet started.
    const had = more.filter(resource => offered(resource) > 0)
    return {
      name, labels, taints: isOpen ? taints.filter(({ key }) => !PASSING.has(key)) : taints, cpuMillis: left('cpuMillis'), memoryMiB: left('memoryMiB'), pods: (offer?.pods ?? 0) - taken.length,
      ...more.length > 0 && { more: Object.fromEntries(kept) }, ...!isOpen && { shut: true as const }, ...weighs && { carries: taken.map(marksOf) },
      // One that is not Ready yet, or any more, may be unfinished: it says nothing of the next one.
      ...(waits && offer && isOpen && { ...more.length > 0 && { readyAt: Math.max(createdAt, ready?.since ?? 0) }, whole: { at: createdAt, ...offer, ...had.length > 0 && { more: Object.fromEntries(had.map(resource => [resource, offered(resource)])) } } }),
    }
  })
}

/** Those that take no pods now count where none does, if they have said what they have. */
function offersOf(nodes: readonly NodeObject[]): readonly { readonly cpuMillis: number; readonly memoryMiB: number }[] {
  const all = nodes.flatMap(node => ({ isOpen: takesPods(node), offer: offerOf(node) })), open = all.filter(({ isOpen }) => isOpen)
  return (open.length > 0 ? open : all).flatMap(({ offer }) => (offer && offer.cpuMillis > 0 ? offer : []))
}

function takesPods(node: NodeObject): boolean {
  return isReady(node) && !isCordoned(node)
}

function offerOf({ status }: NodeObject): { readonly cpuMillis: number; readonly memoryMiB: number; readonly pods: number } | undefined {
  return status?.allocatable && { cpuMillis: cpuMillis(status.allocatable['cpu']), memoryMiB: Math.floor(amount(status.allocatable['memory']) / 2 ** 20), pods: Number(status.allocatable['pods'] ?? USUAL_PODS) }
}

/** As kubelets have it where nothing else is said. */
const USUAL_PODS = 110
