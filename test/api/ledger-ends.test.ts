import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ANY_CLUSTER, FreshRegions } from '#test/harness/fresh-regions.ts'

const STATES = ['Intended', 'Held', 'Releasing', 'Retained', 'Abandoned', 'Released']

interface Entry { readonly Kind: string; readonly State: string; readonly Owner: { readonly Kind: string; readonly Id: string; readonly Name: string }; readonly ProviderId?: string; readonly Because?: string }

/** Every row of the ledger ends with what it stands for, and there is one a thing, whatever is tried again. */
describe('rows of the ledger', () => {
  const regions = new FreshRegions('ledger')

  const done = (action: string, body: object = {}) => regions.done(action, body)
  const step = (time: string) => regions.step(time)
  const shows = (pool: string) => regions.server.shows('ListEdgeNodePools', pool, regions.region)
  const rows = async (filter: object = {}) => ((await done('ListLedger', { Filter: { States: STATES, ...filter }, PageSize: 100 })).Items ?? []) as unknown as Entry[]
  const machines = async () => (await rows({ Kinds: ['Machine'] })).map(entry => entry.State).sort()
  const begin = async (desired: number, scale: object = {}) => {
    const { Id: cluster = '' } = await done('CreateCluster', ANY_CLUSTER)
    await step('60s')
    const { Id: pool = '' } = await done('CreateEdgeNodePool', {
      ClusterId: cluster, Name: 'elastic', NodePoolType: 'edge-machine-pool',
      ElasticConfig: { CloudServerIdentity: 'c1', AutoScaleConfig: { Enabled: false, MinReplicas: 0, MaxReplicas: 5, DesiredReplicas: desired, Priority: 10, ...scale }, InstanceArea: { AreaName: 'north' } },
    })
    return { cluster, pool }
  }

  for (const [title, more, allow] of [
    ['sold out', {}, 'SetStock'],
    ['its provider answers with errors', { Port: 'machines', Call: 'ensure', Effect: { Type: 'fail' } }, 'ClearFault'],
  ] as const) {
    test(`claims that are tried for three weeks leave no more rows than those of a day: ${title}`, async () => {
      const { cluster, pool } = await begin(0)
      await step('60s')
      await done('SetStock', { Kind: 'Machine', Count: 0 })
      await done('ScaleUpEdgeNodePool', { ClusterId: cluster, NodePoolId: pool, DesiredReplicas: 2 })
      await step('1m')
      if ('Port' in more) {
        await done('InjectFault', more)
        await done('SetStock', { Kind: 'Machine', Count: 9 })
      }
      await step('1d')
      assert.deepEqual(await machines(), ['Intended', 'Intended', 'Released'])
      await step('20d')
      assert.deepEqual(await machines(), ['Intended', 'Intended', 'Released'])
      await done(allow, allow === 'SetStock' ? { Kind: 'Machine', Count: 9 } : { All: true })
      await step('2h')
      assert.equal(await shows(pool), 'Running/Ok')
      assert.deepEqual((await machines()).filter(state => state !== 'Released'), ['Held', 'Held'])
    })
  }

  test('in arrears they are tried for as long as the grace time lasts, and leave one row', async () => {
    const { cluster, pool } = await begin(0)
    await step('60s')
    await done('SetBalance', { Amount: 0 })
    await step('1m')
    await done('ScaleUpEdgeNodePool', { ClusterId: cluster, NodePoolId: pool, DesiredReplicas: 1 })
    await step('110m')
    assert.equal(await shows(pool), 'Running/Balance')
    assert.ok((await machines()).length <= 2, (await machines()).join())
    await done('SetBalance', { Unlimited: true })
    await step('5m')
    assert.equal(await shows(pool), 'Running/Ok')
    assert.deepEqual((await machines()).filter(state => state !== 'Released'), ['Held'])
  })

  test('a machine costs while it is on, also one of one\'s own and one that was kept', async () => {
    const { cluster, pool } = await begin(1)
    await step('60s')
    const spends = async () => (await done('GetBalance'))['PerHour'] as number
    const alone = await spends()
    const { Id: own } = await done('AddMachine', { Name: 'till-1' })
    assert.ok(await spends() > alone)
    await done('SetMachine', { Id: own, Power: 'off' })
    assert.equal(await spends(), alone)
    await done('SetMachine', { Id: own, Power: 'on' })
    assert.ok(await spends() > alone)
    await done('SetMachine', { Id: own, Power: 'off' })

    const { Items: [{ Id: node } = {}] = [] } = await done('ListEdgeNodes')
    await done('DeleteEdgeNodes', { ClusterId: cluster, NodePoolId: pool, Ids: [node] })
    await step('3m')
    assert.deepEqual((await rows({ Kinds: ['Machine'] })).map(entry => `${entry.State} ${entry.Owner.Kind}`).sort(), ['Held Machine', 'Retained Machine'])
    assert.equal(await spends(), alone, 'what is kept costs what it cost')
    const kept = (await rows({ States: ['Retained'] }))[0]?.ProviderId
    await done('SetMachine', { Id: kept, Power: 'off' })
    assert.ok(await spends() < alone)
    assert.deepEqual((await rows({ States: ['Retained'] })).map(entry => entry.ProviderId), [kept], 'it stays what it is')
    for (const Id of [own, kept]) await done('RemoveMachine', { Id })
    assert.deepEqual(await machines(), ['Released', 'Released'])
  })

  test('a machine whose creation was given up, or whose removal was, goes with its row when it is asked to', async () => {
    const { cluster, pool } = await begin(0)
    await step('60s')
    await done('InjectFault', { Port: 'machines', Call: 'ensure', Effect: { Type: 'fail' } })
    await done('ScaleUpEdgeNodePool', { ClusterId: cluster, NodePoolId: pool, DesiredReplicas: 1 })
    await step('10m')
    const nodes = async () => ((await done('ListEdgeNodes', { Filter: { NodePoolIds: [pool] } })).Items ?? []).map(node => (node['Status'] as { Conditions: { Type: string }[] }).Conditions[0]?.Type)
    assert.deepEqual([await nodes(), await machines()], [['Unknown'], ['Intended']])
    const [entry] = await rows({ Kinds: ['Machine'] })
    await done('InjectFault', { Port: 'machines', Call: 'ensureGone', Effect: { Type: 'protected' } })
    await done('RemoveMachine', { Id: entry?.ProviderId })
    await step('10m')
    assert.deepEqual(await machines(), ['Intended'])
    await done('ClearFault', { All: true })
    await done('RemoveMachine', { Id: entry?.ProviderId })
    await step('1m')
    assert.deepEqual([await nodes(), await machines(), (await done('ListMachines')).TotalCount], [['Unknown'], ['Released'], 0])
  })

  test('what a creation made that ended while nobody could look is held once somebody can, and costs until it is deleted', async () => {
    const ofHost = async () => (await rows({ Kinds: ['ControlPlane', 'Network'] })).map(entry => entry.State)
    // It is made, though the call says otherwise, and from then on nobody can look.
    await done('InjectFault', { Port: 'control-plane-host', Call: 'ensure', Effect: { Type: 'half' } })
    await done('InjectFault', { Port: 'control-plane-host', Call: 'look', Effect: { Type: 'fail' }, From: new Date(Date.parse(String((await done('GetClock'))['Now'])) + 1).toISOString() })
    const { Id: cluster } = await done('CreateCluster', ANY_CLUSTER)
    await step('20m')
    assert.equal(await regions.server.shows('ListClusters', cluster ?? '', regions.region), 'Failed/CreateError')
    const [intended, before] = [await ofHost(), (await done('GetBalance'))['PerHour'] as number]
    assert.deepEqual(intended, ['Intended', 'Intended'])
    await step('3d')
    await done('ClearFault', { All: true })
    await step('1m')
    assert.deepEqual(await ofHost(), ['Held', 'Held'])
    assert.ok((await done('GetBalance'))['PerHour'] as number > before)
    assert.equal(await regions.server.shows('ListClusters', cluster ?? '', regions.region), 'Failed/CreateError')
    await done('DeleteCluster', { Id: cluster })
    await step('5m')
    assert.deepEqual(await ofHost(), ['Released', 'Released'])
  })

  test('what a deletion did not ask for says how it ends, costs until then, and goes with its region', async () => {
    const { Id: cluster } = await done('CreateCluster', { ...ANY_CLUSTER, ClusterConfig: { ...ANY_CLUSTER.ClusterConfig, ResourcePublicAccessDefaultEnabled: true } })
    await step('60s')
    await done('DeleteCluster', { Id: cluster })
    await step('5m')
    const kept = (await rows()).filter(entry => entry.State !== 'Released')
    assert.deepEqual(kept.map(entry => `${entry.State} ${entry.Kind}`).sort(), ['Retained LoadBalancer', 'Retained Nat', 'Retained SecurityGroup'])
    for (const entry of kept) assert.match(entry.Because ?? '', /^DeleteCluster did not ask for the .* of shop to go; it is kept, .* until it is removed at its provider or its region is deleted$/)
    assert.equal((await done('GetBalance'))['PerHour'], 0.5)
    await regions.server.done('DeleteRegion', { Region: regions.region })
    await regions.server.done('CreateRegion', { Region: regions.region, Seed: 7, Paused: true })
    assert.deepEqual([await rows(), (await done('GetBalance'))['PerHour']], [[], 0])
  })
})
