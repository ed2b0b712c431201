/** What one node's change costs does not grow with the fleet: the rows that statements gave and wrote for it are counted in a small fleet and in one five times as large. */
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

  async function fleet(clusters: number): Promise<{ server: SimulatedServer; nodes: readonly string[]; close: () => Promise<void> }> {
    const opened = await postgres.openCopy()
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
    return {
      server, nodes,
      async close() {
        await server.close()
        await opened.close()
      },
    }
  }

  /** Rows of a node's change from the call until all of it is done; the least of several nodes, as what the process does for itself by the real clock may fall among them. */
  async function rowsOfOneChange(clusters: number): Promise<number> {
    const { server, nodes, close } = await fleet(clusters)
    try {
      const counts: number[] = []
      for (const node of nodes.slice(0, 3)) {
        const { rows, stop } = countRows()
        await server.done('SetMachine', { Id: `m${node.slice(1)}`, Power: 'off' }, REGION)
        await server.done('SetClock', { Step: '90s' }, REGION)
        stop()
        counts.push(rows())
        assert.equal(await server.shows('ListEdgeNodes', node, REGION), 'Failed/NotReady')
      }
      return Math.min(...counts)
    } finally {
      await close()
    }
  }

  test('statements give and write as many rows in a large fleet as in a small one', async () => {
    const small = await rowsOfOneChange(4), large = await rowsOfOneChange(20)
    assert.ok(small > 0, `${small} rows`)
    assert.ok(large <= small * 1.2 + 5, `${small} rows in the small fleet, ${large} in the large one`)
  })
})

/** Counts the rows of all statements of this process from now on. */
function countRows(): { rows: () => number; stop: () => void } {
  const prototype = Client.prototype as unknown as { query: (config: QueryConfig | string) => unknown }
  const { query } = prototype
  let rows = 0
  prototype.query = function counting(this: Client, ...given: [QueryConfig | string]) {
    const answer = query.apply(this, given)
    if (answer instanceof Promise) answer.then((result: QueryResult) => { rows += result.rowCount ?? 0 }, () => {}) // a statement that failed gave none
    return answer
  }
  return { rows: () => rows, stop: () => { prototype.query = query } }
}
