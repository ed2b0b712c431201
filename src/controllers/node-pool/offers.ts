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
  const { at, more: told = {} } = newest.whole
  // A node that had it and has it no more has lost it: the next one may have it.
  const more = { ...before?.more, ...Object.fromEntries(Object.entries(told).filter(([name, amount]) => amount > 0 || before?.reportedBy?.[name] !== at)) }
  const reportedBy = { ...before?.reportedBy, ...Object.fromEntries(Object.entries(told).flatMap(([name, amount]) => (amount > 0 ? [[name, at]] : []))) }
  return { of, ...newest.whole, ...Object.keys(more).length > 0 && { more }, ...Object.keys(reportedBy).length > 0 && { reportedBy }, labels: Object.fromEntries(Object.entries(newest.labels).filter(([key]) => KUBELETS_OWN_LABELS.has(key) && key !== HOSTNAME)) }
}
