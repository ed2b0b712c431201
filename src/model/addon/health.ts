import { DEADLINES, DWELL } from '../status/deadlines.ts'
import { spanText } from '../time.ts'
import type { AddonFacts, AddonReason, HeldReason } from './record.ts'

/** A pod of a workload, as kubelet and scheduler tell it. */
export interface PodSeen {
  readonly name: string
  /** The name of the node that it is bound to. */
  readonly node?: string
  readonly ready: boolean
  /** Of the revision that is wanted now. */
  readonly current: boolean
  /** The container's waiting reason and message, e.g. `ImagePullBackOff`. */
  readonly waiting?: { readonly reason: string; readonly message: string }
  /** Since when its containers run; undefined while one does not. */
  readonly runningSince?: number
  /** How often its containers have ended. */
  readonly restarts: number
  /** What the scheduler says, while it finds no node. */
  readonly unschedulable?: string
}

export interface WorkloadSeen {
  /** E.g. `Deployment/coredns`. */
  readonly name: string
  /** A DaemonSet: it wants a pod on each node that fits, whatever that node's state. */
  readonly onEachNode?: true
  readonly desired: number
  readonly available: number
  /** Pods of the revision that is wanted now. */
  readonly updated: number
  readonly pods: readonly PodSeen[]
}

const WAITING: Readonly<Record<string, AddonReason>> = { ImagePullBackOff: 'ImagePullBackOff', ErrImagePull: 'ImagePullBackOff', InvalidImageName: 'ImagePullBackOff', CrashLoopBackOff: 'CrashLoopBackOff' }
const REASONS: readonly AddonReason[] = ['CrashLoopBackOff', 'ImagePullBackOff', 'SchedulingFailed']

/** What was seen of an add-on's workloads at one look. */
export interface WorkloadsSeen {
  readonly workloads: readonly WorkloadSeen[]
  readonly schedulableNodes: number
}

export interface Health {
  readonly reasons: AddonFacts['reasons']
  readonly degraded: HeldReason | undefined
  readonly unavailable: HeldReason | undefined
  /** All workloads have all their pods, of the wanted revision. */
  readonly whole: boolean
  /** When the answer can change by time alone. */
  readonly changesAt: number | undefined
}

/**
 * What is asked of workloads that want a pod on each node, less what nodes would run that are off, go off or come back because their pool wishes so, or that are wanted no more: Kubernetes counts those as wanted and not available, and nothing is
 * wrong with them. Pods that may go elsewhere are asked for as before.
 */
export function besidesResting(workloads: readonly WorkloadSeen[], resting: ReadonlySet<string>): readonly WorkloadSeen[] {
  return workloads.map(workload => {
    const left = workload.onEachNode ? workload.pods.filter(({ node }) => node !== undefined && resting.has(node)) : []
    if (left.length === 0) return workload
    const { desired, available, updated, pods } = workload
    const others = pods.filter(pod => !left.includes(pod))
    const nodesOf = (some: readonly PodSeen[]) => new Set(some.flatMap(({ node }) => node ?? [])).size
    // Where its pods do not tolerate a node at rest, Kubernetes has left it out already: what is seen on other nodes is asked for in any case.
    const besides = (counted: number, resting: number, seen: number) => Math.max(counted - resting, Math.min(counted, seen))
    return {
      ...workload, pods: others,
      desired: besides(desired, nodesOf(left), nodesOf(others)),
      available: besides(available, left.filter(({ ready }) => ready).length, others.filter(({ ready }) => ready).length),
      updated: besides(updated, left.filter(({ current }) => current).length, others.filter(({ current }) => current).length),
    }
  })
}

