import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { addCluster, becauseOf, NOON, SCOPE } from '#test/harness/sample-records.ts'
import { until } from '#test/harness/waiting.ts'
import type { OpenStore } from './open.ts'
import { CLOCK, scratchPostgres, SILENT, type ScratchPostgres } from './testing/scratch-postgres.ts'
import { openStore } from './open.ts'

const PROGRAM = fileURLToPath(import.meta.resolve('#test/harness/worker-process.ts'))

interface Pass { readonly id: string; readonly from: number; to: number }

describe('several processes on one database', () => {
  let postgres: ScratchPostgres
  const children: ChildProcess[] = []
  const stores: OpenStore[] = []
  before(async () => {
    postgres = await scratchPostgres()
  })
  after(async () => {
    for (const child of children) child.kill('SIGKILL')
    for (const store of stores) await store.close()
    await postgres.end()
  })
  const start = async (databaseUrl: string, name: string, passMs: number) => {
    const child = spawn(process.execPath, [PROGRAM, postgres.stateDir, databaseUrl, name, String(passMs)], { stdio: ['ignore', 'pipe', 'inherit'] })
    children.push(child)
    const passes: Pass[] = []
    let ready = false
    let rest = ''
    child.stdout.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        const [what = '', time] = line.split(' ')
        if (what === 'ready') ready = true
        else if (what.startsWith('+')) passes.push({ id: what.slice(1), from: Number(time), to: Number.POSITIVE_INFINITY })
        else {
          const pass = passes.findLast(one => one.id === what.slice(1))
          if (pass) pass.to = Number(time)
        }
      }
    })
    await until(() => ready, 20_000)
    return { child, passes }
  }
  const key = (id: string) => ({ kind: 'cluster' as const, id, region: SCOPE.region })
  const numbered = (databaseUrl: string) => postgres.run(databaseUrl, 'select last::int, (select count(*)::int from status_change where position is not null) as numbered from sequencer')

  test('one key never runs in two of them at once, and no enqueued change is lost', async () => {
    const { queue, databaseUrl } = await postgres.openCopy()
    const workers = [await start(databaseUrl, 'one', 15), await start(databaseUrl, 'two', 15)]
    const lastEnqueued = new Map<string, number>()
    // At least sixty times, and on until both of them had their share.
    const isShared = () => workers.every(worker => worker.passes.length > 0)
    for (let round = 0; round < 60 || (round < 2_000 && !isShared()); round++) {
      const id = `k${round % 5}`
      await queue.enqueue(key(id))
      lastEnqueued.set(id, Date.now())
      await CLOCK.sleep(5)
    }
    const all = () => workers.flatMap(worker => worker.passes)
    await until(async () => (await postgres.run(databaseUrl, 'select 1 from work')).length === 0 && all().every(pass => Number.isFinite(pass.to)), 20_000)
    assert.ok(isShared(), 'both worked')
    for (const id of lastEnqueued.keys()) {
      const passes = all().filter(pass => pass.id === id).toSorted((one, other) => one.from - other.from)
      // Times are whole milliseconds; the end is told before the key is given back, so an overlap would be seen.
      for (const [index, pass] of passes.entries()) assert.ok(index === 0 || pass.from >= (passes[index - 1]?.to ?? 0), `${id} ran twice at once`)
    }
    for (const { child } of workers) child.kill('SIGTERM')
    await until(() => workers.every(({ child }) => child.exitCode === 0), 15_000)
    assert.deepEqual(await postgres.run(databaseUrl, 'select name from lease'), [], 'leases were given back')
  })

  test('the key of a process that was killed is taken over within five seconds', async () => {
    const { queue, databaseUrl } = await postgres.openCopy()
    const dying = await start(databaseUrl, 'dying', 60_000)
    await queue.enqueue(key('x'))
    await until(() => dying.passes.length === 1)
    const heir = await start(databaseUrl, 'heir', 1)
    dying.child.kill('SIGKILL')
    const killedAt = Date.now()
    await until(() => heir.passes.length === 1)
    const tookMs = (heir.passes[0]?.from ?? 0) - killedAt
    assert.ok(tookMs > 0 && tookMs < 5_000, `it took ${tookMs} ms`)
    heir.child.kill('SIGTERM')
  })

  test('whoever follows the history by position misses nothing while several processes write', async () => {
    const { store, databaseUrl } = await postgres.openCopy()
    const other = await openStore({ stateDir: postgres.stateDir, databaseUrl, log: SILENT, clock: CLOCK })
    stores.push(other)
    const clusters = 12, rounds = 15
    for (let number = 0; number < clusters; number++) await store.write(NOON, tx => addCluster(tx, `c${number}`))
    const all = Array.from({ length: clusters }, (_, number) => `c-c${number}`).toSorted()
    let large = 0
    // Transactions that add many rows number them themselves, and may change the same clusters as the small ones.
    const flipAll = (writer: typeof store) => async () => {
      for (let round = 0; round < rounds; round++) await writer.write(NOON + round, async tx => {
        await tx.lockTrees(all.map(id => ({ kind: 'cluster' as const, id })))
        for (const id of all) {
          const cluster = await tx.lockCluster(id)
          assert.ok(cluster)
          await tx.changeCluster(id, { facts: { ...cluster.facts, controlPlane: cluster.facts.controlPlane === 'usable' ? 'unkept' : 'usable' } }, becauseOf('look'))
        }
      }).then(() => { large += 1 })
    }
    let writing = true
    const flip = (writer: typeof store, number: number) => async () => {
      for (let round = 0; round < rounds; round++)
        await writer.write(NOON + round, async tx => {
          const cluster = await tx.lockCluster(`c-c${number}`)
          assert.ok(cluster)
          await tx.changeCluster(cluster.id, { facts: { ...cluster.facts, controlPlane: cluster.facts.controlPlane === 'usable' ? 'unkept' : 'usable' } }, becauseOf('look'))
          // Rows are inserted and committed in different orders.
          await CLOCK.sleep(Math.random() * 4)
        })
    }
    const writers = [...Array.from({ length: clusters }, (_, number) => flip(number % 2 === 0 ? store : other.store, number)()), flipAll(store)(), flipAll(other.store)()]
    const seen: number[] = []
    const follow = async () => {
      for (let last = 0; ; ) {
        const done = !writing
        const rows = await postgres.run(databaseUrl, `select position from status_change where position > ${last} order by position`)
        for (const row of rows) seen.push(Number(row['position']))
        last = seen.at(-1) ?? 0
        if (done) return
      }
    }
    const following = follow()
    await Promise.all(writers)
    await Promise.all([store.listHistory(SCOPE, {}, { number: 1, size: 1 }), other.store.listHistory(SCOPE, {}, { number: 1, size: 1 })])
    writing = false
    await following
    assert.equal(large, 2 * rounds)
    const total = clusters * (1 + 3 * rounds)
    assert.deepEqual(seen, Array.from({ length: total }, (_, index) => index + 1))
    // Of one cluster the rows have their positions in the order in which they were written.
    const written = await postgres.run(databaseUrl, 'select id, array_agg(ordinal order by position)::text as ordinals from status_change group by id')
    for (const { id, ordinals } of written) {
      const order = String(ordinals).slice(1, -1).split(',').map(Number)
      assert.deepEqual(order, order.toSorted((one, other) => one - other), String(id))
    }
  })

  test('rows that a process left without positions when it died come before those of a large transaction', async () => {
    const { store, databaseUrl } = await postgres.openCopy()
    const names = Array.from({ length: 12 }, (_, number) => `left-${number}`)
    await store.write(NOON, async tx => { for (const name of names) await addCluster(tx, name) })
    await postgres.run(databaseUrl, `insert into status_change (at, account_id, region, kind, id, name, phase, conditions, rule, because, evidence) select at, account_id, region, kind, id, name, phase, conditions, rule, 'left', evidence from status_change where id = 'c-left-7'`)
    await store.write(NOON + 1, async tx => {
      for (const name of names) {
        await tx.lockCluster(`c-${name}`)
        await tx.forget({ kind: 'Cluster', id: `c-${name}` }, { ...becauseOf('DeleteCluster'), text: 'gone' })
      }
    })
    const told = await postgres.run(databaseUrl, `select because, position from status_change where id = 'c-left-7' order by position`)
    assert.deepEqual(told.map(row => row['because']).slice(1), ['left', 'gone'])
    assert.deepEqual(await numbered(databaseUrl), [{ last: 25, numbered: 25 }])
  })

  test('behind more of them than are numbered at once, those of a large transaction get theirs afterwards', async () => {
    const { store, databaseUrl } = await postgres.openCopy()
    const names = Array.from({ length: 12 }, (_, number) => `many-${number}`), left = 25_000
    const change = (now: number, controlPlane: 'usable' | 'unkept') => store.write(now, async tx => {
      for (const name of names) {
        const cluster = await tx.lockCluster(`c-${name}`)
        assert.ok(cluster)
        await tx.changeCluster(cluster.id, { facts: { ...cluster.facts, controlPlane } }, becauseOf('look'))
      }
    })
    await store.write(NOON, async tx => { for (const name of names) await addCluster(tx, name) })
    await postgres.run(databaseUrl, `insert into status_change (at, account_id, region, kind, id, name, phase, conditions, rule, because, evidence) select at, account_id, region, kind, id, name, phase, conditions, rule, 'left', evidence from status_change, generate_series(1, ${left}) where id = 'c-many-7'`)
    await change(NOON + 1, 'unkept')
    await change(NOON + 2, 'usable')
    const total = 3 * names.length + left
    assert.equal((await store.listHistory(SCOPE, {}, { number: 1, size: 1 })).totalCount, total, 'a reader finds them numbered')
    assert.deepEqual(await numbered(databaseUrl), [{ last: total, numbered: total }])
    assert.deepEqual(await postgres.run(databaseUrl, `select count(*)::int as late from (select ordinal, max(ordinal) over (partition by id order by position) as latest from status_change) told where ordinal < latest`), [{ late: 0 }])
  })

  test('a write of one process wakes a worker of another at once', async () => {
    const { store, databaseUrl } = await postgres.openCopy()
    const worker = await start(databaseUrl, 'woken', 0)
    await until(async () => (await postgres.run(databaseUrl, 'select 1 from lease')).length === 1)
    const writtenAt = Date.now()
    await store.write(NOON, async tx => tx.enqueue(key(await addCluster(tx, 'woken'))))
    await until(() => worker.passes.length === 1)
    assert.ok((worker.passes[0]?.from ?? 0) - writtenAt < 2_000, 'sooner than the slow poll')
    worker.child.kill('SIGTERM')
  })

  test('an idle process writes nothing but its lease', async () => {
    const { databaseUrl } = await postgres.openCopy()
    const worker = await start(databaseUrl, 'idle', 0)
    const writes = async () => (await postgres.run(databaseUrl, `select relname, n_tup_ins + n_tup_upd + n_tup_del as writes from pg_stat_user_tables where relname <> 'lease' and n_tup_ins + n_tup_upd + n_tup_del > 0 order by 1`))
    await CLOCK.sleep(1_500)
    const before = await writes()
    await CLOCK.sleep(2_500)
    assert.deepEqual(await writes(), before)
    worker.child.kill('SIGTERM')
  })

  test('processes that are dead for a day are forgotten when another comes, unless something is still called theirs', async () => {
    const { queue, databaseUrl } = await postgres.openCopy()
    const run = (sql: string) => postgres.run(databaseUrl, sql)
    await run(`insert into lease (name, epoch, expires_at) values ('long-dead', 1, now() - interval '25 hours'), ('holds-a-watch', 1, now() - interval '25 hours'), ('just-dead', 1, now() - interval '23 hours')`)
    await run(`insert into watch (subject, epoch, owner, owner_epoch) values ('s', 1, 'holds-a-watch', 1)`)
    const lease = await queue.register({ name: 'newcomer', hosts: [], ttlMs: 10_000 })
    assert.deepEqual((await run('select name from lease order by name')).map(row => (row as { name: string }).name), ['holds-a-watch', 'just-dead', 'newcomer'])
    await lease.release()
  })
})
