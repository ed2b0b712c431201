import type { Evidence } from '#model/evidence.ts'
import { isReady } from '#model/node/readiness.ts'
import type { NodeFacts } from '#model/node/record.ts'
import type { FactsChange } from '#model/with-facts.ts'
import type { MachinePowerFact } from '#ports/machine-power.ts'
import type { NodeStep } from './decide.ts'
import type { NodePassSeen } from './seen.ts'

/** What the machine that a pool ordered for a node has to do with the node's facts. */
export interface MachineNews {
  readonly change: FactsChange<NodeFacts>
  readonly evidence: readonly Evidence[]
}

/** Of machines that ran a script only what their provider sees of it: they are their owner's. */
export function machineNews(seen: NodePassSeen): MachineNews {
  const { record: { spec, facts }, machine } = seen
  if (spec.machine === undefined) return refusalNews(seen)
  const wasRemoved = machine === undefined && facts.machineExistsAt !== undefined
  if (machine?.machineId === undefined && !wasRemoved) return notMade(seen)
  const paid = arrearsNews(seen), stuck = stuckNews(seen), refused = refusalNews(seen)
  return machine === undefined ? paid : { change: { ...made(facts, seen), ...stuck.change, ...refused.change, ...paid.change, ...order(seen, machine) }, evidence: [...paid.evidence, ...stuck.evidence, ...refused.evidence] }
}

/** Before it is admitted a machine can report nothing; its provider may see where it stands. What it reported later is newer. */
function stuckNews({ record: { facts }, power }: NodePassSeen): MachineNews {
  const stuck = power?.staleSince === undefined ? power?.fact.stuck : undefined
  const isKnown = stuck === undefined || stuck.since <= (facts.progress?.at ?? -Infinity) || stuck.since <= (facts.initialiseFailed?.at ?? -Infinity)
  if (isKnown || !power || facts.firstReadyAt !== undefined) return { change: {}, evidence: [] }
  const { step, text, since, failed } = stuck
  return {
    change: failed ? { initialiseFailed: { step, text, at: since } } : { progress: { step, text, at: since } },
    evidence: [{ observer: power.observer, source: `first start of machine ${power.machine}, step ${step}`, observedAt: power.seenAt, fact: `${text}.` }],
  }
}

/**
 * A machine that the join endpoint turns away can tell nobody, either. One that was admitted and is told to come later was let in by its record alone; another script that ends on it after that stops nothing, unless it waited still to be
 * let in.
 */
function refusalNews({ record: { spec, facts }, power }: NodePassSeen): MachineNews {
  if (!power || power.staleSince !== undefined) return { change: {}, evidence: [] }
  const seen = power.fact.turnedAway, known = facts.turnedAway, wasAdmitted = facts.joinedAt !== undefined || spec.machine === undefined
  const isIts = seen && facts.firstReadyAt === undefined && !(seen.failed && wasAdmitted && known === undefined)
  const turnedAway = isIts ? { ...seen, text: seen.text.replace(/\.$/, '') } : undefined
  if (known?.heard && !turnedAway && facts.firstReadyAt === undefined && !asksNoMore(known, power.fact)) return { change: {}, evidence: [] }
  if (turnedAway?.since === known?.since && turnedAway?.text === known?.text && turnedAway?.failed === known?.failed) return { change: {}, evidence: [] }
  return {
    change: { turnedAway },
    evidence: turnedAway ? [{ observer: power.observer, source: `onboarding script on machine ${power.machine}`, observedAt: power.seenAt, fact: `${turnedAway.failed ? 'The join endpoint refused it' : 'The join endpoint told it to come again later'}: ${turnedAway.text}.` }] : [],
  }
}

/** Its script was to come again, and ended with the power of its machine. */
function asksNoMore({ since, failed }: NonNullable<NodeFacts['turnedAway']>, { state, lastOnAt = since }: MachinePowerFact): boolean {
  return !failed && (state === 'off' || lastOnAt > since)
}

/** The part of the news that is of arrears alone. */
export function arrearsNews(seen: NodePassSeen): MachineNews {
  const { record: { spec, facts }, machine, cluster } = seen
  if (spec.machine === undefined || !cluster) return { change: {}, evidence: [] }
  if (machine?.machineId === undefined) return { change: machine === undefined ? nothingToPayFor(facts) : {}, evidence: [] }
  const change = arrears(seen, machine)
  return { change, evidence: change.paidAt === undefined ? [] : [paidEvidence(seen)] }
}

