import type { Evidence } from '#model/evidence.ts'
import { isOlderThanPowerOn, isReady } from '#model/node/readiness.ts'
import type { NodeFacts } from '#model/node/record.ts'
import { MEMBER_AWAITED_MS } from '#model/status/deadlines.ts'
import { withFacts, type FactsChange } from '#model/with-facts.ts'
import { decideLeaving } from './decide-leaving.ts'
import { LOGIN_LOOK_MS, loginNews } from './decide-login.ts'
import { decideStopping } from './decide-stopping.ts'
import { arrearsNews, machineNews, machineStep, takesOrders } from './decide-machine.ts'
import { configEvidence, powerEvidence, readyEvidence, removedEvidence } from './evidence.ts'
import { beginsCordoned, isAwaited, isOutOfSync, wishOf } from '#model/node-pool/node-config.ts'
import type { NodePassSeen } from './seen.ts'

export type NodeStep =
  | 'ensureMembers' | 'ensureNodeConfig' | 'cordonNew'
  | 'leaveMembers' | 'cordon' | 'evict' | 'ensureNodeGone' | 'forget'
  | 'empty' | 'stop' | 'open'
  | 'giveBack' | 'askMachineGone' | 'switchOff' | 'switchOn'

/** What one look leads to; the status itself follows from the facts by the model's rules. */
export interface NodeDecision {
  readonly facts: NodeFacts
  readonly evidence: readonly Evidence[]
  readonly step: NodeStep | undefined
  readonly lookAgainAt: number | undefined
}

const SECOND = 1_000
/** A joining machine without a Node object: its name is put on the members' list again, in case two writers of that list crossed. */
const MEMBERS_AGAIN_MS = 5 * SECOND

/** One look at a node, decided. */
export function decideNode(looked: NodePassSeen): NodeDecision {
  if (looked.record.facts.deletion || !looked.cluster) return decideLeavingInArrears(looked)
  const login = loginNews(looked), facts = withFacts(looked.record.facts, login.change)
  const seen = { ...looked, record: { ...looked.record, facts } }
  const { change, evidence, last } = whatWasSeen(seen)
  const next = withFacts(facts, { ...change, notSwitched: stillNotSwitched(withFacts(facts, change), seen) })
  const joined = withFacts(next, firstReady(next, seen))
  const machine = machineNews({ ...seen, record: { ...seen.record, facts: joined } })
  const told = withFacts(joined, machine.change)
  const stopping = decideStopping(told, seen)
  const remembered = withFacts(told, { ...pause(told, seen), ...stopping?.change })
  const news = [...login.evidence, ...machine.evidence, ...evidence]
  return { facts: remembered, evidence: news.length > 0 ? news : last, step: machineStep(remembered, seen) ?? stopping?.step ?? nextStep(remembered, seen), lookAgainAt: stopping?.lookAgainAt ?? nextLook(remembered, seen) }
}

/** Who ordered something else since, or sees it so, is not told of tries that are over. */
function stillNotSwitched({ notSwitched, power }: NodeFacts, { machine }: NodePassSeen): NodeFacts['notSwitched'] {
  return notSwitched && machine?.power === notSwitched.to && power?.state !== notSwitched.to ? notSwitched : undefined
}

/**
 * What leaves goes on to be its account's: a machine that does not go and takes orders is shut down for arrears as others are, and whatever was is so no more once they are paid. How far the removal is, is
 * no matter of what anybody saw of it before.
 */
function decideLeavingInArrears(seen: NodePassSeen): NodeDecision {
  const { record, machine } = seen
  // While it goes its power is no news.
  const power = machine?.obstacle ? powerSeen(seen) : { change: {}, evidence: [] }
  const known = withFacts(record.facts, power.change)
  const paid = arrearsNews({ ...seen, record: { ...record, facts: known } })
  const facts = withFacts(known, { ...paid.change, notSwitched: takesOrders(seen) ? stillNotSwitched(known, seen) : undefined, staleSince: undefined })
  const leaving = decideLeaving({ ...seen, record: { ...record, facts } })
  const step = leaving.step ?? (takesOrders(seen) ? machineStep(leaving.facts, seen) : undefined)
  return { ...leaving, step, evidence: [...paid.evidence, ...power.evidence, ...leaving.evidence] }
}

/** `last`: what was last seen of it, where nothing is news. */
function whatWasSeen(seen: NodePassSeen): { change: FactsChange<NodeFacts>; evidence: Evidence[]; last: Evidence[] } {
  const power = powerSeen(seen)
  const object = objectSeen(seen, withFacts(seen.record.facts, power.change))
  // Why heartbeats stopped is told by what its machine's provider sees: power and link stand beside it.
  const fellSilent = power.evidence.length === 0 && object.evidence.length > 0 && object.change.ready?.status === 'Unknown' && seen.power && seen.power.staleSince === undefined
  const evidence = [...power.evidence, ...fellSilent ? [powerEvidence(seen.power, power.change.power?.linkSince)] : [], ...object.evidence]
  const change = { ...object.change, ...power.change }
  return { change, evidence, last: lastSeen(seen, withFacts(seen.record.facts, change)) }
}

