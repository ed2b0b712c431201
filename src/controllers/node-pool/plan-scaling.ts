import type { NodeCounts } from '#model/cluster/record.ts'
import { asksOfNeighbours } from '#model/node-pool/neighbours.ts'
import type { NodePoolFacts, NodePoolSpec } from '#model/node-pool/record.ts'
import { retriedAt } from '#model/node-pool/refusal.ts'
import { targetOf } from '#model/node-pool/scaling.ts'
import { DWELL, GIVES_WAY, keepsPlaceFor, soonestAfter } from '#model/status/deadlines.ts'
import { rfc3339Seconds, spanText } from '#model/time.ts'
import type { RoomSeen } from '#ports/tenant-cluster.ts'
import { keptFor } from './need.ts'
import { activeOf } from './share-need.ts'

/** Everything on which the size of a pool depends. Times are the region's, epoch ms. */
export interface ScalingSeen {
  readonly now: number
  readonly spec: Pick<NodePoolSpec, 'scaling'>
  readonly facts: Pick<NodePoolFacts, 'autoscaler' | 'idle' | 'refused' | 'gaveWay' | 'offers' | 'held' | 'untaken' | 'makesRoom'>
  readonly counts: NodeCounts
  /** Undefined where the autoscaler is off, or could not look: then its last target stands. */
  readonly room: RoomSeen | undefined
  /** For how long the autoscaler could not look, where it is told as soon as it can. */
  readonly blindFor?: number
  /** When the region last told of something by which what was refused, or lost, may be had. */
  readonly toldAt?: number
  /** Names of nodes of the cluster's other pools that their autoscalers may take meanwhile; read only where it matters. */
  readonly others?: readonly string[]
  /** Machines of the cluster's need that are this pool's to take; of one that is refused machines, as many as it would take if it was not. */
  readonly share: number
  /** Running members and broken ones, by id and name; read only where some of them may be idle. */
  readonly members: readonly { readonly id: string; readonly name: string }[]
  /** Members in the way that leave now, so that there is a place for what pods wait for; the counts have them among those that leave. */
  readonly givesWay?: readonly string[]
  /** Members that were ordered off and are on all the same: they can stay. */
  readonly stillOn?: number
  /** The next one that counts as such, if it is not off by then. */
  readonly goingOff?: NonNullable<NodePoolFacts['awaits']>
  /** The API of its cluster is away, and none is made before it is back. */
  readonly withoutApi?: true
  /** When the next one may. */
  readonly givesWayAt?: number | undefined
  /** Members that somebody cordoned, which carry nothing and stay for now: since when is remembered. */
  readonly closed?: readonly string[]
  readonly kept?: NonNullable<NodePoolFacts['kept']>
}

export interface ScalingPlan {
  readonly target: number
  readonly autoscaler: NodePoolFacts['autoscaler']
  readonly idle: NodePoolFacts['idle']
  /** Stopped members to switch on; those that are still on stay before that. */
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
  /** Ids of members in the way that go, whatever the surplus is. */
  readonly givesWay: readonly string[]
  readonly gaveWay: NodePoolFacts['gaveWay']
  /** As they were seen; nobody's where the pool does not scale by itself. */
  readonly offers: NodePoolFacts['offers']
  readonly held: NodePoolFacts['held']
  readonly untaken: NodePoolFacts['untaken']
  readonly makesRoom: NodePoolFacts['makesRoom']
  readonly awaits: NodePoolFacts['awaits']
  readonly kept: NodePoolFacts['kept']
  /** What pods wait for comes to other pools: it asks for nothing that it was refused, and is no less refused it if that does not come. */
  readonly leavesIt: boolean
  readonly lookAgainAt: number | undefined
}

/** How often the autoscaler looks where nobody tells it of pods; where all is told, what has waited for long is looked at ever more seldom. */
const LOOK_MS = 15_000

