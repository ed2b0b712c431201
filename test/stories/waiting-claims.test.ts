import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FreshRegions, machineOf } from '#test/harness/fresh-regions.ts'

describe('the ledger of a pool that is refused machines', () => {
  const regions = new FreshRegions('waiting')
  const done = (action: string, body: object = {}) => regions.done(action, body)
  const step = (time: string) => regions.step(time)
  const rows = async (state: string) => ((await done('ListLedger', { PageSize: 100, Filter: { Kinds: ['Machine'], States: [state] } })).Items ?? [])
  const waiting = async () => (await rows('Intended')).length

  test('has a row for every claim that waits, however many are wanted meanwhile, and no more rows than were ever wanted', async () => {
    const { NodePoolId, to } = await regions.machinePool()
    await done('SetStock', { Kind: 'Machine', Count: 0 })
    await to(2)
    await step('2m')
    assert.equal(await waiting(), 2)
    await to(5)
    await step('1s')
    assert.equal(await waiting(), 5)
    for (const { Owner, ProviderId, Because } of await rows('Intended')) {
      assert.deepEqual([(Owner as { Id?: string }).Id, ProviderId], [NodePoolId, undefined])
      assert.match(String(Because), /[Tt]he claim waits: Nothing of the kind Machine is left in stock/)
    }
    await step('10h')
    assert.equal(await waiting(), 5)
    for (const size of [1, 4, 5, 2, 5]) {
      await to(size)
      await step('10m')
      assert.equal(await waiting(), size)
    }
    // One more is what was tried now and then.
    assert.ok((await rows('Released')).length <= 1, `${(await rows('Released')).length} rows of claims that wait no more`)
    await done('SetStock', { Kind: 'Machine', Unlimited: true })
    await step('10m')
    assert.deepEqual([await waiting(), (await rows('Held')).length], [0, 5])
  })

  for (const { what, remove } of [
    { what: 'the pool', remove: (ClusterId: string, Id: string) => done('DeleteNodePool', { ClusterId, Id, CascadingDeleteResources: ['Ecs'] }) },
    { what: 'its cluster', remove: (Id: string) => done('DeleteCluster', { Id, CascadingDeleteResources: ['All'] }) },
  ]) {
    test(`has none for claims of a pool that is to go, however long a machine of it keeps it, where ${what} was deleted`, async () => {
      const { ClusterId, NodePoolId, to } = await regions.machinePool()
      await done('SetQuota', { Kind: 'Machine', Limit: 1 })
      await to(3)
      await step('5m')
      assert.equal(await waiting(), 2)
      await done('InjectFault', { Port: 'machines', Call: 'ensureGone', Effect: { Type: 'protected' } })
      await remove(ClusterId, NodePoolId)
      await step('1s')
      assert.equal(await waiting(), 0)
      await step('1d')
      assert.deepEqual([await regions.server.shows('ListEdgeNodePools', NodePoolId, regions.region), await waiting(), (await rows('Held')).length], ['Failed/ResourceCleanupFailed', 0, 1])
    })
  }

  test('has none for a claim that was being tried when its pool was deleted, which goes though a machine of the pool cannot', async () => {
    const { ClusterId, NodePoolId, to } = await regions.machinePool()
    await to(1)
    await step('5m')
    const [node] = await regions.nodes()
    await done('SetStock', { Kind: 'Machine', Count: 0 })
    await to(3)
    await step('5m')
    await done('InjectFault', { Port: 'machines', Call: 'ensureGone', Effect: { Type: 'protected' }, Target: { Id: machineOf(node) } })
    // It is made, though nobody is told, and taken back, which takes a while.
    await done('InjectFault', { Port: 'machines', Call: 'ensure', Effect: { Type: 'half' }, Times: 1 })
    await done('InjectFault', { Port: 'machines', Call: 'ensureGone', Effect: { Type: 'slow', For: '30s' }, Times: 1 })
    await done('SetStock', { Kind: 'Machine', Unlimited: true })
    await step('1s')
    assert.equal((await regions.worldPowers()).length, 2)
    await done('DeleteNodePool', { ClusterId, Id: NodePoolId, CascadingDeleteResources: ['Ecs'] })
    await step('1h')
    assert.deepEqual([await regions.server.shows('ListEdgeNodePools', NodePoolId, regions.region), await waiting(), (await rows('Held')).map(({ ProviderId }) => ProviderId)], ['Failed/ResourceCleanupFailed', 0, [machineOf(node)]])
    await done('ClearFault', { All: true })
    await done('DeleteNodePool', { ClusterId, Id: NodePoolId, CascadingDeleteResources: ['Ecs'] })
    await step('10m')
    assert.deepEqual([await regions.worldPowers(), (await done('ListLedger', { Filter: { Kinds: ['Machine'] } })).Items], [[], []])
  })
})
