import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Client } from 'pg'

import { clusterWatch } from '#ports/queue.ts'
import { addCluster, addNode, addNodePool, NOON } from '#test/harness/sample-records.ts'
import { until } from '#test/harness/waiting.ts'
import { Database } from './connection/database.ts'
import { MIGRATIONS } from './migrations/list.ts'
import { migrate } from './migrations/migrate.ts'
import { openStore, type OpenStore } from './open.ts'
import { BEFORE_CHANGES_IN_PLACE } from './testing/older-database.ts'
import { CLOCK, scratchPostgres, SILENT, type ScratchPostgres } from './testing/scratch-postgres.ts'

const ALL_MIGRATIONS = MIGRATIONS.map((_migration, index) => ({ number: index + 1 }))

describe('the database holds by itself', () => {
  let postgres: ScratchPostgres
  let opened: OpenStore & { readonly databaseUrl: string }
  const run = (statement: string) => postgres.run(opened.databaseUrl, statement)
  before(async () => {
    postgres = await scratchPostgres()
    opened = await postgres.openCopy()
    await opened.store.write(NOON, tx => addCluster(tx, 'shop'))
    await opened.store.listHistory({ accountId: '', region: '' }, {}, { number: 1, size: 1 })
  })
  after(() => postgres.end())

  test('a status that no table allows is refused', async () => {
    for (const pair of [`phase = 'Running', conditions = '{Balance}'`, `phase = 'Running', conditions = '{}'`, `phase = 'Running', conditions = '{Ok,Degraded}'`, `phase = 'Gone', conditions = '{Ok}'`, `phase = 'Running', conditions = '{{Ok}}'`, `phase = 'Running', conditions = '[0:0]={Ok}'`, `phase = 'Running{Ok}', conditions = '{}'`])
      await assert.rejects(run(`update cluster set ${pair}`), /cluster_status/, pair)
    await run(`update cluster set phase = 'Failed', conditions = '{Balance,ResourceCleanupFailed}'`)
  })

  test('checks follow the model: a check that differs is made anew at the next start', async () => {
    await run(`alter table cluster drop constraint cluster_status`)
    await run(`alter table cluster add constraint cluster_status check (phase <> 'Imaginary')`)
    const again = await openStore({ stateDir: postgres.stateDir, databaseUrl: opened.databaseUrl, log: SILENT, clock: CLOCK })
    await again.close()
    await assert.rejects(run(`update cluster set phase = 'Gone', conditions = '{Ok}'`), /cluster_status/)
  })

  test('what was seen of something goes with it', async () => {
    const sighted = async () => (await run('select kind from sight order by kind')).map(row => (row as { kind: string }).kind)
    await opened.store.write(NOON, async tx => {
      await addCluster(tx, 'seen')
      await tx.insertMachine({ id: 'm-seen', accountId: 'a', region: 'local-1', name: 'seen', address: '10.0.0.9', power: 'on', link: 'up', createdAt: NOON })
    })
    const cluster = (await opened.store.clustersOfRegion('sim-1')).find(one => one.spec.name === 'seen')
    assert.ok(cluster)
    const lease = await opened.queue.register({ name: 'watcher', hosts: [], ttlMs: 10_000 })
    const epoch = await opened.queue.claimWatch(lease, 'all')
    const sight = { fact: 1, seenAt: NOON, observer: 'watch', key: undefined }
    await opened.queue.putSights({ lease, subject: 'all', epoch: epoch ?? 0 }, [{ kind: 'MachinePower', id: 'm-seen', ...sight }, { kind: 'ControlPlane', id: cluster.id, ...sight }])
    assert.deepEqual(await sighted(), ['ControlPlane', 'MachinePower'])
    await opened.store.write(NOON, tx => tx.forgetMachine('m-seen'))
    assert.deepEqual(await sighted(), ['ControlPlane'])
    await opened.store.write(NOON, async tx => {
      await tx.lockCluster(cluster.id)
      await tx.forget({ kind: 'Cluster', id: cluster.id }, { text: 'gone', evidence: [] })
    })
    assert.deepEqual(await sighted(), [])
    await lease.release()
  })

  test('a cluster leaves no watch behind, though another process asks for it at that moment', async () => {
    const watches = async () => (await run(`select subject from watch where subject like '%c-parting' order by 1`)).map(row => (row as { subject: string }).subject)
    await opened.store.write(NOON, tx => addCluster(tx, 'parting'))
    const lease = await opened.queue.register({ name: 'parting', hosts: [], ttlMs: 10_000 })
    assert.equal(await opened.queue.claimWatch(lease, clusterWatch('nodes', 'c-parting')), 1)
    assert.deepEqual(await watches(), ['nodes/c-parting'])
    let asked: Promise<number | undefined> | undefined
    await opened.store.write(NOON, async tx => {
      await tx.lockCluster('c-parting')
      asked ??= opened.queue.claimWatch(lease, clusterWatch('health', 'c-parting'))
      await tx.forget({ kind: 'Cluster', id: 'c-parting' }, { text: 'gone', evidence: [] })
    })
    // It may have had it for a moment, before the cluster went.
    await asked
    assert.deepEqual(await watches(), [])
    await lease.release()
  })

  test('the history is only added to, and a position is given once', async () => {
    const [row] = await run('select count(*)::int as rows, min(position)::int as first from status_change')
    assert.equal((row as { first: number }).first, 1)
    for (const statement of ['delete from status_change', 'truncate status_change', `update status_change set because = 'x'`, 'update status_change set position = 7', `update status_change set at = 0`])
      await assert.rejects(run(statement), /only added to/, statement)
  })

  test('what was migrated is left alone, and what a newer version made is not touched', async () => {
    const database = new Database(async () => ({ connectionString: opened.databaseUrl }), SILENT)
    await database.connect()
    await migrate(database, SILENT, CLOCK)
    assert.deepEqual(await run('select number from migration order by number'), ALL_MIGRATIONS)
    await run(`insert into migration (number, name) values (${MIGRATIONS.length + 1}, 'of-the-future')`)
    await assert.rejects(migrate(database, SILENT, CLOCK), /of-the-future/)
    await database.close()
  })

  test('a migration that servers of an older version would not understand waits until they have ended, and says so where they do not', async () => {
    const { databaseUrl, queue, close } = await postgres.openCopy()
    await postgres.run(databaseUrl, BEFORE_CHANGES_IN_PLACE)
    const lease = await queue.register({ name: 'of-before', hosts: [], ttlMs: 60_000 })
    let waits = false
    const log = { ...SILENT, info: (_about: object, text?: string) => { waits ||= text?.startsWith('Waiting for a server of an older version') === true } }
    const again = () => openStore({ stateDir: postgres.stateDir, databaseUrl, log, clock: CLOCK })
    await assert.rejects(again(), /older version still runs on this database \(of-before\)/)
    assert.deepEqual(await postgres.run(databaseUrl, `select 1 from migration where name = '0011-changes-in-place'`), [])
    waits = false
    const opening = again()
    await until(() => waits)
    await lease.release()
    await (await opening).close()
    await close()
  })

  test('what a transaction still writes while that migration begins is in the table that it makes', async () => {
    const { databaseUrl, store, close } = await postgres.openCopy()
    await store.write(NOON, async tx => {
      const clusterId = await addCluster(tx, 'a')
      await addNode(tx, 'late', { clusterId, nodePoolId: await addNodePool(tx, 'a', clusterId) })
    })
    await postgres.run(databaseUrl, BEFORE_CHANGES_IN_PLACE)
    const writer = new Client({ connectionString: databaseUrl })
    await writer.connect()
    try {
      await writer.query(`begin; update node set phase = 'Running', conditions = '{Ok}' where id = 'n-late'`)
      const opening = openStore({ stateDir: postgres.stateDir, databaseUrl, log: SILENT, clock: CLOCK })
      await until(async () => (await postgres.run(databaseUrl, `select 1 from pg_locks where not granted and relation is not null`)).length > 0)
      await writer.query('commit')
      await (await opening).close()
    } finally {
      await writer.end()
    }
    assert.deepEqual(await postgres.run(databaseUrl, 'select id, phase, conditions from node_status'), [{ id: 'n-late', phase: 'Running', conditions: ['Ok'] }])
    await close()
  })

  test('pools and add-ons of clusters that did not start after a payment, as a server of before showed them, are looked at once', async () => {
    const { databaseUrl, store, close } = await postgres.openCopy()
    await store.write(NOON, async tx => {
      for (const name of ['failed', 'runs']) {
        const clusterId = await addCluster(tx, name)
        await addNodePool(tx, name, clusterId)
        await tx.insertAddon({ id: `${clusterId}:dns`, accountId: 'a', region: 'sim-1', createClientToken: `t-${clusterId}`, clusterId, spec: { name: 'dns', version: '1', deployMode: 'Unmanaged', deployNodeType: 'Node' }, facts: { reasons: {}, obstacles: [] } }, { evidence: [] })
      }
    })
    await close()
    await postgres.run(databaseUrl, `update cluster set phase = 'Failed', conditions = '{Unknown}', facts = facts::jsonb || '{"controlPlane":"starting","startingSince":1}' where id = 'c-failed'; delete from work; delete from migration where name = '0017-children-of-failed-starts'`)
    const again = await openStore({ stateDir: postgres.stateDir, databaseUrl, log: SILENT, clock: CLOCK })
    assert.deepEqual(await postgres.run(databaseUrl, 'select kind, id, due_at::int as due_at from work order by kind'), [{ kind: 'addon', id: 'c-failed:dns', due_at: 0 }, { kind: 'node-pool', id: 'p-failed', due_at: 0 }])
    await again.store.write(NOON, async tx => {
      await tx.lockAddon('c-failed:dns')
      await tx.changeAddon('c-failed:dns', {}, { evidence: [] })
    })
    assert.deepEqual([await again.store.findNodePool('p-failed'), await again.store.findAddon('c-failed:dns')].map(one => one?.said.status.conditions), [['ClusterNotRunning'], ['ClusterNotRunning']])
    await again.close()
  })

  test('keys of a database from before there was an administrator are administrators\', and go on working', async () => {
    const { databaseUrl, store, close } = await postgres.openCopy()
    await store.write(NOON, tx => tx.insertAccount({ id: 'a', accessKeyId: 'AKLTOLD', secret: 's3cret', name: 'default' }))
    await close()
    await postgres.run(databaseUrl, `alter table access_key drop column administrator; drop table quota; alter table machine drop column granted; delete from migration where number >= (select number from migration where name = '0013-administrators')`)
    const again = await openStore({ stateDir: postgres.stateDir, databaseUrl, log: SILENT, clock: CLOCK })
    assert.deepEqual(await again.store.findAccessKey('AKLTOLD'), { accountId: 'a', secret: 's3cret', administrator: true })
    await again.store.write(NOON, tx => tx.insertAccount({ id: 'a', accessKeyId: 'AKLTNEW', secret: 's3cret', name: 'default' }))
    assert.deepEqual(await again.store.findAccessKey('AKLTNEW'), { accountId: 'a', secret: 's3cret' })
    await again.close()
  })

  test('migrations run one process at a time', async () => {
    await postgres.run(opened.databaseUrl, 'create database empty')
    const databaseUrl = opened.databaseUrl.replace(/\/copy_[0-9a-f]+/, '/empty')
    const all = await Promise.all([1, 2, 3].map(() => openStore({ stateDir: postgres.stateDir, databaseUrl, log: SILENT, clock: CLOCK })))
    for (const store of all) await store.ready()
    assert.deepEqual(await postgres.run(databaseUrl, 'select number from migration order by number'), ALL_MIGRATIONS)
    for (const store of all) await store.close()
  })
})
