import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ANY_CLUSTER, FreshRegions } from '#test/harness/fresh-regions.ts'

interface Status { readonly Phase: string; readonly Conditions: readonly { readonly Type: string }[] }
interface Shown { readonly Id: string; readonly Status: Status; readonly Power: string }

const REMOVAL = { Port: 'machines', Call: 'ensureGone' }

describe('arrears reach what leaves and does not go', () => {
  const regions = new FreshRegions('leavers')

  const done = (action: string, body: object = {}) => regions.done(action, body)
  const step = (time: string) => regions.step(time)
  const items = async (action: string, body: object = {}) => ((await done(action, { PageSize: 100, ...body })).Items ?? []) as unknown as readonly Shown[]
  const pairs = async (action: string) => (await items(action)).map(({ Status: { Phase, Conditions } }) => `${Phase}/${Conditions.map(({ Type }) => Type).join('+')}`).toSorted()
  const powers = async () => (await items('ListMachines')).map(({ Power }) => Power)
  const state = async () => [await pairs('ListEdgeNodes'), await powers()]
  const spend = async () => {
    await done('SetBalance', { Amount: -1 })
    await step('3h')
  }
  const pay = async () => {
    await done('SetBalance', { Unlimited: true })
    await step('30m')
  }

  /** A cluster with a pool that orders machines; `remove` asks for its nodes to go, with them. */
  async function pool(DesiredReplicas = 1): Promise<{ readonly remove: () => Promise<unknown> }> {
    const { Id: ClusterId = '' } = await done('CreateCluster', ANY_CLUSTER)
    await step('60s')
    const { Id: NodePoolId = '' } = await done('CreateEdgeNodePool', {
      ClusterId, Name: 'burst', NodePoolType: 'edge-machine-pool',
      ElasticConfig: { CloudServerIdentity: 'c1', AutoScaleConfig: { Enabled: false, MinReplicas: 0, MaxReplicas: 5, DesiredReplicas, Priority: 10 }, InstanceArea: { AreaName: 'north' } },
    })
    await step('5m')
    return { remove: async () => done('DeleteEdgeNodes', { ClusterId, NodePoolId, Ids: (await items('ListEdgeNodes')).map(({ Id }) => Id), CascadingDeleteResources: ['Ecs'] }) }
  }

  for (const Type of ['protected', 'fail', 'hang', 'lie']) {
    test(`a machine whose removal ends as ${Type} is shut down, on again once they are paid, and goes when it can`, async () => {
      const { remove } = await pool()
      await done('InjectFault', { ...REMOVAL, Effect: { Type } })
      await remove()
      await step('30m')
      assert.deepEqual(await state(), [['Failed/ResourceCleanupFailed'], ['on']])
      await spend()
      assert.deepEqual(await state(), [['Failed/Balance+ResourceCleanupFailed'], ['off']])
      await pay()
      assert.deepEqual(await state(), [['Failed/ResourceCleanupFailed'], ['on']])
      await spend()
      assert.deepEqual(await state(), [['Failed/Balance+ResourceCleanupFailed'], ['off']])
      await pay()
      await done('ClearFault', { All: true })
      await remove()
      await step('10m')
      assert.deepEqual(await state(), [[], []])
    })
  }

  test('one whose removal fails in arrears stays off after they are paid, as nobody knows what of it is left', async () => {
    const { remove } = await pool()
    await spend()
    await done('InjectFault', { ...REMOVAL, Effect: { Type: 'fail' } })
    await remove()
    await step('30m')
    assert.deepEqual(await state(), [['Failed/Balance+ResourceCleanupFailed'], ['off']])
    await pay()
    assert.deepEqual(await state(), [['Failed/ResourceCleanupFailed'], ['off']])
    // From then on it is off for another reason.
    await spend()
    assert.deepEqual(await state(), [['Failed/ResourceCleanupFailed'], ['off']])
  })

  for (const Type of ['protected', 'fail']) {
    test(`one that was off before, and whose removal ends as ${Type}, is not said to be shut down for arrears, as it is not where it stays`, async () => {
      const { remove } = await pool(2)
      const [machine] = await items('ListMachines')
      await done('SetMachine', { Id: machine?.Id, Power: 'off' })
      await step('1m')
      await done('InjectFault', { ...REMOVAL, Effect: { Type } })
      await spend()
      assert.deepEqual(await pairs('ListEdgeNodes'), ['Failed/Balance', 'Failed/NotReady'])
      await remove()
      await step('30m')
      assert.deepEqual(await pairs('ListEdgeNodes'), ['Failed/Balance+ResourceCleanupFailed', 'Failed/ResourceCleanupFailed'])
    })
  }

  test('one whose removal by hand fails in arrears is not said to come back after them', async () => {
    await pool()
    await spend()
    await done('InjectFault', { ...REMOVAL, Effect: { Type: 'fail' } })
    const [machine] = await items('ListMachines')
    await done('RemoveMachine', { Id: machine?.Id })
    await step('30m')
    assert.deepEqual(await state(), [['Failed/Balance'], ['off']])
    await pay()
    assert.deepEqual(await state(), [['Failed/NotReady'], ['off']])
  })

  test('one that does not obey is not said to be shut down before it is', async () => {
    const { remove } = await pool()
    await done('InjectFault', { ...REMOVAL, Effect: { Type: 'fail' } })
    const { Id } = await done('InjectFault', { Port: 'machines', Call: 'ensure', Effect: { Type: 'hang' } })
    await remove()
    await step('30m')
    await spend()
    assert.deepEqual(await pairs('ListEdgeNodes'), ['Failed/ResourceCleanupFailed'])
    await done('ClearFault', { Id })
    await step('2h')
    assert.deepEqual(await pairs('ListEdgeNodes'), ['Failed/Balance+ResourceCleanupFailed'])
  })

  test('a machine that is ordered off while its removal is under way is off when that is given up', async () => {
    await pool()
    const { Id: hangs } = await done('InjectFault', { Port: 'machines', Call: 'ensure', Effect: { Type: 'hang' } })
    await spend()
    await done('InjectFault', { ...REMOVAL, Effect: { Type: 'fail' } })
    const [machine] = await items('ListMachines')
    await done('RemoveMachine', { Id: machine?.Id })
    await done('ClearFault', { Id: hangs })
    // What failed for hours is tried again now and then only.
    await step('3h')
    assert.deepEqual(await state(), [['Failed/Balance'], ['off']])
    await pay()
    assert.deepEqual(await state(), [['Running/Ok'], ['on']])
  })

  test('a machine that was made and never told is known once arrears begin, or once its making is given up, and is not left behind', async () => {
    for (const balance of [-1, 1_000]) {
      await done('InjectFault', { Port: 'machines', Call: 'ensure', Effect: { Type: 'half' } })
      const { remove } = await pool()
      await done('SetBalance', { Amount: balance })
      await step('20m')
      assert.equal((await done('ListLedger', { Filter: { Kinds: ['Machine'], States: ['Held'] } })).TotalCount, 1)
      await done('ClearFault', { All: true })
      await step('20m')
      assert.deepEqual(await state(), [['Running/Ok'], ['on']])
      await remove()
      await step('10m')
      const { Items: [cluster] = [] } = await done('ListClusters')
      await done('DeleteCluster', { Id: cluster?.['Id'], CascadingDeleteResources: ['All'] })
      await step('10m')
      await pay()
    }
  })

  for (const Type of ['protected', 'fail']) {
    test(`a machine that was made and never told, and whose removal ends as ${Type}, costs, is shut down, and goes when it can`, async () => {
      const { Id: lost } = await done('InjectFault', { Port: 'machines', Call: 'ensure', Effect: { Type: 'half' } })
      const { remove } = await pool()
      await done('InjectFault', { ...REMOVAL, Effect: { Type } })
      await remove()
      await done('ClearFault', { Id: lost })
      await step('30m')
      assert.deepEqual(await state(), [['Failed/ResourceCleanupFailed'], ['on']])
      const { Items: [entry] = [] } = await done('ListLedger', { Filter: { Kinds: ['Machine'] } })
      assert.equal(entry?.['State'], 'Held')
      await spend()
      assert.deepEqual(await state(), [['Failed/Balance+ResourceCleanupFailed'], ['off']])
      await pay()
      assert.deepEqual(await state(), [['Failed/ResourceCleanupFailed'], ['on']])
      await done('ClearFault', { All: true })
      await remove()
      await step('10m')
      assert.deepEqual(await state(), [[], []])
    })
  }

  test('a machine that its user asked to go is shut down, too, where it stays', async () => {
    await pool()
    await done('InjectFault', { ...REMOVAL, Effect: { Type: 'fail' } })
    const [machine] = await items('ListMachines')
    await done('RemoveMachine', { Id: machine?.Id })
    await step('30m')
    await spend()
    assert.deepEqual(await state(), [['Failed/Balance'], ['off']])
    await pay()
    assert.deepEqual(await state(), [['Running/Ok'], ['on']])
  })
})
