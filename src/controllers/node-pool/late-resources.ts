import type { NodePoolFacts } from '#model/node-pool/record.ts'
import { DWELL } from '#model/status/deadlines.ts'
import type { Amounts, NodeRoom, RoomSeen } from '#ports/tenant-cluster.ts'

/*
 * Resources besides processors and memory come late: a device plugin is a pod, and reports what it has only when the node has been Ready for a while. Until a node has been Ready without one for the dwell, it is a place for what asks
 * for it, so that no other node is asked for meanwhile; from then on it offers none, and so would the next one of its pool.
 */

/** The resources that pods ask for and the node does not have. Of one that takes no pods now nothing is told. */
export function lackedBy({ whole, more = {} }: NodeRoom): readonly string[] {
  return whole ? Object.keys(more).filter(name => !whole.more?.[name]) : []
}

/** What has been missing for long is none. */
export function withNone(room: RoomSeen, now: number): RoomSeen {
  return { ...room, free: room.free.map(one => {
    const none = isYoung(one, now) ? [] : lackedBy(one)
    return one.whole && none.length > 0 ? { ...one, whole: { ...one.whole, more: { ...one.whole.more, ...Object.fromEntries(none.map(name => [name, 0])) } } } : one
  }) }
}

/** Young members with what they are expected to have: as much as others of their pool, or whatever is asked for where nobody knows. Members of pools that are known to have none are not waited for, nor are nodes of no such pool. */
export function withExpected(room: RoomSeen, pools: readonly { readonly facts: Pick<NodePoolFacts, 'offers'>; readonly names: readonly string[] }[], now: number): RoomSeen {
  const known = new Map(pools.flatMap(({ facts, names }) => names.map(name => [name, facts.offers?.more ?? {}] as const)))
  return { ...room, free: room.free.map(one => {
    const offers = known.get(one.name), lacked = isYoung(one, now) ? lackedBy(one) : []
    return offers && lacked.length > 0 ? { ...one, more: expected(one.more ?? {}, lacked, offers) } : one
  }) }
}

function expected(more: Amounts, lacked: readonly string[], offers: Amounts): Amounts {
  return Object.fromEntries(Object.entries(more).flatMap(([name, left]) => {
    if (!lacked.includes(name)) return [[name, left]]
    const amount = offers[name]
    return amount === undefined ? [] : [[name, left + amount]]
  }))
}

/** Those that still wait for what their place turned out not to have wait there no more, however long they have. */
export function withoutVain(held: NodePoolFacts['held'], { waiting, free }: RoomSeen, now: number): NodePoolFacts['held'] {
  const lacked = new Map(free.filter(one => !isYoung(one, now)).map(one => [one.name, lackedBy(one)])), asks = new Map(waiting.map(({ name, more = {} }) => [name, more]))
  return held && Object.fromEntries(Object.entries(held).filter(([pod, { node }]) => !lacked.get(node ?? '')?.some(name => asks.get(pod)?.[name] !== undefined)))
}

function isYoung({ readyAt = 0 }: NodeRoom, now: number): boolean {
  return now - readyAt < DWELL.nodeIdle
}
