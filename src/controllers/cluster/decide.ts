import type { ClusterFacts } from '#model/cluster/record.ts'
import type { Evidence } from '#model/evidence.ts'
import { withFacts, type FactsChange } from '#model/with-facts.ts'
import { decideCreation } from './decide-creation.ts'
import { decideDeletion } from './decide-deletion.ts'
import { decideUpkeep } from './decide-upkeep.ts'
import type { ClusterSeen } from './seen.ts'

export type ClusterStep =
  | 'prepare' | 'ensureControlPlane' | 'ensureOutside' | 'beginBase' | 'ensureBase' | 'awaitServiceAccount'
  | 'ensureControlPlaneStopped'
  | 'ensureControlPlaneGone' | 'finishDeletion'

/** What one look leads to; the status itself follows from the facts by the model's rules. */
export interface ClusterDecision {
  readonly facts: ClusterFacts
  /** What was seen that made the facts differ from the record's; empty where nothing did. */
  readonly evidence: readonly Evidence[]
  /** At most one a pass; each is safe to repeat. */
  readonly step: ClusterStep | undefined
  /** When to look again though nothing happens; undefined where only an event or a call can change anything. */
  readonly lookAgainAt: number | undefined
}

/** A part of the life: how the facts change, and what to do next. */
export interface Course {
  readonly change: FactsChange<ClusterFacts>
  readonly evidence?: readonly Evidence[]
  readonly step?: ClusterStep
  readonly lookAgainAt?: number | undefined
}

/** One look at a cluster, decided: its deletion comes first, a creation that ended gets no more work, and the rest is coming up or staying up. */
export function decideCluster(seen: ClusterSeen): ClusterDecision {
  const course = courseOf(seen)
  return {
    facts: withFacts(seen.record.facts, { staleSince: undefined, startUnseen: undefined, ...course.change }), // whoever decides has looked
    evidence: course.evidence ?? [],
    step: course.step,
    lookAgainAt: course.lookAgainAt,
  }
}

function courseOf(seen: ClusterSeen): Course {
  const { deletion, creationEnded, firstReadyAt } = seen.record.facts
  if (deletion) return decideDeletion(seen)
  if (creationEnded) return { change: {} }
  if (firstReadyAt === undefined) return decideCreation(seen)
  return decideUpkeep(seen)
}
