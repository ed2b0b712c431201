import type { ClusterRecord } from '#model/cluster/record.ts'
import type { NodeFacts, NodeRecord } from '#model/node/record.ts'
import type { NodeDecision, NodeStep } from './decide.ts'
import type { NodePassSeen } from './seen.ts'

const SECOND = 1_000, MINUTE = 60 * SECOND
/** design.md 7, Leaving. */
export const EVICTION_MS = 2 * MINUTE
/** An API that is away this long is not waited for: the Node object is taken off when its cluster is next seen whole. */
export const API_WAIT_MS = MINUTE

/** What is done of a node's leaving, in the words that its status shows. */
export const LEFT = {
  members: 'taken off the members',
  cordoned: 'cordoned',
  evicted: 'pods evicted',
  object: 'Node object deleted',
} as const

/** Off the members' list, cordoned, emptied, its Node object deleted, forgotten; it never waits for the machine, nor for an API that is going or away. */
export function decideLeaving(seen: NodePassSeen): NodeDecision {
  const { now, record: { facts }, cluster, apiAnswers } = seen
  const since = facts.deletion?.requestedAt ?? now
  if (goesWithCluster({ facts }, cluster)) return decision(facts, 'forget')
  if (!apiAnswers) return now - since < API_WAIT_MS ? decision(facts, undefined, now + SECOND) : decision(facts, 'forget')
  return decision(facts, nextStep(seen, since), now)
}

/** Then there is nothing to take off one by one. */
export function goesWithCluster({ facts }: Pick<NodeRecord, 'facts'>, cluster: ClusterRecord | undefined): boolean {
  return !cluster || cluster.facts.deletion !== undefined || facts.deletion?.by === 'cluster'
}

function nextStep({ now, record: { facts }, object }: NodePassSeen, since: number): NodeStep {
  const done = facts.deletion?.done ?? []
  const there = object !== undefined && !object.fact.gone
  if (!done.includes(LEFT.members)) return 'leaveMembers'
  if (there && !done.includes(LEFT.cordoned)) return 'cordon'
  if (there && !done.includes(LEFT.evicted) && now - since < EVICTION_MS) return 'evict'
  return done.includes(LEFT.object) ? 'forget' : 'ensureNodeGone'
}

function decision(facts: NodeFacts, step: NodeStep | undefined, lookAgainAt?: number): NodeDecision {
  return { facts, evidence: [], step, lookAgainAt }
}
