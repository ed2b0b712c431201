import type { RoomSeen } from '#ports/tenant-cluster.ts'
import type { NodeObject, PodObject } from '../client/objects.ts'
import { mustLeave } from './evict-pods.ts'

/** Cluster DNS waits for a first node and moves to another one when its own goes; no machine is made or kept for it. */
const BASE_NAMESPACE = 'kube-system'

/** What a new node of the cluster would have to offer, by the scheduler's own words on pods and by what nodes carry. */
export function seeRoom(pods: readonly PodObject[], nodes: readonly NodeObject[]): RoomSeen {
  const missed = pods.filter(pod => mustLeave(pod) && pod.metadata.namespace !== BASE_NAMESPACE)
  const waiting = missed.filter(isWithoutRoom).map(pod => ({ name: pod.metadata.name, ...requestsOf(pod) }))
  const offers = nodes.flatMap(({ status }) => (status?.allocatable ? [{ cpuMillis: cpuMillis(status.allocatable['cpu']), memoryMiB: memoryMiB(status.allocatable['memory']) }] : []))
  const least = (amount: 'cpuMillis' | 'memoryMiB') => Math.min(...offers.map(offer => offer[amount]))
  return {
    waiting, perNode: offers.length === 0 ? undefined : { cpuMillis: least('cpuMillis'), memoryMiB: least('memoryMiB') },
    // One that is being deleted has its successor elsewhere, or gets it when this one is gone, which on a node that is not reached is with the node.
    busy: [...new Set(missed.flatMap(pod => (pod.metadata.deletionTimestamp === undefined ? pod.spec?.nodeName ?? [] : [])))].sort(),
  }
}

/**
 * True where another node of the same kind would help: for want of CPU, memory or places for pods, or of any node. A pod that no node fits by its selector or tolerations
 * waits for something else, and the scheduler's message is the only thing that tells.
 */
function isWithoutRoom({ spec, status }: PodObject): boolean {
  if (spec?.nodeName !== undefined) return false
  const scheduled = status?.conditions?.find(({ type }) => type === 'PodScheduled')
  if (scheduled?.status !== 'False' || scheduled.reason !== 'Unschedulable') return false
  const message = scheduled.message ?? ''
  return ['Insufficient ', 'Too many pods', 'no nodes available'].some(words => message.includes(words)) || message.startsWith('0/0 ')
}

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
