import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Client } from 'pg'

import { spentUntil } from '#model/account/arrears.ts'
import type { LedgerEntry } from '#ports/store.ts'
import { addCluster, addNode, addNodePool, becauseOf, NEW_NODE, NOON, READY_NODE, SCOPE } from '#test/harness/sample-records.ts'
import { until } from '#test/harness/waiting.ts'
import { openStore, type OpenStore } from './open.ts'
import { statementName } from './connection/statements.ts'
import { forgetRegion } from './operations/forget-region.ts'
import { sumUpCosts } from './operations/tally-costs.ts'
import { countNodesAnew, sumUpTally } from './operations/tally-nodes.ts'
import { BEFORE_CHANGES_IN_PLACE } from './testing/older-database.ts'
import { CLOCK, scratchPostgres, SILENT, type ScratchPostgres } from './testing/scratch-postgres.ts'

const SHOWN = 'select phase, count(*)::int as nodes from node_status group by phase order by phase'
const TALLIED = 'select phase, sum(nodes)::int as nodes from node_tally group by phase having sum(nodes) <> 0 order by phase'

const COSTS = 'select account_id, sum(spent)::text as spent, sum(price)::text as price, sum(priced_since)::text as priced_since'
const COSTING = `${COSTS.replace('sum(priced_since)', 'sum(price::numeric * priced_at)')} from ledger group by account_id order by account_id`
const COSTED = `${COSTS} from ledger_tally group by account_id having (sum(spent), sum(price), sum(priced_since)) <> (0, 0, 0) order by account_id`

/** Whoever sums up has not committed yet, and waits for nobody. */
async function forgetWhileSummedUp({ store, databaseUrl }: OpenStore & { readonly databaseUrl: string }, sumUp: typeof sumUpTally): Promise<void> {
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    await client.query('begin')
    await sumUp({ query: async (text, values) => (await client.query(text, values && [...values])).rows })
    await store.write(NOON, tx => tx.putRegion({ region: SCOPE.region, kind: 'Simulated', ready: true, text: '', settings: {} }))
    await store.write(NOON, tx => tx.forgetRegion(SCOPE.region))
    await client.query('commit')
  } finally {
    await client.end()
  }
}

