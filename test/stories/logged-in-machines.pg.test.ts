import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { after, test } from 'node:test'
import { requestHash } from '#api/idempotency.ts'
import type { Log } from '#ports/log.ts'
import { openPostgresWorldStore } from '#providers/simulated/store/postgres-world-store.ts'
import { scratchPostgres } from '#store/testing/scratch-postgres.ts'
import { SimulatedServer } from '#test/harness/simulated-server.ts'

const PASSWORD = 'tr0ub4dor-und-drei'
const postgres = await scratchPostgres()
after(() => postgres.end())

test('a password is in no row of the database and in no line of the log, whether it let us in or not; nor is anything from which it could be guessed', async t => {
  const opened = await postgres.openCopy(), logged: string[] = []
  const note = (facts: object, text: string): void => { logged.push(`${text} ${JSON.stringify(facts, (_, value: unknown) => (value instanceof Error ? value.stack : value))}`) }
  const log: Log = { debug: note, info: note, warn: note, error: note, child: () => log }
  const server = await SimulatedServer.open({ store: opened.store, queue: opened.queue, worldStore: await openPostgresWorldStore(opened.query), log })
  t.after(async () => {
    await server.close()
    await opened.close()
  })
  const region = 'login-1', done = (action: string, body: object = {}) => server.done(action, body, region)
  await server.done('CreateRegion', { Region: region, Seed: 7, Paused: true })
  const { cluster, pool } = await server.fleet(region, [])
  await done('AddMachine', { Name: 'till-1' })
  await done('SetClock', { Step: '30s' })
  const Address = String((await done('ListMachines')).Items?.[0]?.['Address'])
  const bodies = [Address, '10.9.9.9'].map((address, number) => ({
    ClusterId: cluster, NodePoolId: pool, Name: 'till-1', ClientToken: `till-${number}`, AutoCompleteConfig: { Enable: true, Address: address, MachineAuth: { AuthType: 'Password', User: 'root', SSHPort: 22, Password: PASSWORD } },
  }))
  const ids: string[] = []
  for (const body of bodies) ids.push((await done('CreateEdgeNode', body)).Ids?.[0] ?? '')
  await done('SetClock', { Step: '60s' })
  assert.deepEqual(await Promise.all(ids.map(id => server.shows('ListEdgeNodes', id, region))), ['Running/Ok', 'Failed/InitializeFailed'])

  const tables = await opened.query<{ name: string }>(`select table_schema || '.' || table_name as name from information_schema.tables where table_schema in (current_schema(), 'world') and table_type = 'BASE TABLE' order by 1`)
  let dump = ''
  for (const { name } of tables) dump += (await opened.query<{ row: string }>(`select t::text as row from ${name} t`)).map(({ row }) => row).join('\n')
  assert.ok(dump.includes(ids[1] ?? '-') && dump.includes('No route to host'), 'the dump holds what was done')
  assert.ok(logged.some(line => line.startsWith('Logged in to a machine')))
  const forms = [PASSWORD, Buffer.from(PASSWORD).toString('base64'), Buffer.from(PASSWORD).toString('hex'), hash('sha256', PASSWORD, 'hex'), hash('sha256', PASSWORD, 'base64'), ...bodies.map(requestHash)]
  for (const form of forms) assert.ok(!dump.includes(form) && !logged.join('\n').includes(form), form)
})
