import type { ResourceKind } from '../evidence.ts'
import { STATUS_TABLES } from './kinds.ts'
import { allowedSets } from './table.ts'

/**
 * The body of a SQL CHECK over two columns, phase (text) and conditions (text[]): true for exactly the allowed sets of the kind. Column names are as given,
 * so that a table may call them otherwise. PostgreSQL 15 knows all of it.
 */
export function statusCheckSql(kind: ResourceKind, columns: { readonly phase: string; readonly conditions: string } = { phase: 'phase', conditions: 'conditions' }): string {
  const { rows, together } = STATUS_TABLES[kind]
  const phases = [...new Set(rows.map(row => row[0]))]
  const sets = allowedSets(rows, together)
  const alternatives = phases.map(phase => {
    const arrays = sets.filter(set => set[0] === phase).map(set => `ARRAY[${set[1].map(quoted).join(', ')}]::text[]`)
    return `(${columns.phase} = ${quoted(phase)} AND ${columns.conditions} IN (${arrays.join(', ')}))`
  })
  // A CHECK that is NULL passes, so nulls are refused in so many words.
  return `${columns.phase} IS NOT NULL AND ${columns.conditions} IS NOT NULL AND (\n  ${alternatives.join(' OR\n  ')}\n)`
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "''")}'`
}
