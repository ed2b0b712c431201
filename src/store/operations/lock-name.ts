import type { Queryable } from '../connection/database.ts'

/** An advisory lock on a name, held to the end of the transaction. */
export async function lockName(connection: Queryable, name: string): Promise<void> {
  await connection.query('select pg_advisory_xact_lock(hashtextextended($1, 7420))', [name])
}
