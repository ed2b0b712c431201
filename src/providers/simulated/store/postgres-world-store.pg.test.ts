import { after } from 'node:test'
import { Pool } from 'pg'
import { scratchPostgres, type ScratchPostgres } from '#store/testing/scratch-postgres.ts'
import { openPostgresWorldStore, type Query } from './postgres-world-store.ts'
import { worldStoreContract } from './world-store.contract.ts'

let postgres: ScratchPostgres | undefined
worldStoreContract('PostgreSQL', async () => {
  postgres = await scratchPostgres()
  const opened = await postgres.openCopy()
  const pool = new Pool({ connectionString: opened.databaseUrl })
  // Its last connections may hear of the end of the database before they are closed.
  pool.on('connect', client => client.on('error', () => {}))
  pool.on('error', () => {})
  const query: Query = async <Row>(text: string, values: readonly unknown[] = []) => (await pool.query(text, [...values])).rows as Row[]
  // Two processes that start together bring up the same tables.
  const [store] = await Promise.all([openPostgresWorldStore(query), openPostgresWorldStore(query)])
  return {
    store,
    async close() {
      await pool.end()
      await opened.close()
    },
  }
})
after(async () => postgres?.end())
