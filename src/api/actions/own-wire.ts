import type { Evidence, ResourceName } from '#model/evidence.ts'
import { rfc3339Milliseconds } from '#model/time.ts'
import type { StatusChange } from '#ports/store.ts'

/** The shapes that our own actions share (own-actions.md). Times are RFC 3339 with milliseconds. */
export function resourceToWire(resource: ResourceName): object {
  return { Kind: resource.kind, Id: resource.id, Name: resource.name, ...resource.clusterId !== undefined && { ClusterId: resource.clusterId } }
}

export function evidenceToWire(evidence: Evidence): object {
  const { observer, source, observedAt, fact, raw } = evidence
  return { Observer: observer, Source: source, ObservedAt: rfc3339Milliseconds(observedAt), Fact: fact, ...raw !== undefined && { Raw: raw } }
}

export function pairToWire(status: { readonly phase: string; readonly conditions: readonly string[] }): object {
  return { Phase: status.phase, Conditions: status.conditions.map(condition => ({ Type: condition })) }
}

/** A history item. */
export function changeToWire(change: StatusChange): object {
  return {
    Position: change.position,
    At: rfc3339Milliseconds(change.at),
    ...resourceToWire(change.resource),
    // The last row of a resource has no status: it is gone.
    Status: change.status ? pairToWire(change.status) : null,
    Rule: change.rule,
    Because: change.because,
    Evidence: change.evidence.map(evidenceToWire),
    ...change.causedBy && { CausedBy: resourceToWire(change.causedBy) },
    ...change.operation !== undefined && { Operation: change.operation },
  }
}
