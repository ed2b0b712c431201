import assert from 'node:assert/strict'
import { after, describe, test, type TestContext } from 'node:test'
import { Client } from 'pg'
import type { Transaction, WriteInstants } from '#ports/store.ts'
import { openPostgresWorldStore } from '#providers/simulated/store/postgres-world-store.ts'
import { scratchPostgres } from '#store/testing/scratch-postgres.ts'
import { SimulatedServer } from '#test/harness/simulated-server.ts'
import { inTime, until } from '#test/harness/waiting.ts'

const REGION = 'ci-7', CLUSTERS = 6

describe('pools of several clusters that are asked for at once, while somebody holds one of these', async () => {
  const postgres = await scratchPostgres()
  after(() => postgres.end())

  /** Clusters that run, in the order of their ids. `lockedBy`: what follows once a call has that cluster's lock, before it goes on. */
  async function begin(t: TestContext, locked: (id: string) => Promise<void> = async () => undefined): Promise<{ server: SimulatedServer; ids: readonly string[]; url: string }> {
    const opened = await postgres.openCopy()
    const write = opened.store.write.bind(opened.store)
    t.mock.method(opened.store, 'write', (now: number, work: (tx: Transaction) => Promise<unknown>, instants?: () => WriteInstants) => write(now, tx => {
      const lockCluster = tx.lockCluster.bind(tx)
      tx.lockCluster = async id => {
        const found = await lockCluster(id)
        await locked(id)
        return found
      }
      return work(tx)
    }, instants))
    const server = await SimulatedServer.open({ store: opened.store, queue: opened.queue, worldStore: await openPostgresWorldStore(opened.query) })
    t.after(async () => {
      await server.close()
      await opened.close()
    })
    await server.done('CreateRegion', { Region: REGION, Seed: 7, Paused: false, Speed: 600 })
    const made = await Promise.all(Array.from({ length: CLUSTERS }, (_, number) => server.done('CreateCluster', {
      Name: `shop-${number}`, Profile: 'Edge', ClusterConfig: { SubnetIds: ['subnet-shop'] },
      PodsConfig: { PodNetworkMode: 'Flannel', FlannelConfig: { PodCidrs: [`20.${number}.0.0/18`] } }, ServicesConfig: { ServiceCidrsv4: [`20.${number}.64.0/24`] },
    }, REGION)))
    await until(async () => (await server.done('ListClusters', { Filter: { Statuses: [{ Phase: 'Running', ConditionsType: 'Ok' }] } }, REGION)).TotalCount === CLUSTERS, 60_000)
    return { server, ids: made.map(({ Id = '' }) => Id).sort(), url: opened.databaseUrl }
  }

  const poolIn = (server: SimulatedServer) => (ClusterId: string) => server.call('CreateEdgeNodePool', { ClusterId, Name: 'pool', NodePoolType: 'edge-machine-set' }, REGION)

  test('those of the others are made while that is held, one that is refused among them, and its own once it is free', async t => {
    const { server, ids: [held = '', ...others], url } = await begin(t)
    const holder = new Client({ connectionString: url })
    await holder.connect()
    t.after(() => holder.end())
    await holder.query('begin')
    await holder.query('select 1 from cluster where id = $1 for update', [held])
    const own = poolIn(server)(held)
    const made = await inTime(Promise.all([...others, 'cnobody'].map(poolIn(server))), 'the pools of clusters that nobody holds', 20_000)
    assert.deepEqual(made.map(({ code }) => code ?? 'made'), [...others.map(() => 'made'), 'NotFound.Cluster'])
    await holder.query('rollback')
    assert.equal((await own).code, undefined)
  })

  test('nothing is written at an instant before that of what was written while it waited', async t => {
    let slow: string | undefined
    const hasLock = Promise.withResolvers<void>(), goesOn = Promise.withResolvers<void>()
    const { server, ids } = await begin(t, async id => {
      if (id !== slow) return
      slow = undefined
      hasLock.resolve()
      await goesOn.promise
    })
    const last = ids.at(-1) ?? ''
    slow = last
    const update = server.call('UpdateClusterConfig', { Id: last, Description: 'another' }, REGION)
    await hasLock.promise
    const pools = Promise.all(ids.map(poolIn(server)))
    const began = Date.now()
    await until(() => Date.now() > began + 50) // so that all of them wait, and the region's clock has gone on
    goesOn.resolve()
    assert.deepEqual((await pools).map(({ code }) => code ?? 'made'), ids.map(() => 'made'))
    assert.equal((await update).code, undefined)
    const instants = (await server.history(REGION)).filter(({ Id }) => Id === last).map(({ At }) => At)
    assert.deepEqual(instants, instants.toSorted())
  })
})
