import type { Evidence } from '../evidence.ts'

/**
 * Which status a resource shows: an ordered list, and the first rule that holds wins (status-rules.md). A rule sees facts and what its record
 * remembers; it never sees the status shown before, so nothing can be decided by reading a phase back.
 */
export interface Rule<Sight, Status> {
  /** Stands in the history, in ExplainStatus and in refusals; a fixed phrase that completes "it is so because it …" or names the state. */
  readonly name: string
  readonly holds: (seen: Sight) => boolean
  readonly shows: (seen: Sight) => Status
  /** One sentence that stands on its own, without its full stop. */
  readonly because: (seen: Sight) => string
  /** What makes it hold is a child or the parent, never a fact of the record's own: history names that one as the cause. */
  readonly derived?: true
  /** It holds because nothing above it does any more: history names the child or parent that ended what stood above it. A rule that is neither this nor derived holds by facts of its own record, whoever uncovered it. */
  readonly rest?: true
  /** What its facts remember of who saw what; stands beside whatever the writer has seen. */
  readonly evidence?: (seen: Sight) => readonly Evidence[]
}

/** What the rules say in one sight. */
export interface Verdict<Status> {
  readonly status: Status
  readonly rule: string
  readonly because: string
  readonly derived: boolean
  readonly rest: boolean
  readonly evidence: readonly Evidence[]
}

export function firstThatHolds<Sight, Status>(rules: readonly Rule<Sight, Status>[], seen: Sight): Rule<Sight, Status> {
  const rule = rules.find(candidate => candidate.holds(seen))
  if (!rule) throw new Error('E-RULES: the last rule of a list must hold in every sight')
  return rule
}

const NOTHING: readonly Evidence[] = []

export function verdict<Sight, Status>(rules: readonly Rule<Sight, Status>[], seen: Sight): Verdict<Status> {
  const rule = firstThatHolds(rules, seen)
  return { status: rule.shows(seen), rule: rule.name, because: rule.because(seen), derived: rule.derived === true, rest: rule.rest === true, evidence: rule.evidence?.(seen) ?? NOTHING }
}
