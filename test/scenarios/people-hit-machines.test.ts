/** What people met elsewhere and told of, each played by public calls in a simulated region of its own: machines, pools that scale, and Terraform. */
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { RootlessServer } from '#test/harness/rootless-server.ts'
import { SteppedRegion } from '#test/harness/stepped-region.ts'

const POD = { Name: 'checkout', Cpu: '2', MemoryMiB: 512 }
const running = (count: number) => Array.from({ length: count }, () => 'Running/Ok')

describe('what people hit elsewhere, with machines and pools that scale', () => {
  let server: RootlessServer, region: SteppedRegion, count = 0
  before(async () => { server = await RootlessServer.start() })
  after(() => server.remove())
  beforeEach(async () => {
    const { Region } = await server.client().call('CreateRegion', { Region: `hit-${++count}`, Seed: 1, Paused: true })
    region = new SteppedRegion(server.client(Region))
  })
  afterEach(() => server.client().call('DeleteRegion', { Region: region.name }))
  const autoscale = (AutoScaleConfig: object) => ({ ElasticConfig: { CloudServerIdentity: 'cloudserver-edge', AutoScaleConfig: { Enabled: true, MinReplicas: 1, MaxReplicas: 5, DesiredReplicas: 1, Priority: 10, ...AutoScaleConfig }, InstanceArea: { AreaName: 'beijing', Isp: 'CMCC' } } })

  test('stopped nodes do not freeze the autoscaler', async () => {
    const cluster = await region.runningCluster(), pool = await region.elasticPool(cluster, { Enabled: true, MinReplicas: 1, MaxReplicas: 4, Mode: 'Recycle' })
    await region.step('2m')
    await region.call('SetWorkload', { ClusterId: cluster, ...POD, Pods: 3 })
    await region.step('5m')
    const grown = (await region.nodes(pool)).length
    assert.ok(grown > 1)
    await region.call('SetWorkload', { ClusterId: cluster, ...POD, Pods: 0 })
    await region.step('30m')
    assert.deepEqual(await region.nodes(pool), ['Running/Ok', ...Array.from({ length: grown - 1 }, () => 'Stopped/Ok')])
    assert.equal(await region.pool(pool), 'Running/Ok')
    // More than before: the stopped ones are started first, and one more is ordered.
    await region.call('SetWorkload', { ClusterId: cluster, ...POD, Pods: 4 })
    await region.step('6m')
    const nodes = await region.nodes(pool)
    assert.deepEqual(nodes, running(nodes.length))
    assert.ok(nodes.length > grown, `${nodes.length} nodes after ${grown}`)
  })

  test('two of three machines, then StockOut, then stock again', async () => {
    const cluster = await region.runningCluster()
    await region.call('SetStock', { Kind: 'Machine', Count: 2 })
    const pool = await region.elasticPool(cluster, { DesiredReplicas: 3 })
    await region.step('2m')
    assert.deepEqual([await region.nodes(pool), await region.pool(pool), await region.cluster(cluster)], [running(2), 'Running/StockOut', 'Running/Ok'])
    assert.match((await region.call('ExplainStatus', { Id: pool })).Because, /sold out|stock/i)
    await region.step('5h')
    assert.deepEqual([await region.nodes(pool), await region.pool(pool)], [running(2), 'Running/StockOut'])
    await region.call('SetStock', { Kind: 'Machine', Count: 9 })
    await region.step('60s')
    assert.deepEqual([await region.nodes(pool), await region.pool(pool)], [running(3), 'Running/Ok'])
    assert.equal((await region.client.all('ListLedger', { Filter: { Kinds: ['Machine'], States: ['Intended'] } })).length, 0, 'no claim is left open')
  })

  test('quota hit in the middle of an apply: what was made stays, the pool says why, and a higher quota is enough', async () => {
    const cluster = await region.runningCluster()
    await region.call('SetQuota', { Kind: 'Machine', Limit: 3 })
    const [first = '', second = ''] = await Promise.all(['north', 'south'].map(async Name => (await region.call('CreateEdgeNodePool', { ClusterId: cluster, Name, NodePoolType: 'edge-machine-pool', ...autoscale({ Enabled: false, DesiredReplicas: 2 }) })).Id))
    await region.step('3m')
    const nodes = [...await region.nodes(first), ...await region.nodes(second)]
    assert.deepEqual(nodes, running(3))
    assert.deepEqual([await region.pool(first), await region.pool(second)].toSorted(), ['Running/LimitedByQuota', 'Running/Ok'])
    await region.call('SetQuota', { Kind: 'Machine', Limit: 4 })
    await region.step('60s')
    assert.deepEqual([await region.nodes(first), await region.nodes(second), await region.pool(first), await region.pool(second)], [running(2), running(2), 'Running/Ok', 'Running/Ok'])
  })

  test('a protected load balancer at destroy: everything else goes, it is named, and the same call ends it once it may go', async () => {
    const { cluster, pool } = await region.scriptNode()
    const fault = await region.call('InjectFault', { Port: 'outside', Call: 'ensureGone', Target: { Kind: 'LoadBalancer' }, Effect: { Type: 'protected' } })
    await region.call('DeleteCluster', { Id: cluster, CascadingDeleteResources: ['All'] })
    await region.step('9m')
    assert.deepEqual([await region.cluster(cluster), await region.pool(pool)], ['Failed/ResourceCleanupFailed', 'absent'])
    assert.match((await region.call('ExplainStatus', { Id: cluster })).Because, /LoadBalancer.*protected.*DeleteLoadBalancer/s)
    const held = (await region.client.all('ListLedger', { Filter: { ClusterIds: [cluster] } })).filter(entry => entry.Kind !== 'Machine').map(entry => entry.Kind).toSorted()
    assert.deepEqual(held, ['Address', 'LoadBalancer'], 'the address of its API stays its own for as long as the cluster is listed')
    await region.call('ClearFault', { Id: fault.Id })
    await region.step('10m')
    assert.equal(await region.cluster(cluster), 'Failed/ResourceCleanupFailed', 'nobody asked again')
    await region.call('DeleteCluster', { Id: cluster, CascadingDeleteResources: ['All'] })
    await region.step('2m')
    assert.equal(await region.cluster(cluster), 'absent')
    assert.deepEqual(await region.client.all('ListLedger', { Filter: { ClusterIds: [cluster] } }), [])
  })

  test('deletion behind Terraform\'s back: what is gone reads as gone, and deleting it again is told apart from every other error', async () => {
    const cluster = await region.runningCluster(), pool = await region.elasticPool(cluster)
    await region.step('2m')
    await region.call('DeleteNodePool', { ClusterId: cluster, Id: pool, CascadingDeleteResources: ['Ecs'] })
    await region.step('4m')
    assert.equal(await region.pool(pool), 'absent')
    for (const error of [
      await region.refused('DeleteNodePool', { ClusterId: cluster, Id: pool, RetainResources: [], CascadingDeleteResources: ['Ecs'] }),
      await region.refused('UpdateEdgeNodePoolConfig', { ClusterId: cluster, Id: pool, KubernetesConfig: { Labels: [], Taints: [] } }),
    ]) assert.deepEqual([error.status, error.code], [404, 'NotFound.NodePool'])
    await region.call('DeleteCluster', { Id: cluster, CascadingDeleteResources: ['All'] })
    await region.step('5m')
    const error = await region.refused('DeleteCluster', { Id: cluster, CascadingDeleteResources: ['All'] })
    assert.deepEqual([error.status, error.code], [404, 'NotFound.Cluster'])
    assert.equal(await region.cluster(cluster), 'absent')
  })

  test('the autoscaler against a desired size set by Terraform: the same number again is no request, another one is', async () => {
    const cluster = await region.runningCluster(), pool = await region.elasticPool(cluster, { Enabled: true, MinReplicas: 1, MaxReplicas: 5, DesiredReplicas: 1 })
    await region.step('2m')
    await region.call('SetWorkload', { ClusterId: cluster, ...POD, Pods: 3 })
    await region.step('5m')
    const grown = (await region.nodes(pool)).length
    assert.ok(grown > 1)
    const apply = (DesiredReplicas: number, colour: string) => region.call('UpdateEdgeNodePoolConfig', { ClusterId: cluster, Id: pool, KubernetesConfig: { Labels: [{ Key: 'colour', Value: colour }], Taints: [] }, ...autoscale({ DesiredReplicas }) })
    await apply(1, 'red')
    await region.step('20m')
    assert.deepEqual(await region.nodes(pool), running(grown))
    const [shown] = await region.client.all('ListEdgeNodePools', { Filter: { Ids: [pool] } })
    assert.equal(shown?.ElasticConfig?.AutoScaleConfig.DesiredReplicas, 1, 'a plan stays empty: what is echoed is what was sent')
    await apply(5, 'red')
    await region.step('3m')
    assert.deepEqual(await region.nodes(pool), running(5))
    // Somebody takes one away by hand, and so many fewer are wanted; an apply with the number of before for another label's sake does not bring it back.
    const [one] = await region.client.all('ListEdgeNodes', { Filter: { NodePoolIds: [pool] } })
    await region.call('DeleteEdgeNodes', { ClusterId: cluster, NodePoolId: pool, Ids: [one?.Id], CascadingDeleteResources: ['Ecs'] })
    await region.step('3m')
    await apply(5, 'green')
    await region.step('3m')
    assert.deepEqual(await region.nodes(pool), running(4))
    await apply(1, 'blue')
    await region.step('30m')
    assert.deepEqual(await region.nodes(pool), running(grown), 'down to what the pods need')
  })
})
