import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ANY_CLUSTER, FreshRegions } from '#test/harness/fresh-regions.ts'

describe('a machine that a refused pool tried to have, and that cannot be taken back', () => {
  const regions = new FreshRegions('claims')
  const done = (action: string, body: object = {}) => regions.done(action, body)
  const step = (time: string) => regions.step(time)
  const shown = (pool: string) => regions.server.shows('ListEdgeNodePools', pool, regions.region)
  const why = async (Id: string) => (await done('ExplainStatus', { Id }))['Because']
  const hits = async (fault: string) => (await done('ListFaults')).Items?.find(({ Id }) => Id === fault)?.['Hits'] as number

  /** A pool that wants a machine and was refused it; the next one that it tries fails to be made, and what is left of it cannot be removed. With `half` there is something left. */
  const stuckPool = async (refuse: () => Promise<unknown>, effect: 'protected' | 'fail', scale: object = {}, making: 'fail' | 'half' = 'fail') => {
    const { Id: cluster = '' } = await done('CreateCluster', ANY_CLUSTER)
    await step('60s')
    await refuse()
    const { Id: pool = '' } = await done('CreateEdgeNodePool', {
      ClusterId: cluster, Name: 'burst', NodePoolType: 'edge-machine-pool',
      ElasticConfig: { CloudServerIdentity: 'c1', AutoScaleConfig: { Enabled: false, MinReplicas: 0, MaxReplicas: 2, DesiredReplicas: 2, Priority: 10, ...scale }, InstanceArea: { AreaName: 'north' } },
    })
    await step('1m')
    const { Id: fault = '' } = await done('InjectFault', { Port: 'machines', Call: 'ensureGone', Effect: { Type: effect } })
    await done('InjectFault', { Port: 'machines', Call: 'ensure', Effect: { Type: making }, Times: 1 })
    return { cluster, pool, fault }
  }
  const noStock = () => done('SetStock', { Kind: 'Machine', Count: 0 })
  const noQuota = () => done('SetQuota', { Kind: 'Machine', Limit: 0 })

  for (const { name, refuse, refused, scale } of [
    { name: 'stock', refuse: noStock, refused: 'Running/StockOut', scale: {} },
    { name: 'a quota, with an autoscaler', refuse: noQuota, refused: 'Running/LimitedByQuota', scale: { Enabled: true, MinReplicas: 2, Mode: 'Recycle' } },
  ]) {
    test(`is asked to go again only now and then, whoever sets ${name}, and another one is tried meanwhile`, async () => {
      const { pool, fault } = await stuckPool(refuse, 'protected', scale)
      await refuse()
      await step('1s')
      const first = await hits(fault)
      assert.ok(first >= 1 && first <= 2, `asked ${first} times within a second`)
      assert.equal(await shown(pool), 'Running/ScalingFailed')
      assert.match(String(await why(pool)), /was not made: .*; what may be left of the machine burst-\w+ cannot be taken back: /)
      await step('1h')
      const later = await hits(fault)
      assert.ok(later > first && later <= 12, `asked ${later} times within an hour`)
      await refuse()
      await step('1s')
      assert.equal(await shown(pool), refused, 'whoever changes limits has another one tried')
      assert.ok(await hits(fault) <= later + 1, 'and what is left asked to go once at most, as that may have become possible')
      await done('ClearFault', { All: true })
      await done('SetStock', { Kind: 'Machine', Unlimited: true })
      await done('SetQuota', { Kind: 'Machine', Unlimited: true })
      await step('5m')
      assert.equal(await shown(pool), 'Running/Ok')
      assert.equal((await done('ListEdgeNodes')).TotalCount, 2)
    })
  }

  test('is asked to go again now and then also where its removal only ever fails', async () => {
    const { pool, fault } = await stuckPool(noStock, 'fail', {}, 'half')
    await done('SetStock', { Kind: 'Machine', Count: 1 })
    await step('10h')
    assert.deepEqual([await shown(pool), (await regions.worldPowers()).length], ['Running/StockOut', 1])
    assert.match(String(await why(pool)), /; the machine burst-\w+, which is there, cannot be taken back: /)
    assert.ok(await hits(fault) < 1_000, `asked ${await hits(fault)} times in ten hours`)
  })

  test('is gone where its removal only ever fails, and nothing of it is there', async () => {
    const { pool, fault } = await stuckPool(noStock, 'fail')
    await noStock()
    await step('1s')
    assert.equal(await shown(pool), 'Running/ScalingFailed')
    await step('1h')
    assert.deepEqual([await shown(pool), await regions.worldPowers()], ['Running/StockOut', []])
    assert.ok(await hits(fault) < 100, `asked ${await hits(fault)} times in an hour`)
  })

  test('keeps the pool that is deleted, which says so, until it is gone', async () => {
    const { cluster, pool, fault } = await stuckPool(noStock, 'protected')
    await noStock()
    await step('1s')
    const before = await hits(fault)
    await done('DeleteNodePool', { ClusterId: cluster, Id: pool })
    await step('1s')
    assert.equal(await shown(pool), 'Failed/ResourceCleanupFailed')
    assert.match(String(await why(pool)), /^A machine that it tried to have is still there: The machine m\w+ is protected/)
    await step('10h')
    assert.ok(await hits(fault) <= before + 30, `asked ${await hits(fault) - before} times in ten hours`)
    const again = await hits(fault)
    await done('DeleteNodePool', { ClusterId: cluster, Id: pool })
    await step('1s')
    assert.ok(await hits(fault) > again, 'whoever asks again is heard at once')
    await done('ClearFault', { All: true })
    await done('DeleteNodePool', { ClusterId: cluster, Id: pool })
    await step('1s')
    assert.deepEqual([await shown(pool), (await done('ListLedger', { Filter: { States: ['Held', 'Intended'] } })).Items?.filter(({ Kind }) => Kind === 'Machine')], ['absent', []])
  })

  for (const { name, effect } of [{ name: 'is going', effect: { Type: 'slow', For: '30s' } }, { name: 'cannot go', effect: { Type: 'protected' } }]) {
    test(`is followed by the next one as soon as it is gone where stock was set while it ${name}`, async () => {
      const { Id: ClusterId = '' } = await done('CreateCluster', ANY_CLUSTER)
      await step('60s')
      await noStock()
      const { Id: pool = '' } = await done('CreateEdgeNodePool', {
        ClusterId, Name: 'burst', NodePoolType: 'edge-machine-pool',
        ElasticConfig: { CloudServerIdentity: 'c1', AutoScaleConfig: { Enabled: false, MinReplicas: 0, MaxReplicas: 2, DesiredReplicas: 1, Priority: 10 }, InstanceArea: { AreaName: 'north' } },
      })
      await step('310m')
      await done('InjectFault', { Port: 'machines', Call: 'ensure', Effect: { Type: 'fail' }, Times: 1 })
      const { Id: fault } = await done('InjectFault', { Port: 'machines', Call: 'ensureGone', Effect: effect, ...effect.Type === 'slow' && { Times: 1 } })
      await done('SetQuota', { Kind: 'Machine', Limit: 10 })
      await step('2s')
      assert.equal(await shown(pool), 'Running/ScalingFailed')
      await done('SetStock', { Kind: 'Machine', Unlimited: true })
      if (effect.Type === 'protected') {
        await step('10s')
        await done('ClearFault', { Id: fault })
        await done('SetStock', { Kind: 'Machine', Unlimited: true })
      }
      await step('10m')
      assert.equal(await shown(pool), 'Running/Ok')
    })
  }
})
