import type { NodeCounts } from '#model/cluster/record.ts'
import type { NodePoolFacts, NodePoolSpec } from '#model/node-pool/record.ts'
import { targetOf } from '#model/node-pool/scaling.ts'
import { DWELL, soonestAfter } from '#model/status/deadlines.ts'
import { rfc3339Seconds, spanText } from '#model/time.ts'
import type { RoomSeen } from '#ports/tenant-cluster.ts'
import { activeOf } from './share-need.ts'

/** Everything on which the size of a pool depends. Times are the region's, epoch ms. */
export interface ScalingSeen {
  readonly now: number
  readonly spec: Pick<NodePoolSpec, 'scaling'>
  readonly facts: Pick<NodePoolFacts, 'autoscaler' | 'idle' | 'refused'>
  readonly counts: NodeCounts
  /** Undefined where the autoscaler is off, or could not look: then its last target stands. */
  readonly room: RoomSeen | undefined
  /** Machines of the cluster's need that are this pool's to take. */
  readonly share: number
  /** Running members and broken ones, by id and name; read only where some of them may be idle. */
  readonly members: readonly { readonly id: string; readonly name: string }[]
}

export interface ScalingPlan {
  readonly target: number
  readonly autoscaler: NodePoolFacts['autoscaler']
  readonly idle: NodePoolFacts['idle']
  /** Stopped members to switch on. */
  readonly start: number
  /** Machines to ask for, beyond those. */
  readonly claim: number
  /** Members that are too many, and how many of them are beyond MaxReplicas, whatever they carry. */
  readonly surplus: number
  readonly beyondMost: number
  /** Stopped members for which there is no place any more. */
  readonly drop: number
  /** Ids of members that have been idle for the dwell; an autoscaler's surplus is as many as these, and they go where no broken one that carries nothing goes in their place. */
  readonly ripe: readonly string[]
  readonly lookAgainAt: number | undefined
}

/** How often the autoscaler looks where nobody tells it of pods. */
const LOOK_MS = 15_000

/** How many machines a pool shall have, and what is to be done about it; no plan of ours asks for more than MaxReplicas, or leaves fewer than MinReplicas. */
export function planScaling(seen: ScalingSeen): ScalingPlan | undefined {
  const { now, spec: { scaling }, facts, counts, room } = seen
  if (!scaling) return undefined
  const base = targetOf(scaling), active = activeOf(counts)
  const idle = scaling.enabled && room ? idleNow(seen, base, active) : undefined
  const ripe = Object.entries(idle ?? {}).filter(([, since]) => now - since >= DWELL.nodeIdle).map(([id]) => id)
  const target = scaling.enabled ? Math.min(Math.max(wanted(seen, base, active, ripe.length), base), scaling.maxReplicas) : base
  const missing = Math.max(0, target - active)
  const start = Math.min(missing, counts.stopped)
  return {
    target, idle, ripe, start, autoscaler: scaling.enabled && target !== base ? said(seen, target, base) : undefined,
    claim: Math.max(0, Math.min(missing - start, scaling.maxReplicas - (counts.total - counts.deleting))),
    surplus: Math.max(0, active - target),
    beyondMost: Math.max(0, active - scaling.maxReplicas),
    drop: Math.min(counts.stopped - start, Math.max(0, counts.total - counts.deleting - Math.max(0, active - target) - scaling.maxReplicas)),
    lookAgainAt: scaling.enabled ? nextLook(now, room, idle, facts) : undefined,
  }
}

/** What the autoscaler wants before limits: pods that wait are met, and never answered by fewer machines; what none of them needs goes when it is ripe. */
function wanted({ facts: { autoscaler }, room, share }: ScalingSeen, base: number, active: number, ripe: number): number {
  if (!room) return autoscaler?.target ?? base
  if (room.waiting.length > 0) return Math.max(autoscaler?.target ?? base, active + share)
  return active - ripe
}

/** Since when each member carries nothing, of those that run or are broken; only where some could go, and not while pods wait for room. */
function idleNow({ now, facts, room, members }: ScalingSeen, base: number, active: number): NodePoolFacts['idle'] {
  if (!room || active <= base || room.waiting.length > 0) return undefined
  const empty = members.filter(({ name }) => !room.busy.includes(name))
  return empty.length === 0 ? undefined : Object.fromEntries(empty.map(({ id }) => [id, facts.idle?.[id] ?? now]))
}

function said({ now, facts: { autoscaler }, room, share }: ScalingSeen, target: number, base: number): NonNullable<NodePoolFacts['autoscaler']> {
  if (autoscaler?.target === target) return autoscaler
  const waiting = room?.waiting ?? []
  const because = share > 0 && waiting.length > 0
    ? `${waiting.length === 1 ? `the pod ${waiting[0]?.name ?? ''}` : `${waiting.length} pods, ${waiting[0]?.name ?? ''} among them,`} found no room on the nodes of its cluster at ${rfc3339Seconds(now)}`
    : `its other nodes carry pods, or have not been empty for ${spanText(DWELL.nodeIdle)}; callers want ${base}`
  return { target, because, since: now }
}

function nextLook(now: number, room: RoomSeen | undefined, idle: NodePoolFacts['idle'], { refused }: ScalingSeen['facts']): number | undefined {
  const ripens = Object.values(idle ?? {}).map(since => since + DWELL.nodeIdle)
  const rests = room?.steady === true && room.waiting.length === 0
  return soonestAfter(now, [...ripens, rests ? undefined : now + LOOK_MS, refused?.retryAt])
}
