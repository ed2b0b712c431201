/** What one node's change costs does not grow with the fleet: the rows that statements read, gave and wrote for it are counted in a small fleet and in one five times as large. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Client, type QueryConfig, type QueryResult } from 'pg'
import { openPostgresWorldStore } from '#providers/simulated/store/postgres-world-store.ts'
import { scratchPostgres, type ScratchPostgres } from '#store/testing/scratch-postgres.ts'
import { until } from '#test/harness/command.ts'
import { SimulatedServer } from '#test/harness/simulated-server.ts'

const REGION = 'fleet'
const NODES_EACH = 4

describe('the cost of one change', () => {
  let postgres: ScratchPostgres
  before(async () => { postgres = await scratchPostgres() })
  after(() => postgres.end())

  async function fleet(clusters: number): Promise<{ server: SimulatedServer; nodes: readonly string[]; scans: (statements: Statements) => Promise<Record<string, number>>; close: () => Promise<void> }> {
    // Small tables are read as large ones would be: by the index that leads to the fewest rows, where there is one. What has none is read whole all the same.
    const opened = await postgres.openCopy(['enable_seqscan = off', 'cpu_tuple_cost = 100'])
    const server = await SimulatedServer.open({ store: opened.store, queue: opened.queue, worldStore: await openPostgresWorldStore(opened.query) })
    await server.done('CreateRegion', { Region: REGION, Seed: 7, Paused: true })
    const ids: string[] = []
    for (let number = 0; number < clusters; number++) {
      const { Id = '' } = await server.done('CreateCluster', {
        Name: `shop-${number}`, Profile: 'Edge', ClusterConfig: { SubnetIds: ['subnet-shop'] },
        PodsConfig: { PodNetworkMode: 'Flannel', FlannelConfig: { PodCidrs: [`10.${number}.0.0/17`] } }, ServicesConfig: { ServiceCidrsv4: [`10.${number}.128.0/20`] },
      }, REGION)
      ids.push(Id)
    }
    await server.done('SetClock', { Step: '60s' }, REGION)
    for (const ClusterId of ids) {
      const scale = { Enabled: false, MinReplicas: 0, MaxReplicas: NODES_EACH, DesiredReplicas: NODES_EACH, Priority: 10 }
      await server.done('CreateEdgeNodePool', { ClusterId, Name: 'elastic', NodePoolType: 'edge-machine-pool', ElasticConfig: { CloudServerIdentity: 'c1', AutoScaleConfig: scale, InstanceArea: { AreaName: 'north' } } }, REGION)
    }
    await server.done('SetClock', { Step: '10m' }, REGION)
    // A busy machine may answer a step before all of it is done.
    const nodes = await until('all nodes to run', async () => {
      const { TotalCount, Items = [] } = await server.done('ListEdgeNodes', { Filter: { Statuses: [{ Phase: 'Running', ConditionsType: 'Ok' }] } }, REGION)
      return TotalCount === clusters * NODES_EACH && Items.map(item => String(item['Id']))
    }, 120_000)
    await postgres.run(opened.databaseUrl, 'analyze')
    return {
      server, nodes,
      async scans(statements) {
        await statements.flush()
        const read = await postgres.run(opened.databaseUrl, 'select relname, (seq_tup_read + coalesce(idx_tup_fetch, 0))::int as count from pg_stat_user_tables')
        return Object.fromEntries(read.map(({ relname, count }) => [String(relname), Number(count)]))
      },
      async close() {
        await server.close()
        await opened.close()
      },
    }
  }

  /** What a node's change takes from the call until all of it is done; the least of several nodes, as what the process does for itself by the real clock may fall among them. */
  async function costOfOneChange(clusters: number): Promise<Cost> {
    using statements = countStatements()
    const { server, nodes, scans, close } = await fleet(clusters)
    try {
      const costs: Cost[] = []
      for (const node of nodes.slice(0, 4)) {
        const before = statements.rows(), scanned = await scans(statements)
        await server.done('SetMachine', { Id: `m${node.slice(1)}`, Power: 'off' }, REGION)
        await server.done('SetClock', { Step: '90s' }, REGION)
        const rows = statements.rows() - before, after = await scans(statements)
        costs.push({ rows, scanned: Object.fromEntries(Object.entries(after).flatMap(([table, count]) => (count === scanned[table] ? [] : [[table, count - (scanned[table] ?? 0)]]))) })
        assert.equal(await server.shows('ListEdgeNodes', node, REGION), 'Failed/NotReady')
      }
      return costs.toSorted((one, other) => one.rows - other.rows || sum(one.scanned) - sum(other.scanned))[0] ?? { rows: 0, scanned: {} }
    } finally {
      await close()
    }
  }

  test('statements read, give and write as many rows in a large fleet as in a small one', async () => {
    const small = await costOfOneChange(4), large = await costOfOneChange(20)
    const what = JSON.stringify({ small, large })
    assert.ok(small.rows > 0 && sum(small.scanned) > 0, what)
    assert.ok(large.rows <= small.rows * 1.2 + 5, what)
    assert.ok(sum(large.scanned) <= sum(small.scanned) * 1.2 + 5, what)
  })
})

interface Cost {
  /** That statements gave or wrote. */
  readonly rows: number
  /** That were read for it, by table. */
  readonly scanned: Readonly<Record<string, number>>
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0)
}

interface Statements extends Disposable {
  rows(): number
  /** Every connection that sent one tells the database what it has counted. */
  flush(): Promise<void>
}

/** Counts the rows of all statements of this process from now on. */
function countStatements(): Statements {
  const prototype = Client.prototype as unknown as { query: (config: QueryConfig | string) => unknown }
  const { query } = prototype
  const clients = new Set<Client>()
  let rows = 0
  prototype.query = function counting(this: Client, ...given: [QueryConfig | string]) {
    if (!clients.has(this)) {
      clients.add(this)
      this.once('end', () => clients.delete(this))
    }
    const answer = query.apply(this, given)
    if (answer instanceof Promise) answer.then((result: QueryResult) => { rows += result.rowCount ?? 0 }, () => {}) // a statement that failed gave none
    return answer
  }
  return {
    rows: () => rows,
    async flush() {
      for (const client of clients) await query.apply(client, ['select pg_stat_force_next_flush()'])
    },
    [Symbol.dispose]() { prototype.query = query },
  }
}
