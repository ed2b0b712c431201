import { isAwaited, wishOf } from '#model/node-pool/node-config.ts'
import type { NodePoolFacts, NodePoolRecord } from '#model/node-pool/record.ts'
import type { NodeRecord } from '#model/node/record.ts'
import { DEADLINES } from '#model/status/deadlines.ts'
import { withFacts } from '#model/with-facts.ts'
import type { RoomSeen } from '#ports/tenant-cluster.ts'
import { withAskedLabels } from './asked-labels.ts'
import { withExpected, withNone, withoutVain } from './late-resources.ts'
import { needIn, needsNodes, untakenText, type NeedSeen, type Taker, type WeighedRoom } from './need.ts'
import { offersOf } from './offers.ts'

export interface Member {
  readonly spec: Pick<NodeRecord['spec'], 'name' | 'carries' | 'template'>
  readonly facts: Pick<NodeRecord['facts'], 'deletion' | 'ordered' | 'ready' | 'configured' | 'begins'> & Partial<Pick<NodeRecord['facts'], 'outOfSync'>>
}

export interface Looked {
  /** Undefined where nobody could look. */
  readonly room: RoomSeen | undefined
  /** All of the cluster; none where nothing waits that matters. */
  readonly pools: readonly Taker[]
  /** By pool: all of this one's, and of others those that may leave, or all where a node lacks what pods ask for. */
  readonly nodes: ReadonlyMap<string, readonly Member[]>
}

export interface NeedOfPool {
  /** The cluster's. */
  readonly needed: NeedSeen | undefined
  /** What of it concerns this pool: what only another one would take keeps none of its nodes, but for the base, which is need as long as anything is. */
  readonly room: WeighedRoom | undefined
  /** With what was learned of its nodes, and of what they would not take. */
  readonly facts: NodePoolFacts
}

export function needOfPool(pool: Pick<NodePoolRecord, 'id' | 'spec' | 'facts'>, { room: seen, pools, nodes }: Looked, now: number): NeedOfPool {
  if (!seen) return { needed: undefined, room: undefined, facts: pool.facts }
  const looked = withNone(seen, now), before = withoutVain(pool.facts.held, seen, now)
  const own = nodes.get(pool.id) ?? []
  const learned = pools.length > 0 ? withFacts(pool.facts, { offers: offersOf(pool, looked, own) }) : pool.facts
  const takers = pools.map(one => (one.id === pool.id ? { ...one, facts: learned } : one))
  const room = withExpected(standing(withAskedLabels(looked), [...nodes.values()].flat()), takers.map(({ id, facts }) => ({ facts, names: (nodes.get(id) ?? []).map(({ spec }) => spec.name) })), now)
  const needed = needIn(withLabels(room, own, pool, now), takers, { before, now })
  const { takenBy, untaken: _none, held, ...weighed } = needed
  const mine = takenBy.get(pool.id) ?? []
  return { needed, room: { ...weighed, waiting: mine, ...mine.length === 0 && needsNodes(needed) && { needed: true as const } }, facts: withFacts(learned, { held: Object.keys(held).length > 0 ? held : undefined, untaken: untakenText(needed, { ...pool, facts: learned }, now) }) }
}

/** The room without nodes that are about to go. One that is switched off has no room, and stays a place among others. */
export function standing(room: RoomSeen, nodes: readonly Member[]): RoomSeen {
  const leaving = new Set(nodes.flatMap(({ facts, spec }) => (facts.deletion ? [spec.name] : []))), off = new Set(nodes.flatMap(({ facts, spec }) => (facts.ordered?.power === 'off' ? [spec.name] : [])))
  return leaving.size + off.size === 0 ? room : { ...room, free: room.free.filter(({ name }) => !leaving.has(name)).map(one => (off.has(one.name) ? { ...one, shut: true, carries: [] } : one)) }
}

/** A member that has just come has its pool's labels in a moment, and so has one whose pool is being updated; another one for what asks for them would be one too many. What has been without them for longer does not get them: it is as it is. */
function withLabels(room: RoomSeen, own: readonly Member[], { spec, facts }: Pick<NodePoolRecord, 'spec' | 'facts'>, now: number): RoomSeen {
  const awaited = new Map(own.flatMap(member => {
    const wish = wishOf(spec, member.spec), { ready, outOfSync = false } = member.facts
    const isDue = facts.updating !== undefined || !ready || now - ready.since < DEADLINES.nodePoolUpdate
    return isDue && (outOfSync || isAwaited(member.facts, wish)) ? [[member.spec.name, wish.labels] as const] : []
  }))
  return awaited.size === 0 ? room : { ...room, free: room.free.map(one => ({ ...one, labels: { ...one.labels, ...Object.fromEntries((awaited.get(one.name) ?? []).map(({ key, value }) => [key, value])) } })) }
}
