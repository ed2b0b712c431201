/** Servers that their pool kept when their node went, and that come again: the old machine goes and a new one is made, in its place under every limit. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ANY_CLUSTER, FreshRegions, machineOf, pairOf } from '#test/harness/fresh-regions.ts'

describe('a kept server that comes again is the node that CreateNodes answered', () => {
  const regions = new FreshRegions('kept')
  const done = (action: string, body: object = {}) => regions.done(action, body)
  const fails = (Call: string, more: object = {}) => done('InjectFault', { Port: 'machines', Call, Effect: { Type: 'fail' }, ...more })
  const shown = async () => ((await done('ListNodes')).Items ?? []).map(item => [item['Id'], pairOf(item)])
  const pairOfPool = (id: string) => regions.server.shows('ListEdgeNodePools', id, regions.region)
  const held = async () => ((await done('ListQuotas')).Items ?? []).map(item => [item['Kind'], item['Held']])

  /** `i-1` is kept, and `burst` waits for a machine, of which there is none. */
  async function begin([action, limit]: readonly [string, object]) {
    const { Id: ClusterId = '' } = await done('CreateCluster', ANY_CLUSTER)
    await regions.step('60s')
    const { Id: NodePoolId = '' } = await done('CreateDefaultNodePool', { ClusterId })
    const add = async () => ((await done('CreateNodes', { ClusterId, InstanceIds: ['i-1'] })).Ids ?? [])[0] ?? ''
    const remove = async (Id: string, more: object = {}) => {
      await done('DeleteNodes', { ClusterId, NodePoolId, Ids: [Id], ...more })
      await regions.step('1m')
      assert.deepEqual(await shown(), [])
    }
    const first = await add()
    await regions.step('5m')
    await remove(first)
    await done(action, { Kind: 'Machine', ...limit })
    const AutoScaleConfig = { Enabled: false, MinReplicas: 0, MaxReplicas: 5, DesiredReplicas: 1, Priority: 10 }
    const { Id: burst = '' } = await done('CreateEdgeNodePool', { ClusterId, Name: 'burst', NodePoolType: 'edge-machine-pool', ElasticConfig: { CloudServerIdentity: 'c1', AutoScaleConfig, InstanceArea: { AreaName: 'north' } } })
    await regions.step('2m')
    return { add, remove, burst, NodePoolId, old: machineOf({ Id: first }) }
  }

  const QUOTA = ['SetQuota', { Limit: 1 }] as const, STOCK = ['SetStock', { Count: 0 }] as const
  for (const [what, limit, shows] of [['the quota', QUOTA, 'Running/LimitedByQuota'], ['the stock', STOCK, 'Running/StockOut']] as const) {
    for (const [how, happens] of [['', async () => {}], ['the old machine goes only after some tries', () => fails('ensureGone', { Times: 3 })],
      ['the new one is made only after some tries', (Id: string) => fails('ensure', { Times: 3, Target: { Kind: 'NodePool', Id } })],
    ] as const) {
      test(`where ${what} has no other place and another pool waits for one${how === '' ? '' : `, and ${how}`}`, async () => {
        const { add, burst, NodePoolId } = await begin(limit)
        assert.equal(await pairOfPool(burst), shows)
        await happens(NodePoolId)
        const again = await add()
        await regions.step('4m')
        assert.deepEqual([await shown(), await regions.worldPowers(), await pairOfPool(burst)], [[[again, 'Running/Ok']], ['on'], shows])
        await regions.step('3h')
        assert.deepEqual([await shown(), await regions.worldPowers(), await pairOfPool(burst)], [[[again, 'Running/Ok']], ['on'], shows])
      })
    }
  }

  test('also where the old machine cannot be removed, whose place is its own again if the new one goes first', async () => {
    const { add, remove, burst, old } = await begin(QUOTA)
    await fails('ensureGone')
    const again = await add()
    await regions.step('4m')
    assert.deepEqual([await shown(), await held(), (await regions.worldPowers()).length], [[[again, 'Running/Ok']], [['Machine', 1]], 2])
    await done('ClearFault', { All: true })
    await fails('ensureGone', { Target: { Kind: 'Machine', Id: old } })
    await remove(again, { CascadingDeleteResources: ['Ecs'] })
    await regions.step('3h')
    assert.deepEqual([await regions.worldPowers(), await held(), await pairOfPool(burst)], [['on'], [['Machine', 1]], 'Running/LimitedByQuota'])
    await done('ClearFault', { All: true })
    await regions.step('3h')
    assert.deepEqual([await regions.worldPowers(), await held(), await pairOfPool(burst)], [['on'], [['Machine', 1]], 'Running/Ok'])
  })

  for (const [why, refuse, says, allow, waits] of [
    ['its account may not have it', () => done('SetQuota', { Kind: 'Machine', Limit: 0 }), /The account may have 0 of the kind Machine and has 0/, () => done('SetQuota', { Kind: 'Machine', Limit: 1 }), 'Running/LimitedByQuota'],
    ['its account is in arrears', () => done('SetBalance', { Amount: 0 }), /The account is in arrears since /, () => done('SetBalance', { Unlimited: true }), 'Running/Balance'],
  ] as const) {
    test(`where ${why}, nothing of it is lost: the old machine stays as it was kept, and the server comes once it may`, async () => {
      const { add, burst, old } = await begin(QUOTA), quota = () => done('ListQuotas').then(({ Items }) => (Items ?? []).map(item => item['Held']))
      const kept = async () => (await done('ListMachines')).Items?.map(item => [item['Id'], item['Removing']])
      await refuse()
      const again = await add()
      assert.deepEqual(await kept(), [[old, undefined]], 'nothing goes before the new one is there')
      await regions.step('1m')
      const { Items = [] } = await done('ListStatusHistory', { Filter: { Ids: [again] } }) as { Items?: readonly { readonly Because: string }[] }
      assert.match(Items[0]?.Because ?? '', says)
      await regions.step('1h')
      assert.deepEqual([await shown(), await regions.worldPowers(), await quota(), await kept(), await pairOfPool(burst)], [[], ['on'], [1], [[old, undefined]], waits])
      await allow()
      const third = await add()
      await regions.step('5m')
      assert.deepEqual([await shown(), await quota(), await kept()], [[[third, 'Running/Ok']], [1], [[machineOf({ Id: third }), undefined]]])
    })
  }

  test('and one that is taken back before its machine is there leaves the old one as it was', async () => {
    const { add, remove, NodePoolId, old } = await begin(QUOTA)
    await fails('ensure', { Target: { Kind: 'NodePool', Id: NodePoolId } })
    const again = await add()
    await regions.step('1m')
    await remove(again)
    assert.deepEqual([(await done('ListMachines')).Items?.map(item => [item['Id'], item['Removing']]), await regions.worldPowers()], [[[old, undefined]], ['on']])
  })
})
