import type { ResourceKind } from '../evidence.ts'
import { STATUS_TABLES } from './kinds.ts'
import { allowedSets } from './table.ts'

/**
 * The body of a SQL CHECK over two columns, phase (text) and conditions (text[]): true for exactly the allowed sets of the kind. Column names are as given,
 * so that a table may call them otherwise. PostgreSQL 15 knows all of it. Each statement that writes to a table reads its checks anew, so this is one comparison of the text of both with one list: written as
 * comparisons of arrays it was a quarter of what the insertion of a cluster costs.
 */
export function statusCheckSql(kind: ResourceKind, columns: { readonly phase: string; readonly conditions: string } = { phase: 'phase', conditions: 'conditions' }): string {
  const { rows, together } = STATUS_TABLES[kind]
  const sets = allowedSets(rows, together).map(([phase, conditions]) => `"${phase}{${conditions.join(',')}}"`)
  // A CHECK that is NULL passes, so nulls are refused in so many words.
  return `${columns.phase} IS NOT NULL AND ${columns.conditions} IS NOT NULL AND ${columns.phase} || ${columns.conditions}::text = ANY ('{${sets.join(',')}}'::text[])`
}
