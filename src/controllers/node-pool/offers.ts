import { hash } from 'node:crypto'
import { HOSTNAME } from '#model/node-pool/fits.ts'
import { KUBELETS_OWN_LABELS } from '#model/node-pool/labels.ts'
import type { MachineTemplate, NodePoolFacts, NodePoolRecord } from '#model/node-pool/record.ts'
import type { NodeRecord } from '#model/node/record.ts'
import type { RoomSeen } from '#ports/tenant-cluster.ts'

type Offers = NonNullable<NodePoolFacts['offers']>

/**
 * What a node offers that the pool makes, by its newest one of the template that it has now. It is kept when that one goes: else what is too large for such nodes would bring one again and again. An older one that is still there says
 * nothing of the next, nor does one of another template, or one that nobody knows to be of this one.
 */
export function offersOf({ spec, facts }: Pick<NodePoolRecord, 'spec' | 'facts'>, room: RoomSeen, members: readonly { readonly spec: Pick<NodeRecord['spec'], 'name' | 'template'> }[]): NodePoolFacts['offers'] {
  const of = hashOf(spec.template), daemons = daemonsOf(room), before = facts.offers?.of === of ? withoutNone(facts.offers, daemons) : undefined
  const own = new Set(members.flatMap(member => (member.spec.template === of ? member.spec.name : [])))
  const seen = room.free.flatMap(({ name, labels, whole }) => (whole && own.has(name) && whole.at >= (before?.at ?? 0) ? [{ name, labels, whole }] : []))
  const [newest] = seen.toSorted((one, other) => other.whole.at - one.whole.at || (one.name < other.name ? -1 : 1))
  if (!newest) return before
  const { at, more: told = {} } = newest.whole
  // A node that had it and has it no more has lost it: the next one may have it.
  const more = { ...before?.more, ...Object.fromEntries(Object.entries(told).filter(([name, amount]) => amount > 0 || before?.reportedBy?.[name] !== at)) }
  const reportedBy = { ...before?.reportedBy, ...Object.fromEntries(Object.entries(told).flatMap(([name, amount]) => (amount > 0 ? [[name, at]] : []))) }
  return {
    of, ...newest.whole, ...Object.keys(more).length > 0 && { more }, ...Object.keys(reportedBy).length > 0 && { reportedBy }, ...hasNone(more) && { daemons },
    labels: Object.fromEntries(Object.entries(newest.labels).filter(([key]) => KUBELETS_OWN_LABELS.has(key) && key !== HOSTNAME)),
  }
}

/** Tells templates apart. */
export function hashOf(template: MachineTemplate | undefined): string {
  return short(JSON.stringify(template ?? null))
}

/** A device plugin is a DaemonSet, of which nobody here knows which one it is: what nodes had none of the next one may have once another one is there, or goes elsewhere. One node shows it. */
function withoutNone(offers: Offers, now: string): Offers {
  const { more = {}, daemons = now, ...rest } = offers
  if (daemons === now || !hasNone(more)) return offers
  const known = Object.fromEntries(Object.entries(more).filter(([, amount]) => amount > 0))
  return { ...rest, ...Object.keys(known).length > 0 && { more: known } }
}

function hasNone(more: Readonly<Record<string, number>>): boolean {
  return Object.values(more).includes(0)
}

/** Which DaemonSets there are, and where they go. */
function daemonsOf({ daemons = [] }: RoomSeen): string {
  return short(daemons.map(({ name, nodeSelector, nodeAffinity, tolerations }) => JSON.stringify([name, nodeSelector, nodeAffinity, tolerations])).toSorted().join())
}

function short(text: string): string {
  return hash('sha256', text).slice(0, 12)
}
