import type { NodeFacts } from '#model/node/record.ts'
import type { FactsChange } from '#model/with-facts.ts'
import { API_WAIT_MS, EVICTION_MS } from './decide-leaving.ts'
import type { NodePassSeen } from './seen.ts'

const SECOND = 1_000

export interface StopDecision {
  readonly change: FactsChange<NodeFacts>
  /** Undefined where it is waited for. */
  readonly step: 'empty' | 'stop' | undefined
  readonly lookAgainAt: number | undefined
}

/**
 * A member that its pool switches off is closed to pods and emptied first, with the patience that one has that leaves: pods on a machine that is off are missed by nobody for minutes. Undefined for all others. Arrears wait for no pods.
 * That it is closed is written before it is; whoever cordons it or opens it meanwhile has it so, as that is another thing.
 */
export function decideStopping(facts: NodeFacts, { now, cluster, object, apiAnswers }: NodePassSeen): StopDecision | undefined {
  const { ordered } = facts
  if (!ordered?.emptying) return undefined
  const waitedFor = now - ordered.since
  if (!isEmptiedStill(facts, now) || cluster?.facts.unpaid) return decision('stop')
  if (!apiAnswers) return waitedFor < API_WAIT_MS ? decision(undefined, now + SECOND) : decision('stop')
  if (!object || object.fact.gone) return decision('stop')
  return { ...decision('empty'), change: { closedToStop: true } }
}

/** Its pods are still waited for. */
export function isEmptiedStill({ ordered }: NodeFacts, now: number): boolean {
  return ordered?.emptying === true && now - ordered.since < EVICTION_MS
}

function decision(step: StopDecision['step'], lookAgainAt?: number): StopDecision {
  return { change: {}, step, lookAgainAt }
}