describe('the tally of what ledgers cost', () => {
  let postgres: ScratchPostgres
  let opened: OpenStore & { readonly databaseUrl: string }
  before(async () => {
    postgres = await scratchPostgres()
    opened = await postgres.openCopy()
  })
  after(() => postgres.end())

  const agree = async () => {
    const costing = await opened.query<{ spent: string; price: string }>(COSTING)
    assert.deepEqual(await opened.query(COSTED), costing)
    return costing
  }
  const entry = (id: string, state: LedgerEntry['state'], power?: 'on' | 'off'): LedgerEntry => (
    { id, ...SCOPE, kind: 'Machine', providerId: id, owner: { kind: 'Node', id, name: id }, state, deleteProtected: false, since: NOON, ...(power && { power }) })

  test('is exact after every commit, while writers of the same entries and those who sum it up meet', async () => {
    const { store, query } = opened
    // Who adds an entry draws its id: nobody else knows it yet.
    await store.write(NOON, async tx => { for (let number = 0; number < 9; number++) await tx.putLedger(entry(`m-${number}`, 'Intended')) })
    let done = false
    const summing = (async () => { while (!done) await sumUpCosts({ query }) })()
    await Promise.all([1, 2, 3, 4].map(async writer => {
      for (let number = 0; number < 25; number++) {
        const ids = [0, 1, 2].map(offset => `m-${(number * writer + offset) % 9}`)
        await store.write(NOON + number * 1_000, async tx => {
          for (const [index, id] of ids.entries()) await tx.putLedger(entry(id, index === 2 && number % 5 === 4 ? 'Released' : 'Held', (number + index) % 2 === 0 ? 'on' : 'off'))
        })
      }
    }))
    done = true
    await summing
    const [costing] = await agree()
    assert.ok(Number(costing?.spent) > 0 && Number(costing?.price) > 0)
    await sumUpCosts({ query })
    assert.deepEqual(await query('select count(*)::int as rows from ledger_tally'), [{ rows: 1 }])
    await agree()
  })

  test('is summed up by itself once much was written', async () => {
    const { store, query } = opened
    await store.write(NOON, async tx => { for (let index = 0; index < 50; index++) await tx.putLedger(entry(`o-${index}`, 'Intended')) })
    for (let number = 0; number < 1_100; number += 50) await Promise.all(Array.from({ length: 50 }, (_, index) => store.write(NOON + 60_000 + number, tx => tx.putLedger(entry(`o-${index}`, 'Held', number % 100 === 0 ? 'on' : 'off')))))
    await until(async () => ((await query<{ rows: number }>('select count(*)::int as rows from ledger_tally'))[0]?.rows ?? 0) < 1_000)
    await agree()
  })

  test('is made of what is there when an older database is opened', async () => {
    const before = await agree()
    await postgres.run(opened.databaseUrl, BEFORE_CHANGES_IN_PLACE)
    const again = await openStore({ stateDir: postgres.stateDir, databaseUrl: opened.databaseUrl, log: SILENT, clock: CLOCK })
    await again.close()
    assert.deepEqual(await agree(), before)
  })

  test('is summed anew at each start, as a server without it may have written entries until it was ended', async () => {
    const before = await agree()
    await postgres.run(opened.databaseUrl, `update ledger set price = price + 1000 where state = 'Held'`)
    await postgres.run(opened.databaseUrl, `insert into ledger_tally select account_id, region, 7, 7, 7 from ledger_tally limit 1`)
    const again = await openStore({ stateDir: postgres.stateDir, databaseUrl: opened.databaseUrl, log: SILENT, clock: CLOCK })
    await again.close()
    assert.notDeepEqual(await agree(), before)
  })

  test('is summed up while nothing of the tally of nodes is held, so that a start, which counts both anew, meets nobody in a ring', async () => {
    const { store, query, close, databaseUrl } = await postgres.openCopy(), start = new Client({ connectionString: databaseUrl })
    await start.connect()
    try {
      await start.query('begin')
      await start.query('lock table ledger_tally in share row exclusive mode')
      await store.write(NOON, tx => addCluster(tx, 'the-first-to-be-numbered'))
      await until(async () => (await query(`select 1 from pg_locks where not granted and relation = 'ledger_tally'::regclass`)).length > 0)
      await start.query('lock table node_tally in share row exclusive mode nowait')
      await start.query('commit')
    } finally {
      await start.end()
      await close()
    }
  })

  test('keeps nothing of a region that is forgotten while somebody sums it up', async () => {
    const { store, query } = opened
    await forgetWhileSummedUp(opened, sumUpCosts)
    assert.deepEqual(await agree(), [])
    assert.deepEqual(spentUntil(await store.meterOf(SCOPE), NOON + 1e9), 0n)
    await sumUpCosts({ query })
    assert.deepEqual(await query('select count(*)::int as rows from ledger_tally'), [{ rows: 0 }])
  })
})

