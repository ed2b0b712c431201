import type { Queryable } from '../connection/database.ts'

/**
 * The state of the whole database as an expression of SQL: which transactions the statement sees. None can be committed without it becoming another text, and
 * with the same one each statement finds the same. The start of the server stands beside it, since a database that was put back to an older state counts anew.
 */
export const STATE = `concat_ws(' ', pg_current_snapshot(), pg_postmaster_start_time())`

export async function readState(connection: Queryable): Promise<string> {
  const [row] = await connection.query<{ state: string }>(`select ${STATE} as state`)
  if (!row) throw new Error('E-STATE: a statement without a table had no row')
  return row.state
}