/** What the cluster says of one whose machine is off is from before that; where it has said nothing since its machine was switched on, that stands beside it. */
function lastSeen({ now, record: { spec }, power, object }: NodePassSeen, facts: NodeFacts): Evidence[] {
  const ofObject = object && object.staleSince === undefined ? [readyEvidence(spec.name, object)] : []
  if (facts.power?.removed) return [removedEvidence(facts.power.machine, facts.power.since)]
  if (!power || power.fact.state !== facts.power?.state) return ofObject
  const ofPower = powerEvidence(power, facts.power.linkSince)
  return facts.power.state === 'off' ? [ofPower] : isOlderThanPowerOn({ now, facts }) ? [ofPower, ...ofObject] : ofObject
}

/** Nobody sees: everything is kept and marked stale. Nobody has looked yet: nothing is concluded. */
function objectSeen(seen: NodePassSeen, facts: NodeFacts): { change: FactsChange<NodeFacts>; evidence: Evidence[] } {
  const { now, record: { spec }, pool, cluster, object } = seen
  if (!object) return { change: {}, evidence: [] }
  if (hasNoApi(cluster)) return { change: { staleSince: isToldByPower(seen, facts) ? undefined : facts.staleSince ?? object.staleSince ?? now }, evidence: [] }
  if (object.staleSince !== undefined) return { change: { staleSince: facts.staleSince ?? object.staleSince }, evidence: [] }
  const { fact } = object
  const heldBack = fact.judgeFrom !== undefined && now < fact.judgeFrom && facts.ready?.status === 'True' && fact.ready?.status !== 'True'
  const ready = heldBack ? facts.ready : keptIfSame(facts, fact.ready)
  const wanted = pool && wishOf(pool.spec, spec)
  const outOfSync = wanted !== undefined && !fact.gone && isOutOfSync(facts, fact, wanted)
  return {
    change: {
      ready, staleSince: undefined, unschedulable: fact.unschedulable,
      pressures: fact.pressures.length > 0 ? fact.pressures : undefined,
      outOfSync,
    },
    evidence: [
      ...outOfSync === facts.outOfSync ? [] : [configEvidence(spec.name, outOfSync, object)],
      ...ready === facts.ready && fact.unschedulable === facts.unschedulable ? [] : [readyEvidence(spec.name, object)],
    ],
  }
}

/** Stopped, starting, or seen down: whatever is told of nodes by it is from before. */
function hasNoApi(cluster: NodePassSeen['cluster']): boolean {
  return cluster !== undefined && cluster.facts.controlPlane !== 'usable' && (cluster.facts.firstReadyAt !== undefined || cluster.facts.unpaid)
}

/** That a machine which its pool ordered is off is seen of the machine. Machines of their owners keep their pair (status-rules.md, node 6). */
function isToldByPower({ record: { spec }, power }: NodePassSeen, facts: NodeFacts): boolean {
  return spec.machine !== undefined && facts.power?.state === 'off' && power?.staleSince === undefined
}

/** A heartbeat alone is no news, unless it is the first one after the machine was switched on. */
function keptIfSame(facts: NodeFacts, seen: NodeFacts['ready']): NodeFacts['ready'] {
  const known = facts.ready
  if (!known || !seen || known.status !== seen.status || known.since !== seen.since || known.reason !== seen.reason || known.message !== seen.message) return seen
  const heard = (seen.lastHeartbeatAt ?? 0) > (known.lastHeartbeatAt ?? 0)
  return heard && isOlderThanPowerOn({ now: 0, facts }) ? seen : known
}

/** A machine that was seen once and is its provider's no more was removed: off for good, whatever the cluster still believes until its grace time has passed. */
function powerSeen({ now, record: { facts }, power, machine: ordered }: NodePassSeen): { change: FactsChange<NodeFacts>; evidence: Evidence[] } {
  if (!power) {
    if (!facts.power || facts.power.removed || ordered) return { change: {}, evidence: [] }
    const { machine, state, since } = facts.power
    return { change: { power: { ...facts.power, state: 'off', since: state === 'off' ? since : now, removed: true } }, evidence: [removedEvidence(machine, now)] }
  }
  if (power.staleSince !== undefined) return { change: {}, evidence: [] }
  const next = powerNow(facts.power, power)
  const same = facts.power?.state === next.state && facts.power.since === next.since && facts.power.link === next.link && !facts.power.removed
  return { change: { power: next }, evidence: same ? [] : [powerEvidence(power, next.linkSince)] }
}

