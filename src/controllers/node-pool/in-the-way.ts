import type { NodePoolRecord } from '#model/node-pool/record.ts'
import type { NodeRecord } from '#model/node/record.ts'
import type { RoomSeen } from '#ports/tenant-cluster.ts'
import { keptFor } from './need.ts'
import { isLost } from './scale-in.ts'

/** By their ids, and since when each is so. */
type Since = readonly { readonly id: string; readonly since: number }[]

export interface InTheWay {
  /** Nothing is known to run on them, and nothing will. */
  readonly lost: Since
  /** Somebody cordoned them, and nothing is on them that finds no room elsewhere. Whoever did that may open them again, or take them away himself: they are in the way only once they have been so for as long as any idle node. */
  readonly closed: Since
}

/** Members of a pool that may have no more, which are no place for what waits and keep one from coming. Where as few run as callers allow, a closed one is left as it is. */
export function inTheWay({ spec: { scaling }, facts: { idle }, counts }: Pick<NodePoolRecord, 'spec' | 'facts' | 'counts'>, nodes: readonly NodeRecord[], room: RoomSeen, now: number): InTheWay {
  const empty = nodes.filter(({ spec }) => !room.busy.includes(spec.name))
  const cordoned = counts.running > (scaling?.minReplicas ?? 0) ? empty.filter(isClosed) : []
  const kept = cordoned.length === 0 ? new Set<string>() : keptFor(room, cordoned.map(({ spec }) => spec.name))
  return {
    lost: empty.filter(isLost).map(({ id, said: { since } }) => ({ id, since })),
    closed: cordoned.filter(({ spec }) => !kept.has(spec.name)).map(({ id }) => ({ id, since: idle?.[id] ?? now })),
  }
}

/** What the pool itself does with a node is nobody else's cordon. */
function isClosed({ said: { status }, facts }: NodeRecord): boolean {
  return status.phase === 'Running' && facts.unschedulable && !facts.deletion && !facts.cordonedToStop && facts.ordered === undefined
}
