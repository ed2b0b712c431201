import type { ClusterRecord } from '#model/cluster/record.ts'
import { LEFT } from '#model/node/leaving.ts'
import type { NodeFacts, NodeRecord } from '#model/node/record.ts'
import { withFacts } from '#model/with-facts.ts'
import type { NodeDecision, NodeStep } from './decide.ts'
import type { NodePassSeen } from './seen.ts'

const SECOND = 1_000, MINUTE = 60 * SECOND
/** design.md 7, Leaving. */
export const EVICTION_MS = 2 * MINUTE
/** An API that is away this long is not waited for: the Node object is taken off when its cluster is next seen whole. */
export const API_WAIT_MS = MINUTE

/**
 * Off the members' list, cordoned, emptied, its Node object deleted; it never waits for the machine to agree, nor for an API that is going or away. Then the machine
 * that its pool had made, where it was asked to go, and at last the record.
 */
export function decideLeaving(seen: NodePassSeen): NodeDecision {
  const { now, record: { facts }, cluster, apiAnswers } = seen
  const since = facts.deletion?.requestedAt ?? now
  if (goesWithCluster({ facts }, cluster)) return takeDown(seen)
  if (!apiAnswers) return now - since < API_WAIT_MS ? decision(facts, undefined, now + SECOND) : takeDown(seen)
  const step = nextStep(seen, since)
  return step === 'forget' ? takeDown(seen) : decision(facts, step, now)
}

/**
 * A claim whose machine is not made yet goes with its node, whatever was asked; so does a machine that was asked to go before and that nobody sees any more. What stands in the way stays until the
 * machine says otherwise, or somebody asks again.
 */
function takeDown({ record: { spec, facts }, machine, power }: NodePassSeen): NodeDecision {
  const { deletion } = facts
  if (!machine || spec.machine === undefined || !deletion) return decision(facts, 'forget')
  const isThere = machine.machineId !== undefined && (machine.deletionRequestedAt === undefined || power !== undefined)
  if (deletion.machine !== 'Destroy' && isThere) return decision(facts, 'forget')
  if (!deletion.machineAsked) return decision(facts, 'askMachineGone')
  const { obstacle } = machine
  if (!obstacle) return decision(facts.obstacles.length === 0 ? facts : withFacts(facts, { obstacles: [] }), undefined)
  // What stood in the way before was of an earlier step.
  if (facts.obstacles.length === 1 && facts.obstacles[0] === obstacle.because) return decision(facts, undefined)
  return {
    ...decision(withFacts(facts, { obstacles: [obstacle.because] }), undefined),
    evidence: [{ observer: 'machine controller', source: `machine ${spec.machine}`, observedAt: obstacle.at, fact: `${obstacle.because}.` }],
  }
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