/** Initialisation begins when the machine is there. One that was given up unseen, and is there after all, is being created again. */
function made(facts: NodeFacts, { now, power }: NodePassSeen): FactsChange<NodeFacts> {
  return facts.machineExistsAt === undefined ? { machineExistsAt: Math.min(power?.fact.lastOnAt ?? now, now), creationEnded: undefined } : {}
}

/** Somebody removed it, or its provider's errors were tried against for long enough. One that was there once is told of by its power. */
function notMade({ now, record: { spec, facts }, machine }: NodePassSeen): MachineNews {
  const because = machine === undefined ? 'Its machine was removed before it was there' : machine.obstacle?.because
  if (because === undefined || facts.machineExistsAt !== undefined || facts.creationEnded) return { change: {}, evidence: [] }
  return { change: { creationEnded: { because } }, evidence: [{ observer: 'machine controller', source: `machine ${spec.machine ?? spec.name}`, observedAt: machine?.obstacle?.at ?? now, fact: `${because}.` }] }
}

/** Not while its removal is under way, and not where part of it may be gone: one that is on has lost nothing. */
export function takesOrders({ machine, power }: NodePassSeen): boolean {
  if (machine?.machineId === undefined) return false
  if (machine.deletionRequestedAt === undefined) return true
  return machine.obstacle !== undefined && (machine.obstacle.held === true || (power?.staleSince === undefined && power?.fact.state === 'on'))
}

/**
 * While the account of its cluster is in arrears past the grace time (`unpaid` of the cluster), a machine that is on is shut down, and on again when they are
 * paid; one that was off already, or about to be, by its pool's order or a user's, stays what it was, and so does one of which nobody knows what its removal left.
 */
function arrears(seen: NodePassSeen, machine: NonNullable<NodePassSeen['machine']>): FactsChange<NodeFacts> {
  const { now, record: { facts }, cluster } = seen
  if (!cluster?.facts.unpaid && machine.obstacle && !takesOrders(seen)) return nothingToPayFor(facts)
  if (cluster?.facts.unpaid) return (machine.power === 'on' && !facts.ordered?.emptying && takesOrders(seen)) || facts.shutDown ? { unpaid: true, shutDown: true, paidAt: undefined, arrears: cluster.facts.arrears } : {}
  const isOver = facts.paidAt !== undefined && (isReady({ now, facts }) || (machine.power === 'off' && !facts.shutDown))
  return {
    ...facts.unpaid && { unpaid: false, arrears: undefined, ...facts.shutDown && { paidAt: now } },
    ...facts.shutDown && machine.power === 'on' && { shutDown: undefined },
    ...isOver && { paidAt: undefined },
  }
}

function paidEvidence({ now, record: { spec } }: NodePassSeen): Evidence {
  return { observer: 'node controller', source: `arrears of the cluster of ${spec.name}`, observedAt: now, fact: 'They are paid, and its machine is to be on again.' }
}

/** status-rules.md, node row 6: only machines that the ledger holds. One that was removed meanwhile is not shut down for arrears, and does not come back when they are paid. */
function nothingToPayFor({ unpaid, shutDown, paidAt }: NodeFacts): FactsChange<NodeFacts> {
  return { ...unpaid && { unpaid: false, arrears: undefined }, ...shutDown && { shutDown: undefined }, ...paidAt !== undefined && { paidAt: undefined } }
}

/** A start has ended once it is Ready; a stop is over where somebody switches the machine on by hand, and its pool counts anew and orders what its callers want. */
function order({ now, record: { facts }, power }: NodePassSeen, machine: NonNullable<NodePassSeen['machine']>): FactsChange<NodeFacts> {
  const { ordered } = facts
  if (ordered?.power === 'on' && isReady({ now, facts })) return { ordered: undefined }
  // The order to stop is written to both at once, when it is empty, so a machine that is wanted on was wanted so later, be it before it went off.
  const isTakenBack = ordered?.power === 'off' && !ordered.emptying && machine.power === 'on' && power?.staleSince === undefined && power?.fact.state === 'on'
  return isTakenBack ? { ordered: undefined } : {}
}

/** What is to be done about the machine before anything else; `facts` are those after the news. */
export function machineStep(facts: NodeFacts, { machine }: NodePassSeen): NodeStep | undefined {
  if (!machine) return undefined
  if (machine.machineId === undefined) return machine.refused ? 'giveBack' : undefined
  if (facts.unpaid && facts.shutDown && machine.power === 'on') return 'switchOff'
  return !facts.unpaid && facts.shutDown && machine.power === 'off' ? 'switchOn' : undefined
}
