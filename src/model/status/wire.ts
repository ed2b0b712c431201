import type { NodeCounts } from '../cluster/record.ts'
import type { AnyStatus } from './table.ts'

export interface WireStatus { readonly Phase: string; readonly Conditions: readonly { readonly Type: string }[] }

/** `{"Phase":"Running","Conditions":[{"Type":"Ok"}]}`; conditions on this wire have their Type alone. */
export function statusToWire(status: AnyStatus): WireStatus {
  return { Phase: status.phase, Conditions: status.conditions.map(condition => ({ Type: condition })) }
}

/** NodeStatistics: nine numbers, or clients crash. */
export function countsToWire(counts: NodeCounts) {
  return {
    TotalCount: counts.total, CreatingCount: counts.creating, RunningCount: counts.running, UpdatingCount: counts.updating, DeletingCount: counts.deleting,
    FailedCount: counts.failed, StoppedCount: counts.stopped, StoppingCount: counts.stopping, StartingCount: counts.starting,
  }
}
