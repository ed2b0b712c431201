import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ANY_CLUSTER, FreshRegions, machineOf, pairOf } from '#test/harness/fresh-regions.ts'

describe('members that are lost or down', () => {
  const regions = new FreshRegions('lost')
  const done = (action: string, body: object = {}) => regions.done(action, body)
  const step = (time: string) => regions.step(time)
  const items = () => regions.nodes(), nodes = () => regions.nodePairs()
  const RUNNING = 'Running/Ok', STOPPED = 'Stopped/Ok'

  const poolOf = async (scale: object) => {
    const { Id: ClusterId = '' } = await done('CreateCluster', ANY_CLUSTER)
    await step('60s')
    const config = { Enabled: false, MinReplicas: 0, MaxReplicas: 3, DesiredReplicas: 3, Priority: 10, ...scale }
    const { Id = '' } = await done('CreateEdgeNodePool', { ClusterId, Name: 'burst', NodePoolType: 'edge-machine-pool', ElasticConfig: { CloudServerIdentity: 'c1', AutoScaleConfig: config, InstanceArea: { AreaName: 'north' } } })
    await step('5m')
    return {
      id: Id, clusterId: ClusterId,
      to: (DesiredReplicas: number) => done('ScaleUpEdgeNodePool', { ClusterId, NodePoolId: Id, DesiredReplicas }),
      scale: (change: object) => done('UpdateEdgeNodePoolConfig', { ClusterId, Id, ElasticConfig: { AutoScaleConfig: { ...config, ...change } } }),
      label: () => done('UpdateEdgeNodePoolConfig', { ClusterId, Id, KubernetesConfig: { Labels: [{ Key: 'zone', Value: 'north' }] } }),
      runs: (Pods: number) => done('SetWorkload', { ClusterId, Name: 'web', Pods, Cpu: '2', MemoryMiB: 512 }),
    }
  }

  test('one that is switched off already is not kept for later where the pool has no place for it', async () => {
    const pool = await poolOf({ Mode: 'Recycle' })
    await done('SetMachine', { Id: machineOf((await items())[0]), Power: 'off' })
    await step('1m')
    await pool.scale({ MaxReplicas: 2, DesiredReplicas: 2 })
    await step('5h')
    assert.deepEqual(await nodes(), [RUNNING, RUNNING])
    await pool.label()
    await step('5m')
    assert.deepEqual(await nodes(), [RUNNING, RUNNING])
  })

  test('those for which there is a place stop, and those that are most use are kept', async () => {
    const pool = await poolOf({ Mode: 'Recycle', MaxReplicas: 4, DesiredReplicas: 4 })
    await done('SetMachine', { Id: machineOf((await items())[0]), Power: 'off' })
    await step('1m')
    await pool.scale({ MaxReplicas: 3, DesiredReplicas: 2 })
    await step('1h')
    assert.deepEqual(await nodes(), [RUNNING, RUNNING, STOPPED])
    await pool.to(3)
    await step('20m')
    assert.deepEqual(await nodes(), [RUNNING, RUNNING, RUNNING])
  })

  test('a stopped one whose machine is lost is stopped no more, and goes', async () => {
    for (const Enabled of [false, true]) {
      const pool = await poolOf({ Mode: 'Recycle', Enabled })
      await pool.to(1)
      await step('20m')
      assert.deepEqual(await nodes(), [RUNNING, STOPPED, STOPPED])
      const lost = (await items()).find(node => pairOf(node) === STOPPED)
      await done('RemoveMachine', { Id: machineOf(lost) })
      await step('2h')
      assert.deepEqual(await nodes(), [RUNNING, STOPPED], `autoscaler: ${Enabled}`)
      await done('DeleteCluster', { Id: pool.clusterId, CascadingDeleteResources: ['All'] })
      await step('10m')
    }
  })

  const why = async (Id: string) => String((await done('ExplainStatus', { Id }))['Because'])

  for (const DesiredReplicas of [0, 2]) {
    test(`those that never came to run give way to machines for pods that wait, where callers want ${DesiredReplicas}`, async () => {
      const scale = { Enabled: true, MaxReplicas: 2, DesiredReplicas }
      await done('InjectFault', { Port: 'machines', Call: 'download', Effect: { Type: 'fail' } })
      const pool = await poolOf(scale)
      await pool.runs(2)
      await step('9m')
      assert.deepEqual(await nodes(), ['Failed/InitializeFailed', 'Failed/InitializeFailed'].slice(0, (await nodes()).length))
      await step('20h')
      const made = (await regions.server.history(regions.region)).filter(({ Kind, Status }) => Kind === 'Node' && Status?.Phase === 'Creating').length
      assert.ok(made <= 30, `${made} machines in twenty hours`)
      await done('ClearFault', { All: true })
      await step('2h')
      assert.ok((await nodes()).includes(RUNNING), String(await nodes()))
      await pool.runs(0)
      await step('2h')
      assert.deepEqual((await nodes()).length, DesiredReplicas)
    })
  }

  for (const [Limit, what] of [[3, 'one after the other gives way under a quota, as a machine came in place of each'], [1, 'one gives way under a quota that is below what there is, and the next one stays, as none came']] as const) {
    test(`of those that never came to run ${what}`, async () => {
      const pool = await poolOf({ Enabled: true, MaxReplicas: 9, DesiredReplicas: 1 })
      await done('InjectFault', { Port: 'machines', Call: 'boot', Effect: { Type: 'fail' } })
      await done('SetQuota', { Kind: 'Machine', Limit: 3 })
      await pool.runs(4)
      await step('9m')
      assert.deepEqual(await nodes(), ['Failed/InitializeFailed', 'Failed/InitializeFailed', RUNNING])
      await done('ClearFault', { All: true })
      await done('SetQuota', { Kind: 'Machine', Limit })
      await step('30d')
      assert.deepEqual(await nodes(), Limit === 3 ? [RUNNING, RUNNING, RUNNING] : ['Failed/InitializeFailed', RUNNING])
    })
  }

  test('one whose machine is gone gives way, too, and one that is only down does not', async () => {
    const pool = await poolOf({ Enabled: true, MaxReplicas: 2, DesiredReplicas: 2 })
    const [lost, down] = await items()
    await done('RemoveMachine', { Id: machineOf(lost) })
    await done('SetMachine', { Id: machineOf(down), Power: 'off' })
    await step('1m')
    await pool.runs(1)
    await step('2h')
    assert.deepEqual(await nodes(), ['Failed/NotReady', RUNNING])
  })

  test('what an autoscaler says of its number is what holds now', async () => {
    const pool = await poolOf({ Enabled: true, DesiredReplicas: 0 })
    await pool.runs(1)
    await step('2s')
    assert.match(await why(pool.id), /its autoscaler wants 1 of them: 2 pods, default\/web-\w+ among them, found no room/, 'cluster DNS waits beside it')
    await step('10m')
    assert.match(await why(pool.id), /its autoscaler wants 1 of them: its other nodes carry pods/)
    await pool.runs(0)
    await step('2h')
    assert.deepEqual([await nodes(), await why(pool.id)], [[], 'It admits members; it has no nodes'])
  })
})
