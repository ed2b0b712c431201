import { tolerates } from '#model/node-pool/fits.ts'
import type { Taint } from '#model/node-pool/record.ts'
import type { WorkloadOrder } from './workload.ts'

/** What a node offers to pods. */
export const NODE_ROOM = { cpuMillis: 4_000, memoryMiB: 8_192 }

/** A node as the scheduler sees it; what is free is what its pods have not asked for. */
export interface Place {
  readonly name: string
  readonly ready: boolean
  readonly unschedulable: boolean
  readonly labels: Readonly<Record<string, string>>
  readonly taints: readonly Taint[]
  freeCpuMillis: number
  freeMemoryMiB: number
  freePods: number
}

export type Placement = { readonly node: string } | { readonly message: string; /** More nodes like these would help. */ readonly forRoom: boolean }

const CORDONED = 'node(s) were unschedulable', UNREACHABLE = 'node(s) had untolerated taint {node.kubernetes.io/unreachable: }'
const FULL = 'Too many pods', NO_CPU = 'Insufficient cpu', NO_MEMORY = 'Insufficient memory'
/** What another node of the same kind would not have. */
const MORE_WOULD_HELP = new Set([CORDONED, UNREACHABLE, FULL, NO_CPU, NO_MEMORY])

type Needs = Pick<WorkloadOrder, 'cpuMillis' | 'memoryMiB' | 'tolerations' | 'nodeSelector'>

/** The scheduler's filters in its order, and its words. Of the nodes that fit the emptiest one is taken, by name among equals. */
export function place(needs: Needs, places: readonly Place[]): Placement {
  const refusals = new Map<string, number>()
  let best: Place | undefined, forRoom = false
  for (const one of places) {
    const why = refusal(needs, one)
    if (why === undefined) {
      if (!best || one.freeCpuMillis > best.freeCpuMillis || (one.freeCpuMillis === best.freeCpuMillis && one.name < best.name)) best = one
      continue
    }
    for (const text of why) refusals.set(text, (refusals.get(text) ?? 0) + 1)
    forRoom ||= why.some(text => MORE_WOULD_HELP.has(text))
  }
  if (best) return { node: best.name }
  if (places.length === 0) return { message: 'no nodes available to schedule pods', forRoom: true }
  const reasons = [...refusals].map(([text, count]) => `${count} ${text}`).toSorted().join(', ')
  return { message: `0/${places.length} nodes are available: ${reasons}. preemption: 0/${places.length} nodes are available: ${places.length} Preemption is not helpful for scheduling.`, forRoom }
}

/** Takes what the pod asks for off the node. */
export function occupy(place: Place, { cpuMillis, memoryMiB }: Needs): void {
  place.freeCpuMillis -= cpuMillis
  place.freeMemoryMiB -= memoryMiB
  place.freePods -= 1
}

function refusal(needs: Needs, one: Place): readonly string[] | undefined {
  if (one.unschedulable && !tolerates(needs.tolerations, { key: 'node.kubernetes.io/unschedulable', value: '', effect: 'NoSchedule' })) return [CORDONED]
  if (!one.ready && !tolerates(needs.tolerations, { key: 'node.kubernetes.io/unreachable', value: '', effect: 'NoSchedule' })) return [UNREACHABLE]
  const taint = one.taints.find(each => each.effect !== 'PreferNoSchedule' && !tolerates(needs.tolerations, each))
  if (taint) return [`node(s) had untolerated taint {${taint.key}: ${taint.value}}`]
  if (Object.entries(needs.nodeSelector ?? {}).some(([key, value]) => one.labels[key] !== value)) return ['node(s) didn\'t match Pod\'s node affinity/selector']
  const lacks = [
    one.freePods < 1 ? [FULL] : [], one.freeCpuMillis < needs.cpuMillis ? [NO_CPU] : [], one.freeMemoryMiB < needs.memoryMiB ? [NO_MEMORY] : [],
  ].flat()
  return lacks.length > 0 ? lacks : undefined
}
