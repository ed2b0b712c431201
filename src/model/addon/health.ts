import { DEADLINES, DWELL, STALE_AFTER_MS } from '../status/deadlines.ts'
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

/**
 * What the workloads of an add-on say of its health, beside what was held before. What was found of a workload stays until a pod of it is available, or something else is found: nobody who says nothing any more has said that it is well. Only
 * what has said nothing for its dwell is for an unknown cause, and while it is being installed or changed nothing stays, since it is not said to be well then.
 */
export function healthOf({ workloads, schedulableNodes }: WorkloadsSeen, before: AddonFacts, now: number): Health {
  const down = workloads.filter(workload => workload.desired > 0 && workload.available === 0)
  const silent = down.filter(workload => REASONS.every(reason => textOf(workload, reason, schedulableNodes) === undefined))
  const unavailable = held(before.unavailable, silent.map(({ name }) => [name, `no pod of ${name} is available, and neither kubelet nor scheduler says why`]), now)
  const operating = before.operation !== undefined
  const stays = (was: HeldReason | undefined): readonly Found[] => operating ? [] : silent
    .filter(({ name }) => sinceOf(was, name) !== undefined && now - (unavailable?.workloads?.[name] ?? now) < DWELL.addonUnavailable)
    .map(workload => [workload.name, notAvailable(workload)])
  const reasons: Partial<Record<AddonReason, HeldReason>> = {}
  const changes: number[] = []
  for (const reason of REASONS) {
    const was = before.reasons[reason], told = found(down, workload => textOf(workload, reason, schedulableNodes))
    const lasting = reason === 'CrashLoopBackOff' && was ? uncured(workloads.filter(({ name }) => told.every(([other]) => other !== name)), was, now) : []
    for (const { cured } of lasting) if (cured !== undefined) changes.push(cured)
    const holds = besides(held(was, [...told, ...stays(was).filter(([name]) => lasting.every(({ found: [other] }) => other !== name))], now), keptOf(was, lasting, now))
    if (holds) reasons[reason] = holds
  }
  const isWhole = workloads.every(({ desired, available, updated }) => available >= desired && updated >= desired)
  const short = operating ? found(workloads, workload => stoppedHalfWay(workload, before, now)) : [...found(workloads, fewerThanAsked), ...stays(before.degraded)]
  for (const [since, dwell] of [
    ...Object.values(reasons).map(reason => [reason.since, DWELL.addonReasonWhileCreating] as const),
    ...Object.values(unavailable?.workloads ?? {}).map(since => [since, DWELL.addonUnavailable] as const),
    ...(before.operation && !isWhole ? [[before.operation.since, DEADLINES.addonRollout] as const] : []),
  ]) if (since + dwell > now) changes.push(since + dwell)
  return {
    reasons,
    degraded: held(before.degraded, short, now),
    unavailable,
    whole: isWhole,
    changesAt: changes.length === 0 ? undefined : Math.min(...changes),
  }
}

/**
 * Whether what was silent went on to be so nobody saw while it could not be looked at, as in a stop of its cluster: a minute that was not over then begins anew. An API that is away for a moment, perhaps
 * again and again, is no such thing: what is silent before and after is taken for silent in between, or it would never be told.
 */
export function silentAnew(facts: AddonFacts, now: number): AddonFacts {
  const { unavailable, staleSince } = facts
  if (!unavailable || staleSince === undefined || now - staleSince < STALE_AFTER_MS) return facts
  const sinceOf = (since: number) => (staleSince - since >= DWELL.addonUnavailable ? since : now)
  const { since, workloads } = unavailable
  return { ...facts, unavailable: { ...unavailable, since: sinceOf(since), ...workloads && { workloads: Object.fromEntries(Object.entries(workloads).map(([name, one]) => [name, sinceOf(one)])) } } }
}

/** A workload by its name, and what was found of it, a clause. */
type Found = readonly [name: string, text: string]

/** Of each workload since it was first found so; told is what has been so for longest. */
function held(before: HeldReason | undefined, all: readonly Found[], now: number): HeldReason | undefined {
  const dated = all.map(([name, text]) => ({ name, text, since: sinceOf(before, name) ?? now })).toSorted((one, other) => one.since - other.since)
  const [longest] = dated
  return longest && { since: longest.since, text: longest.text, workloads: Object.fromEntries(dated.map(({ name, since }) => [name, since])) }
}

function sinceOf(was: HeldReason | undefined, name: string): number | undefined {
  return was?.workloads ? was.workloads[name] : was?.since
}

/** What is so of a workload of which something else was found before. */
function notAvailable({ name, pods }: WorkloadSeen): string {
  const pod = pods.find(({ node }) => node !== undefined)
  const does = pod?.waiting ? `waits there with ${pod.waiting.reason}${pod.waiting.message && `: ${pod.waiting.message}`}` : 'is not ready there'
  return `no pod of ${name} is available now${pod ? `: pod ${pod.name} has the node ${pod.node} and ${does}` : ''}`
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

/** A workload of which a reason is held though it is so no more, and when it will be cured; undefined while one of its containers does not run. */
interface Lasting { readonly found: Found; readonly cured: number | undefined }

/** A container that runs again may end again: only one that has run long enough is cured. Each workload by itself, and none but those of which it was so. */
function uncured(workloads: readonly WorkloadSeen[], was: HeldReason, now: number): readonly Lasting[] {
  return workloads.flatMap((workload): readonly Lasting[] => {
    const { name } = workload
    if (sinceOf(was, name) === undefined) return []
    const cured = runsUntilCured(workload, now), isTold = was.workloads === undefined || was.text.includes(` of ${name} `)
    return cured !== undefined && cured <= now ? [] : [{ found: [name, isTold ? was.text : `a pod of ${name} waited with CrashLoopBackOff`], cured }]
  })
}

/** It is over when the last of them is cured. */
function keptOf(was: HeldReason | undefined, lasting: readonly Lasting[], now: number): HeldReason | undefined {
  const kept = held(was, lasting.map(({ found: one }) => one), now)
  const runs = lasting.flatMap(({ cured }) => cured ?? [])
  return kept && { ...kept, ...runs.length === lasting.length && { runsSince: Math.max(...runs) - DWELL.addonCrashLoopGone } }
}

/** What is so goes before what was so and is held. */
function besides(now: HeldReason | undefined, kept: HeldReason | undefined): HeldReason | undefined {
  return now && kept ? { since: Math.min(now.since, kept.since), text: now.text, workloads: { ...kept.workloads, ...now.workloads } } : now ?? kept
}

/** When the last of the containers that have ended before will have run long enough; undefined while one of them does not run. */
function runsUntilCured({ pods }: WorkloadSeen, now: number): number | undefined {
  let cured = now
  for (const pod of pods) {
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

function found(workloads: readonly WorkloadSeen[], textOfWorkload: (workload: WorkloadSeen) => string | undefined): readonly Found[] {
  return workloads.flatMap(workload => {
    const text = textOfWorkload(workload)
    return text === undefined ? [] : [[workload.name, text] as const]
  })
}
