import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FreshRegions, pairOf } from '#test/harness/fresh-regions.ts'

/** Nodes of a simulated region have four processors, so that each of these pods fills one. */
describe('autoscalers that are refused machines wait for as many as pods need now', () => {
  const regions = new FreshRegions('refused-need')
  const done = (action: string, body: object = {}) => regions.done(action, body)
  const step = (time: string) => regions.step(time)
  const stock = (Count: number, Area = 'south') => done('SetStock', { Kind: 'Machine', Area, Count })
  const nodesOf = async (pool: string) => (await regions.nodes()).filter(({ Name }) => String(Name).startsWith(`${pool}-`)).length
  const pools = async () => ((await done('ListEdgeNodePools', { PageSize: 100 })).Items ?? []).map(one => `${String(one['Name'])} ${pairOf(one)}`).toSorted()
  /** How many claims wait in the ledger, by pool. */
  const claims = async () => {
    const rows = (await done('ListLedger', { PageSize: 100, Filter: { Kinds: ['Machine'], States: ['Intended'] } })).Items ?? []
    return Object.fromEntries([...Map.groupBy(rows, ({ Owner }) => (Owner as { Name: string }).Name)].map(([name, some]) => [name, some.length]))
  }

  class Shop {
    readonly id: string
    constructor(id: string) { this.id = id }

    static async open(): Promise<Shop> {
      return new Shop(await regions.cluster())
    }

    async pool(Name: string, Priority: number, { AreaName = 'south', ...scale }: { readonly AreaName?: string; readonly [more: string]: unknown } = {}): Promise<void> {
      const AutoScaleConfig = { Enabled: true, MinReplicas: 0, MaxReplicas: 20, DesiredReplicas: 0, Priority, ...scale }
      await done('CreateEdgeNodePool', { ClusterId: this.id, Name, NodePoolType: 'edge-machine-pool', ElasticConfig: { CloudServerIdentity: 'c1', AutoScaleConfig, InstanceArea: { AreaName } } })
      await step('1m')
    }

    runs(Pods: number) { return done('SetWorkload', { ClusterId: this.id, Name: 'web', Pods, Cpu: '3', MemoryMiB: 100 }) }
  }

  test('less what another pool had meanwhile', async () => {
    const shop = await Shop.open()
    await stock(0)
    await shop.pool('high', 50)
    await shop.pool('low', 1, { AreaName: 'north', MaxReplicas: 4 })
    await shop.runs(5)
    await step('20m')
    assert.deepEqual([await nodesOf('low'), await claims()], [4, { high: 1 }])
    await stock(20)
    await step('5m')
    assert.deepEqual([await nodesOf('high'), await nodesOf('low'), await claims()], [1, 4, {}])
  })

  test('less what waits no more', async () => {
    const shop = await Shop.open()
    await stock(0)
    await shop.pool('high', 50)
    await shop.runs(15)
    await step('5m')
    assert.deepEqual(await claims(), { high: 15 })
    await shop.runs(1)
    await step('30m')
    assert.deepEqual(await claims(), { high: 1 })
    await step('24h')
    await stock(20)
    await step('5m')
    assert.equal(await nodesOf('high'), 1)
  })

  test('beside those that callers want', async () => {
    const shop = await Shop.open()
    await stock(0)
    await shop.pool('high', 50, { DesiredReplicas: 3 })
    await shop.runs(5)
    await step('5m')
    assert.deepEqual(await claims(), { high: 5 })
    await shop.runs(1)
    await step('30m')
    assert.deepEqual(await claims(), { high: 3 })
    await stock(20)
    await step('5m')
    assert.equal(await nodesOf('high'), 3)
  })

  test('and only as many come, whichever of several has them first', async () => {
    const shop = await Shop.open()
    await stock(0)
    for (const [index, name] of ['one', 'two', 'three'].entries()) await shop.pool(name, 50 - index)
    await shop.runs(5)
    await step('3h')
    await stock(100)
    await step('5m')
    assert.deepEqual([(await regions.nodes()).length, await claims(), await pools()], [5, {}, ['one Running/Ok', 'three Running/Ok', 'two Running/Ok']])
  })

  test('and none of several claims again and again what comes to none of them, which each of them hears late', async () => {
    const shop = await Shop.open()
    await done('InjectFault', { Port: 'machines', Call: 'ensure', Effect: { Type: 'slow', For: '1m' } })
    await stock(0)
    await stock(0, 'north')
    await shop.pool('high', 50)
    await shop.pool('low', 1, { AreaName: 'north' })
    await shop.runs(5)
    await step('24h')
    const claimed = (await regions.server.history(regions.region)).filter(({ Kind, Status }) => Kind === 'Node' && Status?.Phase === 'Creating').length
    assert.ok(claimed <= 10, `${claimed} claims`)
    assert.deepEqual([await claims(), await pools()], [{ high: 5, low: 5 }, ['high Running/StockOut', 'low Running/StockOut']])
    await stock(2, 'north')
    await step('10m')
    assert.deepEqual([await nodesOf('low'), await claims(), await pools()], [2, { high: 3, low: 3 }, ['high Running/StockOut', 'low Running/StockOut']])
    await stock(20)
    await step('10m')
    assert.deepEqual([await nodesOf('high'), await nodesOf('low'), await claims(), await pools()], [3, 2, {}, ['high Running/Ok', 'low Running/Ok']])
  })
})
