import type { ResourceKind, ResourceName } from '#model/evidence.ts'
import type { StatusChange } from '#ports/store.ts'

export interface StatusChangeRow {
  readonly position: number
  readonly at: number
  readonly kind: ResourceKind
  readonly id: string
  readonly name: string
  readonly cluster_id: string | null
  readonly phase: string | null
  readonly conditions: string[] | null
  readonly rule: string
  readonly because: string
  readonly evidence: StatusChange['evidence']
  readonly caused_by: ResourceName | null
  readonly operation: string | null
}

export const STATUS_CHANGE_COLUMNS = 'position, at, kind, id, name, cluster_id, phase, conditions, rule, because, evidence, caused_by, operation'

export function statusChangeOf(row: StatusChangeRow): StatusChange {
  const { kind, id, name } = row
  return {
    position: row.position, at: row.at,
    resource: { kind, id, name, ...(row.cluster_id === null || kind === 'Cluster' ? {} : { clusterId: row.cluster_id }) },
    status: row.phase === null ? undefined : { phase: row.phase, conditions: row.conditions ?? [] },
    rule: row.rule, because: row.because, evidence: row.evidence,
    ...(row.caused_by === null ? {} : { causedBy: row.caused_by }),
    ...(row.operation === null ? {} : { operation: row.operation }),
  }
}
