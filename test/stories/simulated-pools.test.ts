import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ANY_CLUSTER, FreshRegions } from '#test/harness/fresh-regions.ts'
import type { History } from '#test/harness/simulated-server.ts'

describe('pools of a simulated region that make their machines', () => {
  const regions = new FreshRegions('ci')

  const done = (action: string, body: object = {}) => regions.done(action, body)
  const step = (time: string) => regions.step(time)
  const pair = (item: Record<string, unknown>) => {
    const { Phase, Conditions } = item['Status'] as NonNullable<History['Status']>
    return `${Phase}/${Conditions.map(condition => condition.Type).join('+')}`
  }
  const nodes = async (pool: string) => ((await done('ListEdgeNodes', { Filter: { NodePoolIds: [pool] } })).Items ?? []).map(pair).sort()
  const ids = async (pool: string) => ((await done('ListEdgeNodes', { Filter: { NodePoolIds: [pool] } })).Items ?? []).map(item => String(item['Id']))
  const shows = (pool: string) => regions.server.shows('ListEdgeNodePools', pool, regions.region)
  const running = (count: number) => Array.from({ length: count }, () => 'Running/Ok')
  const elastic = (cluster: string, desired: number, scale: object = {}) => done('CreateEdgeNodePool', {
    ClusterId: cluster, Name: 'elastic', NodePoolType: 'edge-machine-pool',
    ElasticConfig: { CloudServerIdentity: 'c1', AutoScaleConfig: { Enabled: false, MinReplicas: 0, MaxReplicas: 5, DesiredReplicas: desired, Priority: 10, ...scale }, InstanceArea: { AreaName: 'north' } },
  })
  const begin = async (desired: number, scale: object = {}): Promise<{ cluster: string; pool: string }> => {
    const { Id: cluster = '' } = await done('CreateCluster', ANY_CLUSTER)
    await step('60s')
    const { Id: pool = '' } = await elastic(cluster, desired, scale)
    return { cluster, pool }
  }

  test('they come, are stopped, started, and go with their pool', async () => {
    const { cluster, pool } = await begin(3, { Mode: 'Recycle' })
    assert.match(await shows(pool), /^(Creating|Scaling)\/Progressing$/)
    await step('60s')
    assert.deepEqual([await nodes(pool), await shows(pool)], [running(3), 'Running/Ok'])
    await done('ScaleUpEdgeNodePool', { ClusterId: cluster, NodePoolId: pool, DesiredReplicas: 1 })
    await step('60s')
    assert.deepEqual([await nodes(pool), await shows(pool)], [['Running/Ok', 'Stopped/Ok', 'Stopped/Ok'], 'Running/Ok'])
    const before = await ids(pool)
    await done('ScaleUpEdgeNodePool', { ClusterId: cluster, NodePoolId: pool, DesiredReplicas: 3 })
    await step('60s')
    assert.deepEqual([await nodes(pool), await ids(pool)], [running(3), before])
    await done('DeleteNodePool', { ClusterId: cluster, Id: pool, CascadingDeleteResources: ['Ecs'] })
    await step('4m')
    assert.deepEqual([await shows(pool), (await done('ListMachines')).TotalCount], ['absent', 0])
    assert.equal((await done('ListLedger', { Filter: { Kinds: ['Machine'] } })).TotalCount, 0)
  })

  test('two of three machines, then StockOut, then stock again at once', async () => {
    await done('SetStock', { Kind: 'Machine', Count: 2 })
    const { pool } = await begin(3)
    await step('90s')
    assert.deepEqual([await nodes(pool), await shows(pool)], [running(2), 'Running/StockOut'])
    await step('2h')
    assert.equal(await shows(pool), 'Running/StockOut')
    await done('SetStock', { Kind: 'Machine', Count: 5 })
    await step('60s')
    assert.deepEqual([await nodes(pool), await shows(pool)], [running(3), 'Running/Ok'])
  })

  test('a quota hit in the middle', async () => {
    await done('SetQuota', { Kind: 'Machine', Limit: 1 })
    const { pool } = await begin(2)
    await step('90s')
    assert.deepEqual([await nodes(pool), await shows(pool)], [running(1), 'Running/LimitedByQuota'])
    assert.deepEqual((await done('ListQuotas')).Items, [{ Kind: 'Machine', Limit: 1, Held: 1 }])
    await done('SetQuota', { Kind: 'Machine', Limit: 2 })
    await step('60s')
    assert.deepEqual([await nodes(pool), await shows(pool)], [running(2), 'Running/Ok'])
  })

  test('the autoscaler brings room for pods, and takes it back', async () => {
    const { cluster, pool } = await begin(1, { Enabled: true, MinReplicas: 1 })
    await step('60s')
    await done('SetWorkload', { ClusterId: cluster, Name: 'web', Pods: 10, Cpu: 1, MemoryMiB: 64 })
    await step('5m')
    const grown = (await nodes(pool)).length
    assert.ok(grown > 1, `${grown} nodes for ten pods of a processor each`)
    assert.deepEqual(await nodes(pool), running(grown))
    await done('SetWorkload', { ClusterId: cluster, Name: 'web', Pods: 0, Cpu: 1, MemoryMiB: 64 })
    await step('9m')
    assert.equal((await nodes(pool)).length, grown)
    await step('3m')
    assert.deepEqual(await nodes(pool), running(1))
  })

  test('a protected machine stands in the way of its node, until it does not', async () => {
    const { cluster, pool } = await begin(1)
    await step('60s')
    const [node = ''] = await ids(pool), [machine] = (await done('ListMachines')).Items ?? []
    const { Id: fault } = await done('InjectFault', { Port: 'machines', Call: 'ensureGone', Target: { Kind: 'Machine', Id: machine?.['Id'] }, Effect: { Type: 'protected', Message: 'it is protected' } })
    await done('DeleteEdgeNodes', { ClusterId: cluster, NodePoolId: pool, Ids: [node], CascadingDeleteResources: ['Ecs'] })
    await step('60s')
    assert.deepEqual(await nodes(pool), ['Failed/ResourceCleanupFailed'])
    await done('ClearFault', { Id: fault })
    await step('60s')
    assert.deepEqual(await nodes(pool), ['Failed/ResourceCleanupFailed'])
    await done('DeleteEdgeNodes', { ClusterId: cluster, NodePoolId: pool, Ids: [node], CascadingDeleteResources: ['Ecs'] })
    await step('60s')
    assert.deepEqual([await nodes(pool), (await done('ListMachines')).TotalCount], [[], 0])
  })

  test('a step of its first boot that fails is told, and ten years stepped at once change nothing more', async () => {
    await done('InjectFault', { Port: 'machines', Call: 'download', Effect: { Type: 'fail', Message: 'no space left on device' } })
    const { pool } = await begin(1)
    await step('5m')
    assert.deepEqual(await nodes(pool), ['Failed/InitializeFailed'])
    await step('87600h')
    assert.deepEqual([await nodes(pool), await shows(pool)], [['Failed/InitializeFailed'], 'Running/Ok'])
  })
})
