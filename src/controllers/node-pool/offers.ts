import { hash } from 'node:crypto'
import { HOSTNAME } from '#model/node-pool/fits.ts'
import { KUBELETS_OWN_LABELS } from '#model/node-pool/labels.ts'
import type { NodePoolFacts, NodePoolRecord } from '#model/node-pool/record.ts'
import type { RoomSeen } from '#ports/tenant-cluster.ts'

/**
 * What a node offers that the pool makes, by its newest one. It is kept when that one goes: else what is too large for such nodes would bring one again and again. An older one that is still there says nothing
 * of the next. Another template may make other nodes, so what is known ends with it.
 */
export function offersOf({ spec, facts }: Pick<NodePoolRecord, 'spec' | 'facts'>, room: RoomSeen, names: readonly string[]): NodePoolFacts['offers'] {
  const of = hash('sha256', JSON.stringify(spec.template ?? null)).slice(0, 12), before = facts.offers?.of === of ? facts.offers : undefined, own = new Set(names)
  const seen = room.free.flatMap(({ name, labels, whole }) => (whole && own.has(name) && whole.at >= (before?.at ?? 0) ? [{ name, labels, whole }] : []))
  const [newest] = seen.toSorted((one, other) => other.whole.at - one.whole.at || (one.name < other.name ? -1 : 1))
  if (!newest) return before
  const more = { ...before?.more, ...newest.whole.more }
  return { of, ...newest.whole, ...Object.keys(more).length > 0 && { more }, labels: Object.fromEntries(Object.entries(newest.labels).filter(([key]) => KUBELETS_OWN_LABELS.has(key) && key !== HOSTNAME)) }
}