type Power = NonNullable<NodeFacts['power']>

/** A machine that is being removed forgets its past: off since before it was on is off since now. */
function powerNow(before: Power | undefined, { fact, machine, seenAt }: NonNullable<NodePassSeen['power']>): Power {
  const known = before?.machine === machine ? before : undefined
  const lastOnAt = fact.lastOnAt ?? known?.lastOnAt ?? (known?.state === 'on' ? known.since : undefined)
  const isForgetful = fact.state === 'off' && lastOnAt !== undefined && fact.since < lastOnAt
  const since = isForgetful ? (known?.state === 'off' ? known.since : seenAt) : fact.since
  const linkSince = known?.link !== undefined && known.link !== fact.link ? seenAt : known?.linkSince
  return { state: fact.state, since, machine, link: fact.link, ...(lastOnAt !== undefined && { lastOnAt }), ...(linkSince !== undefined && { linkSince }) }
}

function firstReady(facts: NodeFacts, { now, object }: NodePassSeen): FactsChange<NodeFacts> {
  if (facts.firstReadyAt !== undefined || object === undefined || object.staleSince !== undefined) return {}
  return isReady({ now, facts }) && facts.power?.state !== 'off' ? { firstReadyAt: now } : {}
}

/** The 15 minutes of initialisation stand still while the cluster is not running. */
function pause(facts: NodeFacts, { now, cluster }: NodePassSeen): FactsChange<NodeFacts> {
  if (facts.firstReadyAt !== undefined || facts.machineExistsAt === undefined) return { pausedSince: undefined }
  if (cluster?.facts.controlPlane !== 'usable') return { pausedSince: facts.pausedSince ?? now }
  return facts.pausedSince === undefined ? {} : { pausedMs: facts.pausedMs + now - facts.pausedSince, pausedSince: undefined }
}

function nextStep(facts: NodeFacts, { now, record, pool, cluster, object }: NodePassSeen): NodeStep | undefined {
  if (cluster?.facts.controlPlane !== 'usable') return undefined
  const there = object !== undefined && object.staleSince === undefined && !object.fact.gone
  if (there && (facts.closedToStop ?? facts.cordonedToStop) && facts.ordered?.power !== 'off') return 'open'
  if (there && (facts.toCordon || beginsCordoned(object.fact))) return 'cordonNew'
  if (there && pool && (facts.outOfSync || isAwaited(facts, wishOf(pool.spec, record.spec)))) return 'ensureNodeConfig'
  const since = joiningSince(facts, record)
  return since !== undefined && !there && now - since >= patience(record) ? 'ensureMembers' : undefined
}

function nextLook(facts: NodeFacts, { now, record, object, tellsAll }: NodePassSeen): number | undefined {
  const judgeFrom = object?.fact.judgeFrom
  if (judgeFrom !== undefined && judgeFrom > now) return judgeFrom
  // Heartbeats are not stored, so the first one after power-on has to be asked for.
  if (facts.ready?.status === 'True' && facts.power?.state === 'on' && isOlderThanPowerOn({ now, facts })) {
    const onFor = now - (facts.power.lastOnAt ?? now)
    return now + (onFor < 30 * SECOND ? SECOND / 2 : seldom(onFor / 10, tellsAll ? onFor : 0))
  }
  // Where somebody wants it on again before it went off nothing of its machine changes; its machine's controller says so once, and the power may not be seen at that moment.
  if (facts.ordered?.power === 'off' && !facts.ordered.emptying && facts.power?.state === 'on') {
    const lasts = now - facts.ordered.since
    return now + seldom(Math.max(lasts, 60 * SECOND), lasts)
  }
  if (facts.login) return now + LOGIN_LOOK_MS
  const since = joiningSince(facts, record)
  if (since !== undefined && (object === undefined || object.fact.gone)) {
    const age = now - since
    return age < patience(record) ? since + patience(record) : now + seldom(Math.max(age, patience(record)), tellsAll ? age : 0)
  }
  return undefined
}

/** Up to a minute; what has lasted for long is looked at ever more seldom where each change of it is told. */
function seldom(pause: number, lasted: number): number {
  return Math.min(pause, Math.max(60 * SECOND, lasted / 8))
}

function patience({ spec }: NodePassSeen['record']): number {
  return spec.machine === undefined ? MEMBERS_AGAIN_MS : MEMBER_AWAITED_MS
}

/** When the machine that is not a Ready member yet was admitted; undefined before, and when it is no longer awaited. */
function joiningSince(facts: NodeFacts, { spec }: NodePassSeen['record']): number | undefined {
  if (facts.firstReadyAt !== undefined || facts.initialiseFailed !== undefined || facts.creationEnded !== undefined) return undefined
  return spec.machine === undefined && spec.login === undefined ? facts.claimedAt : facts.joinedAt
}