describe('the tally of nodes', () => {
  let postgres: ScratchPostgres
  let opened: OpenStore & { readonly databaseUrl: string }
  before(async () => {
    postgres = await scratchPostgres()
    opened = await postgres.openCopy()
  })
  after(() => postgres.end())

  const agree = async () => {
    const shown = await opened.query(SHOWN)
    assert.deepEqual(await opened.query(TALLIED), shown)
    return shown
  }

  test('is exact after every commit, while writers and those who sum it up meet', async () => {
    const { store, query } = opened
    const clusters = await store.write(NOON, async tx => {
      const made: { clusterId: string; nodePoolId: string; nodes: string[] }[] = []
      for (const name of ['a', 'b', 'c', 'd']) {
        const clusterId = await addCluster(tx, name)
        made.push({ clusterId, nodePoolId: await addNodePool(tx, name, clusterId), nodes: [] })
      }
      return made
    })
    let done = false
    const summing = (async () => { while (!done) await sumUpTally({ query }) })()
    await Promise.all(clusters.map(async ({ nodes, ...parents }, index) => {
      for (let number = 0; number < 12; number++) {
        nodes.push(await store.write(NOON, tx => addNode(tx, `${index}-${number}`, parents, NEW_NODE)))
        await store.write(NOON, async tx => {
          const id = nodes[number] ?? ''
          await tx.lockNode(id)
          await tx.changeNode(id, { facts: READY_NODE }, becauseOf('watch'))
          if (number % 4 === 3) await tx.forget({ kind: 'Node', id }, { ...becauseOf('x'), text: 'gone' })
        })
        const { totalCount } = await store.listNodes(SCOPE, {}, { number: 1, size: 1 })
        assert.ok(totalCount >= 0 && totalCount <= 48)
      }
    }))
    done = true
    await summing
    assert.deepEqual(await agree(), [{ phase: 'Running', nodes: 36 }])
    await sumUpTally({ query })
    assert.deepEqual(await query('select count(*)::int as rows from node_tally'), [{ rows: 1 }])
    await agree()
  })

  test('is made of what is there when an older database is opened', async () => {
    // What came after it is undone, too: an older database is migrated through all of that.
    await postgres.run(opened.databaseUrl, 'drop table node_tally; create index node_in_cluster on node (cluster_id, created_at, id)')
    await postgres.run(opened.databaseUrl, BEFORE_CHANGES_IN_PLACE)
    await postgres.run(opened.databaseUrl, `delete from migration where number >= (select number from migration where name = '0007-node-tally')`)
    const again = await openStore({ stateDir: postgres.stateDir, databaseUrl: opened.databaseUrl, log: SILENT, clock: CLOCK })
    await again.close()
    assert.deepEqual(await agree(), [{ phase: 'Running', nodes: 36 }])
  })

  test('is counted anew at each start, as a server without it may have changed nodes until it was ended', async () => {
    await postgres.run(opened.databaseUrl, `update node_tally set nodes = nodes - 7`)
    const again = await openStore({ stateDir: postgres.stateDir, databaseUrl: opened.databaseUrl, log: SILENT, clock: CLOCK })
    await again.close()
    assert.deepEqual(await agree(), [{ phase: 'Running', nodes: 36 }])
  })

  test('of a region that is forgotten while somebody sums it up nothing stays, and neither waits for the other', async () => {
    const { query } = opened
    await forgetWhileSummedUp(opened, sumUpTally)
    assert.deepEqual(await agree(), [])
    await sumUpTally({ query })
    assert.deepEqual(await query('select count(*)::int as rows from node_tally'), [{ rows: 0 }])
  })

  test('a region that is forgotten while a start counts anew waits for it, and the count never waits for the region', async () => {
    await using connections = new AsyncDisposableStack()
    const session = async () => {
      const client = new Client({ connectionString: opened.databaseUrl })
      await client.connect()
      connections.defer(() => client.end())
      // As the store's own connections do: of what was prepared before, tables are locked in another order than of what is new.
      return { query: async <Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> => (await client.query({ name: statementName(text), text, values: [...values] })).rows as Row[] }
    }
    const [holder, counter, remover] = await Promise.all([session(), session(), session()])
    const waiting = async (count: number) => until(async () => (await opened.query(`select 1 from pg_locks where not granted and relation = 'node_status'::regclass`)).length === count)
    await opened.store.write(NOON, tx => tx.putRegion({ region: SCOPE.region, kind: 'Simulated', ready: true, text: '', settings: {} }))
    await remover.query('begin')
    await forgetRegion(remover, 'another')
    await remover.query('commit')
    // Both stand before the table of what nodes show, the count first, when it becomes free.
    for (const { query } of [holder, counter, remover]) await query('begin')
    await holder.query('lock table node_status in access exclusive mode')
    const counted = countNodesAnew(counter).then(() => counter.query('commit'))
    await waiting(1)
    const forgotten = forgetRegion(remover, SCOPE.region).then(() => remover.query('commit'))
    await waiting(2)
    await holder.query('commit')
    await Promise.all([counted, forgotten])
    assert.deepEqual(await agree(), [])
  })
})
