import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ANY_CLUSTER, FreshRegions, pairOf } from '#test/harness/fresh-regions.ts'

/** Pods wait for room before the first node of the pool comes, so that the first moment at which one is open is seen. */
describe('nodes of a pool that keeps pods off are closed from their first moment', () => {
  const regions = new FreshRegions('closed')
  const done = (action: string, body: object = {}) => regions.done(action, body)
  const pairs = async (node: unknown) => (await regions.server.history(regions.region)).filter(({ Id }) => Id === node).map(({ Status }) => `${Status?.Phase}/${Status?.Conditions.map(({ Type }) => Type).join('+')}`)

  async function begin(): Promise<string> {
    const { Id = '' } = await done('CreateCluster', ANY_CLUSTER)
    await regions.step('60s')
    await done('SetWorkload', { ClusterId: Id, Name: 'batch', Pods: 3, Cpu: '1', MemoryMiB: 512 })
    return Id
  }

  async function ordered(KubernetesConfig: object): Promise<readonly string[]> {
    const ClusterId = await begin()
    await done('CreateEdgeNodePool', {
      ClusterId, Name: 'closed', NodePoolType: 'edge-machine-pool', KubernetesConfig,
      ElasticConfig: { CloudServerIdentity: 'c1', AutoScaleConfig: { Enabled: false, MinReplicas: 0, MaxReplicas: 5, DesiredReplicas: 1, Priority: 10 }, InstanceArea: { AreaName: 'north' } },
    })
    await regions.step('5m')
    const [node] = await regions.nodes()
    return pairs(node?.['Id'])
  }

  test('by its taints, which with its labels are no update of the node', async () => {
    assert.deepEqual(await ordered({ Labels: [{ Key: 'side', Value: 'south' }], Taints: [{ Key: 'gpu', Value: 'yes', Effect: 'NoSchedule' }] }), ['Creating/Progressing', 'Running/Ok'])
    assert.deepEqual(await regions.podPlaces(), ['batch: 3 on nowhere'])
    const [cluster] = (await done('ListClusters')).Items ?? []
    assert.equal(cluster && pairOf(cluster), 'Running/Ok', 'nor is its DNS missed, for which there is no place')
  })

  test('by Cordon: they are never shown as if pods could come', async () => {
    assert.deepEqual(await ordered({ Cordon: true }), ['Creating/Progressing', 'Running/Unschedulable'])
    assert.deepEqual(await regions.podPlaces(), ['batch: 3 on nowhere'])
    const [node] = await regions.nodes()
    await done('SetNodeSchedulable', { Id: node?.['Id'], Schedulable: true })
    await regions.step('1m')
    assert.deepEqual(await regions.podPlaces(), [`batch: 3 on ${String(node?.['Name'])}`], 'and whoever opens one has it open')
  })

  test('and open where the pool wants its taint no more when the machine, which was told of it, comes', async () => {
    const ClusterId = await begin()
    await done('InjectFault', { Port: 'machines', Call: 'download', Effect: { Type: 'slow', For: '5m' }, Times: 1 })
    const { Id } = await done('CreateEdgeNodePool', {
      ClusterId, Name: 'closed', NodePoolType: 'edge-machine-pool', KubernetesConfig: { Labels: [{ Key: 'side', Value: 'south' }], Taints: [{ Key: 'gpu', Value: 'yes', Effect: 'NoSchedule' }] },
      ElasticConfig: { CloudServerIdentity: 'c1', AutoScaleConfig: { Enabled: false, MinReplicas: 0, MaxReplicas: 5, DesiredReplicas: 1, Priority: 10 }, InstanceArea: { AreaName: 'north' } },
    })
    await regions.step('2m')
    await done('UpdateEdgeNodePoolConfig', { ClusterId, Id, KubernetesConfig: { Labels: [], Taints: [] } })
    await regions.step('1m')
    assert.deepEqual([await regions.nodePairs(), await regions.podPlaces()], [['Creating/Progressing'], ['batch: 3 on nowhere']])
    await regions.step('5m')
    const [node] = await regions.nodes()
    assert.deepEqual([await regions.nodePairs(), await regions.podPlaces()], [['Running/Ok'], [`batch: 3 on ${String(node?.['Name'])}`]])
  })

  test('a server of the default pool by its own', async () => {
    const ClusterId = await begin()
    await done('CreateDefaultNodePool', { ClusterId })
    for (const [id, own] of [['i-tainted', { Taints: [{ Key: 'only', Value: 'tills', Effect: 'NoExecute' }] }], ['i-cordoned', { Cordon: true }]] as const) await done('CreateNodes', { ClusterId, InstanceIds: [id], KubernetesConfig: own })
    await regions.step('5m')
    assert.deepEqual(await regions.podPlaces(), ['batch: 3 on nowhere'])
  })

  test('a machine that runs the script of a static pool', async () => {
    const ClusterId = await begin()
    const { Id: NodePoolId = '' } = await done('CreateEdgeNodePool', { ClusterId, Name: 'till', KubernetesConfig: { Cordon: true } })
    await regions.step('1m')
    const { Ids: [script] = [] } = await done('CreateBatchEdgeMachine', { ClusterId, NodePoolId, TTLHours: 24 }) as { Ids?: readonly string[] }
    const { Id: machine } = await done('AddMachine', { Name: 'till-1' })
    await regions.step('1m')
    await done('SetMachine', { Id: machine, RunScript: script })
    await regions.step('5m')
    assert.deepEqual([await regions.nodePairs(), await regions.podPlaces()], [['Running/Unschedulable'], ['batch: 3 on nowhere']])
  })
})