/** How many machines a pool shall have, and what is to be done about it; no plan of ours asks for more than MaxReplicas, or leaves fewer than MinReplicas. */
export function planScaling(seen: ScalingSeen): ScalingPlan | undefined {
  const { now, spec: { scaling }, facts: { offers, held, untaken }, counts, room, givesWay = [], closed = [], stillOn = 0 } = seen
  if (!scaling) return undefined
  const base = targetOf(scaling), active = activeOf(counts)
  const idle = scaling.enabled && room ? idleNow(seen, base, active) : undefined
  const ripe = Object.entries(idle ?? {}).filter(([id, since]) => now - since >= DWELL.nodeIdle && !closed.includes(id)).map(([id]) => id)
  const makesRoom = scaling.enabled ? roomMade(seen, ripe.length) : undefined
  const target = scaling.enabled ? Math.min(Math.max(wanted(seen, base, active, { ripe: ripe.length, makesRoom }), base), scaling.maxReplicas) : base
  const missing = Math.max(0, target - active)
  const start = Math.min(missing, counts.stopped + stillOn)
  const claim = Math.max(0, Math.min(missing - start, scaling.maxReplicas - (counts.total - counts.deleting)))
  // What was refused, or is not asked for yet, may not come before that.
  const awaits = missing > start + (seen.facts.refused || seen.withoutApi ? 0 : claim) ? seen.goingOff : undefined
  return {
    leavesIt: scaling.enabled && missing === 0 && room !== undefined && room.waiting.length > 0 && active < scaling.maxReplicas,
    target, idle, ripe, start, givesWay, makesRoom, ...scaling.enabled ? { offers, held, untaken } : { offers: undefined, held: undefined, untaken: undefined }, gaveWay: gaveWayNow(seen), autoscaler: scaling.enabled && target !== base ? said(seen, target, base) : undefined,
    claim, awaits, kept: seen.kept,
    surplus: Math.max(0, active - target),
    beyondMost: Math.max(0, active - scaling.maxReplicas),
    drop: Math.min(counts.stopped - Math.max(0, start - stillOn), Math.max(0, counts.total - counts.deleting - Math.max(0, active - target) - scaling.maxReplicas)),
    lookAgainAt: soonestAfter(now, [scaling.enabled ? nextLook(seen, idle) : undefined, awaits?.until]),
  }
}

/** What the autoscaler wants before limits: pods that wait are met, by as many as they need now, beside those that callers want and that come as well; what none of them needs goes when it is ripe. */
function wanted({ facts: { autoscaler }, room, share }: ScalingSeen, base: number, active: number, { ripe, makesRoom }: { readonly ripe: number; readonly makesRoom: number | undefined }): number {
  if (!room) return autoscaler?.target ?? base
  if (makesRoom !== undefined) return ripe > 0 ? active - 1 : active
  if (room.waiting.length > 0) return Math.max(base, active) + share
  return active - ripe
}

/**
 * Pods wait that its next node would take, and none may come as it has as many as it may have: then add-ons may move closer together, so that one comes in place of theirs. Only where all of them mind nothing but room: what moves
 * might else take the place of what waits, and so on for ever. Members that carry nothing, are closed or lost are none of these: the next one might be like them.
 */
export function isFull({ spec: { scaling }, facts: { refused }, counts, room, share }: Pick<ScalingSeen, 'spec' | 'facts' | 'counts' | 'room' | 'share'>): boolean {
  if (!scaling || !room || room.waiting.length === 0 || share > 0 || refused) return false
  const { creating, starting, deleting, stopping, failed } = counts
  if (creating + starting + deleting + stopping + failed > 0) return false
  return activeOf(counts) === scaling.maxReplicas && ![...room.waiting, ...room.light.flatMap(({ pods }) => pods)].some(asksOfNeighbours)
}

/** Since when one goes for that. Until it is gone none comes in its place: what was on it would be there first. */
function roomMade({ now, facts, counts: { deleting, stopping }, room }: ScalingSeen, ripe: number): number | undefined {
  if (!room || room.waiting.length === 0) return undefined
  if (ripe > 0) return now
  return facts.makesRoom !== undefined && deleting + stopping > 0 && now - facts.makesRoom < GOES_MS ? facts.makesRoom : undefined
}

/** What does not go for so long is waited for no longer. */
const GOES_MS = 3_600_000

/** Since when each member carries nothing that needs it, of those that may go for that. */
function idleNow(seen: ScalingSeen, base: number, active: number): NodePoolFacts['idle'] {
  const { now, facts, closed = [] } = seen
  const empty = [...emptyOnes(seen, base, active), ...closed]
  return empty.length === 0 ? undefined : Object.fromEntries(empty.map(id => [id, facts.idle?.[id] ?? now]))
}

/** Of those that run or are broken; only where some could go, and not while pods wait for room that another one can bring. */
function emptyOnes(seen: ScalingSeen, base: number, active: number): readonly string[] {
  const { room, members, others = [] } = seen
  if (!room || active <= base || (room.waiting.length > 0 && !isFull(seen))) return []
  const kept = keptFor(room, [...members.map(({ name }) => name), ...others])
  const open = new Set(room.free.flatMap(({ name, shut }) => (shut ? [] : name))), light = new Set(room.light.map(({ name }) => name))
  return members.filter(({ name }) => !room.busy.includes(name) && !kept.has(name) && (room.waiting.length === 0 || (light.has(name) && open.has(name)))).map(({ id }) => id)
}

