import type { Queryable } from '../connection/database.ts'

/** An advisory lock on a name, held to the end of the transaction. */
export async function lockName(connection: Queryable, name: string): Promise<void> {
  await connection.query('select pg_advisory_xact_lock(hashtextextended($1, 7420))', [name])
}

/** As lockName, where nobody holds it; else false, at once. */
export async function tryLockName(connection: Queryable, name: string): Promise<boolean> {
  const [row] = await connection.query<{ locked: boolean }>('select pg_try_advisory_xact_lock(hashtextextended($1, 7420)) as locked', [name])
  return row?.locked === true
}
