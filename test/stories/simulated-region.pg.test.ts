import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { openPostgresWorldStore } from '#providers/simulated/store/postgres-world-store.ts'
import { scratchPostgres } from '#store/testing/scratch-postgres.ts'
import { SimulatedServer } from '#test/harness/simulated-server.ts'
import { simulatedRegionStories } from './simulated-region.contract.ts'

const postgres = await scratchPostgres()
const open = async () => {
  const opened = await postgres.openCopy()
  return { opened, database: { store: opened.store, queue: opened.queue, worldStore: await openPostgresWorldStore(opened.query), close: () => opened.close() } }
}
simulatedRegionStories('on PostgreSQL', async () => (await open()).database)

test('of a region that was deleted no row is left but its history', async t => {
  const { opened, database } = await open()
  const server = await SimulatedServer.open(database)
  t.after(async () => {
    await server.close()
    await database.close()
  })
  // The region that every server begins with has a world of its own, which is opened meanwhile.
  await server.regions.faceOf('sim-1')?.untilOpen()
  /** Rows of every table, of the records and of the world, but for those of the process itself; of the tallies, whose rows are added, what they come to. */
  const sums: Readonly<Record<string, string>> = { 'public.node_tally': 'coalesce(sum(nodes), 0)', 'public.ledger_tally': 'coalesce(sum(spent) + sum(price) + sum(priced_since), 0)' }
  const rows = async (): Promise<Record<string, number>> => {
    const tables = await opened.query<{ name: string }>(
      `select table_schema || '.' || table_name as name from information_schema.tables where table_schema in (current_schema(), 'world') and table_type = 'BASE TABLE' order by 1`,
    )
    const counts: Record<string, number> = {}
    for (const { name } of tables) if (!/\.(status_change|lease|watch|sequencer|migration)$/.test(name)) counts[name] = Number((await opened.query<{ count: number }>(`select ${sums[name] ?? 'count(*)'} as count from ${name}`))[0]?.count)
    return counts
  }
  const before = await rows()
  await server.done('CreateRegion', { Region: 'ci-1', Seed: 7, Paused: true })
  const { cluster } = await server.fleet('ci-1', ['till-1', 'till-2'])
  await server.done('CreateKubeconfig', { ClusterId: cluster, Type: 'Private' }, 'ci-1')
  await server.done('InjectFault', { Port: 'machines', Call: 'kubelet', Effect: { Type: 'silent' } }, 'ci-1')
  assert.notDeepEqual(await rows(), before)
  await server.done('DeleteRegion', { Region: 'ci-1' })
  assert.deepEqual(await rows(), before)
})

after(() => postgres.end())
