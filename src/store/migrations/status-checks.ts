import { statusCheckSql } from '#model/status/sql.ts'
import type { Queryable } from '../connection/database.ts'

const CHECKED = [
  { table: 'cluster', kind: 'Cluster' },
  { table: 'node_pool', kind: 'NodePool' },
  { table: 'node_status', kind: 'Node' },
  { table: 'addon', kind: 'Addon' },
] as const

/**
 * Lets the database refuse whatever the model's tables do not allow. The checks follow the model: where its tables changed, they are made anew, and the
 * text they were made from stands as their comment. Runs inside the migration's transaction.
 */
export async function keepStatusChecks(connection: Queryable): Promise<void> {
  for (const { table, kind } of CHECKED) {
    const check = statusCheckSql(kind)
    const [found] = await connection.query<{ text: string | null }>(
      `select obj_description(oid, 'pg_constraint') as text from pg_constraint where conname = $1 and conrelid = $2::regclass`,
      [`${table}_status`, table],
    )
    if (found?.text === check) continue
    await connection.query(`alter table ${table} drop constraint if exists ${table}_status`)
    await connection.query(`alter table ${table} add constraint ${table}_status check (${check})`)
    await connection.query(`comment on constraint ${table}_status on ${table} is '${check.replaceAll("'", "''")}'`)
  }
}
