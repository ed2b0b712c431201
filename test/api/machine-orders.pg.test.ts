import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Client } from 'pg'
import { orderMachine } from '#api/order-machines.ts'
import { scratchPostgres, type ScratchPostgres } from '#store/testing/scratch-postgres.ts'
import { NOON, SCOPE } from '#test/harness/sample-records.ts'
import { until } from '#test/harness/waiting.ts'

let postgres: ScratchPostgres
before(async () => { postgres = await scratchPostgres() })
after(() => postgres.end())

test('orders that share a transaction hold no machine while they wait for another one that a pass holds', async () => {
  await using opened = new AsyncDisposableStack()
  const { store, query, close, databaseUrl } = await postgres.openCopy()
  opened.defer(close)
  const pass = new Client({ connectionString: databaseUrl })
  await pass.connect()
  opened.defer(() => pass.end())
  for (const id of ['m-1', 'm-2', 'm-3']) await store.write(NOON, tx => tx.insertMachine({ id, ...SCOPE, name: id, address: '', power: 'on', link: 'up', createdAt: NOON }))
  const context = { store, scope: SCOPE, now: NOON } as unknown as Parameters<typeof orderMachine>[0]
  await pass.query('begin')
  await pass.query(`select 1 from machine where id = 'm-2' for update`)
  // The first goes alone; the others come meanwhile and go together.
  const orders = ['m-3', 'm-1', 'm-2'].map(id => orderMachine(context, { id, power: 'off' }))
  await Promise.all(orders.slice(0, 1))
  await until(async () => (await query('select 1 from pg_locks where not granted')).length === 1)
  await pass.query(`select 1 from machine where id = 'm-1' for update nowait`)
  await pass.query('commit')
  await Promise.all(orders)
  assert.deepEqual(await query('select id, power from machine order by id'), ['m-1', 'm-2', 'm-3'].map(id => ({ id, power: 'off' })))
})
