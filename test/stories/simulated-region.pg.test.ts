import { after } from 'node:test'
import { openPostgresWorldStore } from '#providers/simulated/store/postgres-world-store.ts'
import { scratchPostgres } from '#store/testing/scratch-postgres.ts'
import { simulatedRegionStories } from './simulated-region.contract.ts'

const postgres = await scratchPostgres()
simulatedRegionStories('on PostgreSQL', async () => {
  const opened = await postgres.openCopy()
  return { store: opened.store, queue: opened.queue, worldStore: await openPostgresWorldStore(opened.query), close: () => opened.close() }
})
after(() => postgres.end())
