import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { addCluster, NOON, SCOPE } from '#test/harness/sample-records.ts'
import { Database, type Queryable } from '../connection/database.ts'
import { scratchPostgres, SILENT, type ScratchPostgres } from '../testing/scratch-postgres.ts'
import { clusterNamed } from './find-records.ts'
import { isNameTaken } from './lock-tree.ts'

let postgres: ScratchPostgres
before(async () => { postgres = await scratchPostgres() })
after(() => postgres.end())

/** How many rows of clusters were read, in the transaction that looks. */
async function rowsRead(connection: Queryable): Promise<number> {
  const [row] = await connection.query<{ read: number }>(`select (seq_tup_read + idx_tup_fetch)::int as read from pg_stat_xact_user_tables where relname = 'cluster'`)
  return row?.read ?? 0
}

test('a cluster is found by its name without reading the others of its account, though PostgreSQL made its plan when there were none', async () => {
  const { store, databaseUrl, close } = await postgres.openCopy()
  // One connection, so that its plans are those that were made at first.
  const database = new Database(async () => ({ connectionString: databaseUrl }), SILENT, { reads: 1, writes: 1 })
  await database.connect()
  const look = (name: string) => database.transaction(async connection => [(await clusterNamed(connection, SCOPE, name))?.id, await isNameTaken(connection, 'cluster', SCOPE, name), await rowsRead(connection)])
  assert.deepEqual(await look('n-150'), [undefined, false, 0])
  await store.write(NOON, async tx => { for (let number = 0; number < 300; number++) await addCluster(tx, `n-${number}`) })
  assert.deepEqual(await look('n-150'), ['c-n-150', true, 2])
  const [, taken, read] = await look('nobody')
  assert.equal(taken, false)
  assert.ok(Number(read) <= 2, `${String(read)} rows were read`)
  await database.close()
  await close()
})