/** The sentence of before stands while what it says does: pods wait for room, or none does. */
function said({ now, facts: { autoscaler }, room }: ScalingSeen, target: number, base: number): NonNullable<NodePoolFacts['autoscaler']> {
  const calm = `its other nodes carry pods, or have not been empty for ${spanText(DWELL.nodeIdle)}; callers want ${base}`
  const waiting = room?.waiting ?? []
  if (autoscaler?.target === target && (!room || (waiting.length === 0 ? autoscaler.because === calm : autoscaler.because.includes(NO_ROOM)))) return autoscaler
  const because = waiting.length > 0
    ? `${waiting.length === 1 ? `the pod ${waiting[0]?.name ?? ''}` : `${waiting.length} pods, ${waiting[0]?.name ?? ''} among them,`} ${NO_ROOM} ${rfc3339Seconds(now)}`
    : calm
  return { target, because, since: autoscaler?.target === target ? autoscaler.since : now }
}

const NO_ROOM = 'found no room on the nodes of its cluster at'

/** Of members that are in the way since those instants, the one that may leave for what pods wait for, and when: the one that is so for longest, and none before the next time has come, which is soon where the region told since the last one of what may have been the reason. Undefined where there is none. */
export function mayGiveWay(some: readonly { readonly id: string; readonly since: number }[], { gaveWay }: Pick<NodePoolFacts, 'gaveWay'>, toldAt = -Infinity): { readonly id: string; readonly at: number } | undefined {
  const [longest] = some.toSorted((one, other) => one.since - other.since || (one.id < other.id ? -1 : 1))
  const times = !gaveWay || gaveWay.at <= toldAt ? 0 : Math.min(gaveWay.times, 20)
  const pause = gaveWay ? Math.min(GIVES_WAY.first * 2 ** times, GIVES_WAY.longest) : 0
  return longest && { id: longest.id, at: Math.max(longest.since + GIVES_WAY.first, (gaveWay?.at ?? 0) + pause) }
}

/** Once no pod waits, whatever kept members from coming to run is over. */
function gaveWayNow({ now, spec: { scaling }, facts: { gaveWay }, room, givesWay = [] }: ScalingSeen): NodePoolFacts['gaveWay'] {
  if (givesWay.length > 0) return { times: (gaveWay?.times ?? 0) + givesWay.length, at: now }
  return scaling?.enabled && (!room || room.waiting.length > 0) ? gaveWay : undefined
}

function nextLook({ now, room, blindFor = 0, facts: { refused, gaveWay, held }, givesWayAt, toldAt }: ScalingSeen, idle: NodePoolFacts['idle']): number | undefined {
  const ripens = Object.values(idle ?? {}).map(since => since + DWELL.nodeIdle)
  return soonestAfter(now, [...ripens, ...heldTimes(held), rests(room) ? undefined : now + Math.max(LOOK_MS, longWaited(room, now), blindFor / 2), givesWayAt === undefined ? undefined : Math.max(givesWayAt, givesWaySeldom(room, gaveWay, toldAt)), refused && retriedAt(refused, toldAt)])
}

/** Where nobody told of anything since the last one did, the next one gives way ever more seldom. */
function givesWaySeldom(room: RoomSeen | undefined, gaveWay: NodePoolFacts['gaveWay'], toldAt = -Infinity): number {
  return !gaveWay || gaveWay.at <= toldAt ? 0 : gaveWay.at + longWaited(room, gaveWay.at)
}

/** When it is said that they wait in vain, and when those may have another place that have none there any more. */
function heldTimes(held: NodePoolFacts['held'] = {}): readonly number[] {
  return Object.values(held).flatMap(({ node, since, lost = 0 }) => (node === undefined ? [] : [since + DWELL.nodeIdle, since + keepsPlaceFor(lost)]))
}

function rests(room: RoomSeen | undefined): boolean {
  return room?.steady === true && room.waiting.length === 0
}

/** Part of the time for which pods have waited at that instant, where each change of them is told. */
function longWaited(room: RoomSeen | undefined, at: number): number {
  return room?.steady === true && room.waitingSince !== undefined ? Math.max(0, at - room.waitingSince) / 2 : 0
}