/** What the workloads of an add-on say of its health, beside what was held before: reasons stay until they have been gone for their dwell. */
export function healthOf({ workloads, schedulableNodes }: WorkloadsSeen, before: AddonFacts, now: number): Health {
  const down = workloads.filter(workload => workload.desired > 0 && workload.available === 0)
  const reasons: Partial<Record<AddonReason, HeldReason>> = {}
  const changes: number[] = []
  for (const reason of REASONS) {
    const text = first(down, workload => textOf(workload, reason, schedulableNodes))
    const held = before.reasons[reason]
    if (text !== undefined) reasons[reason] = { since: held?.since ?? now, text }
    else if (reason === 'CrashLoopBackOff' && held) {
      // A container that runs again may end again: only one that has run long enough is cured.
      const cured = runsUntilCured(workloads, now)
      if (cured === undefined || cured > now) {
        reasons[reason] = held
        if (cured !== undefined) changes.push(cured)
      }
    }
  }
  const isWhole = workloads.every(({ desired, available, updated }) => available >= desired && updated >= desired)
  const operating = before.operation !== undefined
  const stopped = operating ? first(workloads, workload => stoppedHalfWay(workload, before, now)) : undefined
  const fewer = operating ? undefined : first(workloads, fewerThanAsked)
  const short = stopped ?? fewer
  const silent = first(down, workload => REASONS.some(reason => textOf(workload, reason, schedulableNodes) !== undefined) ? undefined : `no pod of ${workload.name} is available, and neither kubelet nor scheduler says why`)
  const unavailable = silent === undefined || Object.keys(reasons).length > 0 ? undefined : { since: before.unavailable?.since ?? now, text: silent }
  for (const [since, dwell] of [
    ...Object.values(reasons).map(held => [held.since, DWELL.addonReasonWhileCreating] as const),
    ...(unavailable ? [[unavailable.since, DWELL.addonUnavailable] as const] : []),
    ...(before.operation && !isWhole ? [[before.operation.since, DEADLINES.addonRollout] as const] : []),
  ]) if (since + dwell > now) changes.push(since + dwell)
  return {
    reasons,
    degraded: short === undefined ? undefined : { since: before.degraded?.since ?? now, text: short },
    unavailable,
    whole: isWhole,
    changesAt: changes.length === 0 ? undefined : Math.min(...changes),
  }
}

function textOf(workload: WorkloadSeen, reason: AddonReason, schedulableNodes: number): string | undefined {
  for (const pod of workload.pods) {
    if (pod.ready) continue
    if (reason === 'SchedulingFailed') {
      if (pod.unschedulable !== undefined) return `no node fits the pods of ${workload.name}: ${schedulableNodes} schedulable node${schedulableNodes === 1 ? '' : 's'} (${pod.unschedulable})`
    } else if (pod.waiting && WAITING[pod.waiting.reason] === reason) {
      return `pod ${pod.name} of ${workload.name} waits with ${pod.waiting.reason}: ${pod.waiting.message}`
    }
  }
  return undefined
}

/** When the last of the containers that have ended before will have run long enough; undefined while one of them does not run. */
function runsUntilCured(workloads: readonly WorkloadSeen[], now: number): number | undefined {
  let cured = now
  for (const { pods } of workloads) for (const pod of pods) {
    if (pod.restarts === 0) continue
    if (pod.runningSince === undefined) return undefined
    cured = Math.max(cured, pod.runningSince + DWELL.addonCrashLoopGone)
  }
  return cured
}

function fewerThanAsked({ name, desired, available }: WorkloadSeen): string | undefined {
  return available > 0 && available < desired ? `${available} of ${desired} pods of ${name} are available` : undefined
}

/** New pods that cannot start, beside old ones that still serve; or a change that has made no whole of it in its time. */
function stoppedHalfWay(workload: WorkloadSeen, { operation }: AddonFacts, now: number): string | undefined {
  const { name, desired, available, updated, pods } = workload
  if (available === 0 || (available >= desired && updated >= desired)) return undefined
  const stuck = pods.find(pod => pod.current && !pod.ready && (pod.unschedulable !== undefined || (pod.waiting !== undefined && WAITING[pod.waiting.reason] !== undefined)))
  if (stuck && pods.some(pod => !pod.current)) return `the rollout of ${name} stopped half-way: pod ${stuck.name} of the new revision ${stuck.waiting ? `waits with ${stuck.waiting.reason}` : 'finds no node'}, and ${available} of ${desired} pods are available`
  if (operation && now - operation.since >= DEADLINES.addonRollout) return `the rollout of ${name} is not whole after ${spanText(DEADLINES.addonRollout)}: ${available} of ${desired} pods are available`
  return undefined
}

function first<Item>(items: readonly Item[], textOfItem: (item: Item) => string | undefined): string | undefined {
  for (const item of items) {
    const text = textOfItem(item)
    if (text !== undefined) return text
  }
  return undefined
}
