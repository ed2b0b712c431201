import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { soundsGone } from '#model/errors/catalogue.ts'
import { ApiUnderTest } from './api-under-test.ts'
import { forgetWithChildren } from './play-controllers.ts'

/**
 * What the official Terraform provider sends, in its order (recorded from provider 0.0.195), and what it does with the answers: it reads only
 * what is checked here, and crashes or drifts where one of these is not so.
 */
suite('the Terraform provider', () => {
  test('applies, plans nothing, changes, and destroys an edge configuration', async () => {
    const api = await ApiUnderTest.open()
    const send = (action: string, body: object) => api.done(action, body, { region: 'cn-beijing', headers: { 'accept-encoding': 'identity' } })
    const one = async (action: string, id: string) => {
      const { Items = [], TotalCount } = await send(action, { Filter: { Ids: [id] }, PageNumber: 1, PageSize: 100 })
      assert.equal(TotalCount, 1, `${action} lists it at once`)
      return Items[0] ?? {}
    }

    // volcengine_veecp_cluster
    const sent = {
      Name: 'acc-test-2', Description: 'created by terraform', KubernetesVersion: 'v1.24.15-veecp.1', Profile: 'Edge',
      ClusterConfig: {
        SubnetIds: ['subnet-c000000000000000045x'], ApiServerPublicAccessEnabled: true, ApiServerPublicAccessConfig: { PublicAccessNetworkConfig: { BillingType: 2, Bandwidth: 1 } },
        ResourcePublicAccessDefaultEnabled: true,
      },
      PodsConfig: { PodNetworkMode: 'Flannel', FlannelConfig: { PodCidrs: ['172.22.224.0/20'], MaxPodsPerNode: 64 } },
      ServicesConfig: { ServiceCidrsv4: ['172.30.0.0/18'] },
    }
    const clusterId = (await send('CreateCluster', sent)).Id ?? ''
    assert.equal(typeof clusterId, 'string')
    let cluster = await one('ListClusters', clusterId)
    assert.deepEqual(cluster['Status'], { Phase: 'Creating', Conditions: [{ Type: 'Progressing' }] })
    const { Items: [asked] = [] } = await send('ListStatusHistory', { Filter: { Ids: [clusterId] } })
    assert.match(JSON.stringify(asked?.['Evidence']), /v1\.24\.15-veecp\.1 was asked for; v1\.34\.4 runs/)
    await api.makeClusterRun(clusterId)
    cluster = await one('ListClusters', clusterId)
    assert.deepEqual(cluster['Status'], { Phase: 'Running', Conditions: [{ Type: 'Ok' }] })
    assert.partialDeepStrictEqual(cluster, sent, 'everything that was sent is echoed as it was sent')
    assert.deepEqual((cluster['ClusterConfig'] as { ApiServerEndpoints: object }).ApiServerEndpoints, { PrivateIp: { Ipv4: '10.213.4.7' }, PublicIp: { Ipv4: '' } })
    assertNoNulls(cluster)
    assertNineCounters(cluster)
    for (const member of ['LoggingConfig', 'ClientToken']) assert.ok(!(member in cluster), `${member} would show as a change`)

    await send('UpdateClusterConfig', { Id: clusterId, EdgeTunnelEnabled: true })
    assert.deepEqual(((await one('ListClusters', clusterId))['Status'] as { Phase: string }).Phase, 'Updating')
    await api.makeClusterRun(clusterId)
    assert.equal((await one('ListClusters', clusterId))['EdgeTunnelEnabled'], true)

    // volcengine_veecp_edge_node_pool
    const poolSent = { ClusterId: clusterId, Name: 'counters', KubernetesConfig: { Labels: [{ Key: 'side', Value: 'north' }], Taints: [{ Effect: 'NoExecute', Key: 'only/counters', Value: 'yes' }] } }
    const poolId = (await send('CreateEdgeNodePool', poolSent)).Id ?? ''
    let pool = await one('ListEdgeNodePools', poolId)
    assert.deepEqual(pool['Status'], { Phase: 'Creating', Conditions: [{ Type: 'Progressing' }] })
    await api.makePoolRun(poolId)
    pool = await one('ListEdgeNodePools', poolId)
    assert.partialDeepStrictEqual(pool, poolSent)
    assert.equal(pool['Type'], 'edge-machine-set')
    for (const member of ['NodePoolType', 'VpcId', 'ElasticConfig', 'BillingConfigs', 'ClientToken']) assert.ok(!(member in pool), member)
    assertNoNulls(pool)
    assertNineCounters(pool)

    const south = { Labels: [{ Key: 'side', Value: 'south' }], Taints: [{ Effect: 'NoExecute', Key: 'only/counters', Value: 'yes' }] }
    await send('UpdateEdgeNodePoolConfig', { ClusterId: clusterId, Id: poolId, KubernetesConfig: south })
    assert.equal(((await one('ListEdgeNodePools', poolId))['Status'] as { Phase: string }).Phase, 'Updating')
    await api.makePoolRun(poolId)
    assert.partialDeepStrictEqual(await one('ListEdgeNodePools', poolId), { KubernetesConfig: south, Status: { Phase: 'Running' } })

    // volcengine_veecp_batch_edge_machine
    const script = { ClusterId: clusterId, NodePoolId: poolId, Name: 'counters-script', TTLHours: 24, ExpirationDate: 1_893_456_000 }
    const [scriptId = ''] = (await send('CreateBatchEdgeMachine', script)).Ids ?? []
    const machine = await one('ListBatchEdgeMachine', scriptId)
    const { TTLHours: _hours, ...echoed } = script
    assert.partialDeepStrictEqual(machine, { ...echoed, Status: { Phase: 'Creating', Conditions: [{ Type: 'Ok' }] }, TTLTime: 1_893_456_000 })
    assert.ok(!('BootstrapScript' in machine) && !('ClientToken' in machine))
    for (const asked of [{ NeedBootstrapScript: 'true' }, { Filter: { Ids: [scriptId], NeedBootstrapScript: true } }, { Filter: { Ids: [scriptId], NeedBootstrapScript: 'true' } }]) {
      const { Items: [withScript] = [] } = await send('ListBatchEdgeMachine', asked)
      assert.match(String(withScript?.['BootstrapScript']), /^curl /)
    }
    await send('UpdateBatchEdgeMachine', { NodeId: scriptId, ExpirationDate: 1_893_460_000 })
    assert.equal((await one('ListBatchEdgeMachine', scriptId))['ExpirationDate'], 1_893_460_000)

    // data sources, one of which sends an empty body
    await api.joinNode(clusterId, poolId, 'till-1')
    const byCluster = { Filter: { ClusterIds: [clusterId] }, PageNumber: 1, PageSize: 100 }
    for (const action of ['ListEdgeNodePools', 'ListBatchEdgeMachine', 'ListEdgeNodes']) {
      const { Items = [] } = await send(action, byCluster)
      assert.equal(Items.length, 1)
      for (const item of Items) assertNoNulls(item)
    }
    assert.equal((await api.call('ListClusters', '', { region: 'cn-beijing' })).status, 200)
    for (const spelling of ['Conditions.Type', 'ConditionsType', 'EdgeNodeStatusConditionType']) {
      assert.equal((await send('ListEdgeNodes', { Filter: { Statuses: [{ Phase: 'Running', [spelling]: 'Ok' }] } })).TotalCount, 1)
      assert.equal((await send('ListEdgeNodes', { Filter: { Statuses: [{ Phase: 'Failed', [spelling]: 'InitilizeFailed' }] } })).TotalCount, 0)
    }

    // destroy
    assert.deepEqual(await send('DeleteBatchEdgeMachine', { Ids: [scriptId], ClusterId: clusterId, NodePoolId: poolId }), {})
    assert.equal((await send('ListBatchEdgeMachine', { Filter: { Ids: [scriptId] } })).TotalCount, 0)
    assert.deepEqual(await send('DeleteNodePool', { ClusterId: clusterId, Id: poolId, CascadingDeleteResources: ['Ecs'], RetainResources: [] }), {})
    assert.deepEqual((await one('ListEdgeNodePools', poolId))['Status'], { Phase: 'Deleting', Conditions: [{ Type: 'Progressing' }] })
    await forgetWithChildren(api, poolId)
    assert.equal((await send('ListEdgeNodePools', { Filter: { Ids: [poolId] } })).TotalCount, 0)
    assert.deepEqual(await send('DeleteCluster', { Id: clusterId, CascadingDeleteResources: ['All'] }), {})
    assert.deepEqual((await one('ListClusters', clusterId))['Status'], { Phase: 'Deleting', Conditions: [{ Type: 'Progressing' }] })
    await forgetWithChildren(api, clusterId)
    assert.equal((await send('ListClusters', { Filter: { Ids: [clusterId] } })).TotalCount, 0)
    await api.app.close()
  })

  test('is refused the destruction of a protected cluster in words that do not mean "gone"', async () => {
    const api = await ApiUnderTest.open()
    const id = await api.createCluster('kept', 0, {}, { DeleteProtectionEnabled: true })
    await api.makeClusterRun(id)
    const { status, body } = await api.call('DeleteCluster', { Id: id, CascadingDeleteResources: ['All'] })
    const error = body.ResponseMetadata.Error
    assert.deepEqual([status, error?.Code], [400, 'OperationDenied.DeleteProtection'])
    assert.ok(!soundsGone(`${error?.Code}: ${error?.Message}`))
    await api.done('DeleteCluster', { Id: id, Force: true })
    await api.app.close()
  })
})

function assertNoNulls(value: unknown, path = ''): void {
  assert.notEqual(value, null, `${path} is null`)
  if (typeof value !== 'object') return
  for (const [name, member] of Object.entries(value as object)) assertNoNulls(member, `${path}.${name}`)
}

function assertNineCounters(item: Record<string, unknown>): void {
  const counters = item['NodeStatistics'] as Record<string, unknown>
  assert.deepEqual(Object.keys(counters).toSorted(), ['CreatingCount', 'DeletingCount', 'FailedCount', 'RunningCount', 'StartingCount', 'StoppedCount', 'StoppingCount', 'TotalCount', 'UpdatingCount'])
  for (const count of Object.values(counters)) assert.equal(typeof count, 'number')
}
