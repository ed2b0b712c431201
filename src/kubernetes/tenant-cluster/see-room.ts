import type { Toleration } from '#model/node-pool/fits.ts'
import type { NodeRoom, PodNeed, RoomSeen } from '#ports/tenant-cluster.ts'
import type { NodeObject, PodObject } from '../client/objects.ts'
import { DNS_LABELS, SYSTEM_NAMESPACE } from './base/names.ts'
import { hasEnded, mustLeave } from './evict-pods.ts'
import { isReady, seeNode } from './see-node.ts'

/** What a new node of the cluster would have to offer, by the scheduler's own words on pods and by what nodes carry. */
export function seeRoom(pods: readonly PodObject[], nodes: readonly NodeObject[]): RoomSeen {
  const missed = pods.filter(mustLeave), isShut = nodes.some(node => !takesPods(node))
  // One that is being deleted has its successor elsewhere, or gets it when this one is gone, which on a node that is not reached is with the node.
  const placed = missed.flatMap(pod => (pod.spec?.nodeName !== undefined && pod.metadata.deletionTimestamp === undefined ? [{ name: pod.spec.nodeName, pod }] : []))
  const busy = new Set(placed.flatMap(({ name, pod }) => (pod.metadata.namespace === SYSTEM_NAMESPACE ? [] : name)))
  const byNode = Map.groupBy(placed.filter(({ name }) => !busy.has(name)), ({ name }) => name)
  const light = [...byNode].map(([name, some]) => ({ name, pods: some.map(({ pod }) => needOf(pod)) })).toSorted((one, other) => (one.name < other.name ? -1 : 1))
  const offers = nodes.flatMap(node => offerOf(node) ?? [])
  const least = (amount: 'cpuMillis' | 'memoryMiB') => Math.min(...offers.map(offer => offer[amount]))
  return {
    waiting: missed.filter(pod => isWithoutRoom(pod, isShut)).map(needOf), perNode: offers.length === 0 ? undefined : { cpuMillis: least('cpuMillis'), memoryMiB: least('memoryMiB') },
    busy: [...busy].toSorted(), light, free: light.length > 0 ? roomOf(nodes, pods) : [],
  }
}

/**
 * True where another node of the same kind would help: for want of CPU, memory or places for pods, or of any node, or as there is a node that takes no pods at all now. A pod that no node fits by its
 * selector or tolerations waits for something else, and the scheduler's message is the only thing that tells; what one asks of its neighbours nobody here could weigh.
 */
function isWithoutRoom({ spec, status }: PodObject, isShut: boolean): boolean {
  if (spec?.nodeName !== undefined) return false
  const scheduled = status?.conditions?.find(({ type }) => type === 'PodScheduled')
  if (scheduled?.status !== 'False' || scheduled.reason !== 'Unschedulable') return false
  const message = scheduled.message ?? ''
  return ['Insufficient ', 'Too many pods', 'no nodes available'].some(words => message.includes(words)) || message.startsWith('0/0 ') || (isShut && spec?.affinity === undefined)
}

function needOf(pod: PodObject): PodNeed {
  const { metadata: { name, namespace = 'default', labels = {} }, spec } = pod
  const isBase = namespace === SYSTEM_NAMESPACE && Object.entries(DNS_LABELS).every(([key, value]) => labels[key] === value)
  return { name: `${namespace}/${name}`, ...requestsOf(pod), ...(spec?.nodeSelector && { nodeSelector: spec.nodeSelector }), ...(spec?.tolerations && { tolerations: spec.tolerations.map(seeToleration) }), ...(isBase && { base: true as const }) }
}

function seeToleration({ key, operator, value, effect }: NonNullable<NonNullable<PodObject['spec']>['tolerations']>[number]): Toleration {
  return { ...(key !== undefined && { key }), ...(operator !== 'Exists' && { value: value ?? '' }), ...(effect !== undefined && { effect }) }
}

function roomOf(nodes: readonly NodeObject[], pods: readonly PodObject[]): readonly NodeRoom[] {
  const on = Map.groupBy(pods.filter(pod => !hasEnded(pod)), ({ spec }) => spec?.nodeName)
  return nodes.filter(takesPods).flatMap(node => {
    const offer = offerOf(node), taken = on.get(node.metadata.name) ?? [], { name, labels, taints } = seeNode(node)
    const left = (amount: 'cpuMillis' | 'memoryMiB') => taken.reduce((rest, pod) => rest - requestsOf(pod)[amount], offer?.[amount] ?? 0)
    return offer ? [{ name, labels, taints, cpuMillis: left('cpuMillis'), memoryMiB: left('memoryMiB'), pods: offer.pods - taken.length }] : []
  })
}

function takesPods(node: NodeObject): boolean {
  return isReady(node) && node.spec?.unschedulable !== true
}

function offerOf({ status }: NodeObject): { readonly cpuMillis: number; readonly memoryMiB: number; readonly pods: number } | undefined {
  return status?.allocatable && { cpuMillis: cpuMillis(status.allocatable['cpu']), memoryMiB: memoryMiB(status.allocatable['memory']), pods: Number(status.allocatable['pods'] ?? USUAL_PODS) }
}

/** As kubelets have it where nothing else is said. */
const USUAL_PODS = 110

function requestsOf({ spec }: PodObject): { cpuMillis: number; memoryMiB: number } {
  const containers = spec?.containers ?? []
  const sum = (of: (requests: Readonly<Record<string, string>>) => number) => containers.reduce((total, { resources }) => total + of(resources?.requests ?? {}), 0)
  return { cpuMillis: sum(({ cpu }) => cpuMillis(cpu)), memoryMiB: sum(({ memory }) => memoryMiB(memory)) }
}

/** `250m`, `2`, `0.5` as thousandths of a processor. */
export function cpuMillis(quantity: string | undefined): number {
  if (quantity === undefined) return 0
  return Math.ceil(quantity.endsWith('m') ? Number(quantity.slice(0, -1)) : Number(quantity) * 1000)
}

const BYTES: Readonly<Record<string, number>> = {
  '': 1, m: 1e-3, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60,
}

/** Kubernetes' memory quantities, e.g. `4038524Ki`, `1.5Gi`, `1e9`. */
export function memoryMiB(quantity: string | undefined): number {
  const [, number = '0', suffix = ''] = /^([0-9.]+(?:[eE][0-9]+)?)([A-Za-z]*)$/.exec(quantity ?? '0') ?? []
  return Math.ceil(Number(number) * (BYTES[suffix] ?? 1) / 2 ** 20)
}
