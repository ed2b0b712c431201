import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ANY_CLUSTER, FreshRegions } from '#test/harness/fresh-regions.ts'
import type { History } from '#test/harness/simulated-server.ts'

interface Status { readonly Phase: string; readonly Conditions: readonly { readonly Type: string }[] }

describe('the size of a pool is what its callers want, whatever befalls its members', () => {
  const regions = new FreshRegions('sizes')

  const done = (action: string, body: object = {}) => regions.done(action, body)
  const step = (time: string) => regions.step(time)
  const pair = (item: Record<string, unknown>) => {
    const { Phase, Conditions } = item['Status'] as Status
    return `${Phase}/${Conditions.map(({ Type }) => Type).join('+')}`
  }
  const items = async (action: string, body: object = {}) => (await done(action, { PageSize: 100, ...body })).Items ?? []
  const nodes = async () => (await items('ListEdgeNodes')).map(pair).sort()
  const nodeIs = async (shown: string) => String((await items('ListEdgeNodes')).find(node => pair(node) === shown)?.['Id'])
  const power = async (id: string) => (await items('ListMachines')).find(machine => machine['Id'] === id)?.['Power']
  const protect = () => done('InjectFault', { Port: 'machines', Call: 'ensureGone', Effect: { Type: 'protected' }, Times: 1 })
  const machineOf = (node: string) => `m${node.slice(1)}`

  class Pool {
    readonly #named: { readonly ClusterId: string; readonly NodePoolId: string }
    readonly id: string
    constructor(ClusterId: string, NodePoolId: string) {
      this.id = NodePoolId
      this.#named = { ClusterId, NodePoolId }
    }

    static async of(scale: object, clusterId?: string, name = 'burst'): Promise<Pool> {
      const ClusterId = clusterId ?? (await done('CreateCluster', ANY_CLUSTER)).Id ?? ''
      await step('60s')
      const { Id = '' } = await done('CreateEdgeNodePool', {
        ClusterId, Name: name, NodePoolType: 'edge-machine-pool',
        ElasticConfig: { CloudServerIdentity: 'c1', AutoScaleConfig: { Enabled: false, MinReplicas: 0, MaxReplicas: 5, DesiredReplicas: 1, Priority: 10, ...scale }, InstanceArea: { AreaName: 'north' } },
      })
      await step('5m')
      return new Pool(ClusterId, Id)
    }

    get clusterId(): string { return this.#named.ClusterId }
    to(DesiredReplicas: number, more: object = {}) { return done('ScaleUpEdgeNodePool', { ...this.#named, DesiredReplicas, ...more }) }
    remove(node: string) { return done('DeleteEdgeNodes', { ...this.#named, Ids: [node], CascadingDeleteResources: ['Ecs'] }) }
    label() { return done('UpdateEdgeNodePoolConfig', { ClusterId: this.clusterId, Id: this.id, KubernetesConfig: { Labels: [{ Key: 'a', Value: 'b' }] } }) }
    scale(AutoScaleConfig: object) { return done('UpdateEdgeNodePoolConfig', { ClusterId: this.clusterId, Id: this.id, ElasticConfig: { AutoScaleConfig } }) }
    shows() { return regions.server.shows('ListEdgeNodePools', this.id, regions.region) }
  }

  test('a node that came for pods is taken away by hand, and what callers want stays what it was', async () => {
    const pool = await Pool.of({ Enabled: true })
    const pods = (Pods: number) => done('SetWorkload', { ClusterId: pool.clusterId, Name: 'batch', Pods, Cpu: '1', MemoryMiB: 512 })
    await pods(6)
    await step('5m')
    assert.deepEqual(await nodes(), ['Running/Ok', 'Running/Ok'])
    await pool.remove(await nodeIs('Running/Ok'))
    await step('5m')
    assert.deepEqual(await nodes(), ['Running/Ok', 'Running/Ok'], 'pods need it still')
    await pods(0)
    await step('2h')
    assert.deepEqual(await nodes(), ['Running/Ok'], 'callers want one')

    await pods(6)
    await step('5m')
    await pods(0)
    await step('1m')
    await pool.remove(await nodeIs('Running/Ok'))
    await step('2h')
    assert.deepEqual(await nodes(), ['Running/Ok'], 'also where it was idle')
    await pool.remove(await nodeIs('Running/Ok'))
    await step('2h')
    assert.deepEqual(await nodes(), [], 'one that callers wanted is not replaced')
  })

  test('a node that cannot be removed takes no healthy one\'s place', async () => {
    const pool = await Pool.of({ DesiredReplicas: 3 })
    await protect()
    await pool.to(2)
    await step('1m')
    assert.deepEqual(await nodes(), ['Failed/ResourceCleanupFailed', 'Running/Ok', 'Running/Ok'])
    await pool.label()
    await step('5m')
    assert.deepEqual(await nodes(), ['Failed/ResourceCleanupFailed', 'Running/Ok', 'Running/Ok'])
    await pool.to(3)
    await step('5m')
    assert.deepEqual(await nodes(), ['Failed/ResourceCleanupFailed', 'Running/Ok', 'Running/Ok', 'Running/Ok'])
  })

  test('a stopped node that is removed takes no running one along', async () => {
    for (const action of ['DeleteEdgeNodes', 'ScaleDownEdgeNodePool']) {
      const pool = await Pool.of({ DesiredReplicas: 2, Mode: 'Recycle' }, undefined)
      await pool.to(1)
      await step('5m')
      assert.deepEqual(await nodes(), ['Running/Ok', 'Stopped/Ok'])
      const stopped = await nodeIs('Stopped/Ok')
      await done(action, { ClusterId: pool.clusterId, NodePoolId: pool.id, ...action === 'DeleteEdgeNodes' ? { Ids: [stopped], CascadingDeleteResources: ['Ecs'] } : { NodeIds: [stopped] } })
      await step('5m')
      assert.deepEqual(await nodes(), ['Running/Ok'], action)
      await done('DeleteCluster', { Id: pool.clusterId, CascadingDeleteResources: ['All'] })
      await step('10m')
    }
  })

  test('members that stop beyond the most go at once, and one that is switched on by hand is counted at once', async () => {
    const pool = await Pool.of({ DesiredReplicas: 3, MaxReplicas: 4, Mode: 'Recycle' })
    await pool.scale({ Enabled: false, MinReplicas: 0, MaxReplicas: 1, DesiredReplicas: 1, Priority: 10, Mode: 'Recycle' })
    await step('20m')
    assert.deepEqual(await nodes(), ['Running/Ok'])
    await pool.to(0)
    await step('5m')
    assert.deepEqual(await nodes(), ['Stopped/Ok'])
    await done('SetMachine', { Id: machineOf(await nodeIs('Stopped/Ok')), Power: 'on' })
    await step('20m')
    assert.deepEqual(await nodes(), ['Stopped/Ok'])
  })

  test('a stopped member whose machine was removed is not waited for: another one is made', async () => {
    const pool = await Pool.of({ DesiredReplicas: 2, Mode: 'Recycle' })
    await pool.to(1)
    await step('5m')
    await done('RemoveMachine', { Id: machineOf(await nodeIs('Stopped/Ok')) })
    await step('5m')
    await pool.to(2)
    await step('20m')
    assert.deepEqual(await nodes(), ['Running/Ok', 'Running/Ok'])
  })

  test('a member that an autoscaler stopped and somebody switched on is stopped again once it is idle', async () => {
    const pool = await Pool.of({ DesiredReplicas: 1, MaxReplicas: 3, Enabled: true, Mode: 'Recycle' })
    await pool.scale({ Enabled: true, MinReplicas: 0, MaxReplicas: 3, DesiredReplicas: 0, Priority: 10, Mode: 'Recycle' })
    await step('2h')
    assert.deepEqual(await nodes(), ['Stopped/Ok'])
    await done('SetMachine', { Id: machineOf(await nodeIs('Stopped/Ok')), Power: 'on' })
    await step('2h')
    assert.deepEqual(await nodes(), ['Stopped/Ok'])
  })

  test('a pool that was refused takes the machine that a member of its own gives back', async () => {
    await done('SetStock', { Kind: 'Machine', Count: 2 })
    const pool = await Pool.of({ DesiredReplicas: 4 })
    await step('310m')
    assert.deepEqual([await nodes(), await pool.shows()], [['Running/Ok', 'Running/Ok'], 'Running/StockOut'])
    await pool.remove(await nodeIs('Running/Ok'))
    await step('2m')
    assert.deepEqual([await nodes(), await pool.shows()], [['Running/Ok', 'Running/Ok'], 'Running/StockOut'])
  })

  test('what is being removed is not told as of before, when nobody saw it', async () => {
    const pool = await Pool.of({ DesiredReplicas: 1 })
    const node = await nodeIs('Running/Ok')
    await done('InjectFault', { Port: 'control-plane-host', Call: 'kube-apiserver', Effect: { Type: 'fail' } })
    await step('30m')
    await protect()
    await done('DeleteCluster', { Id: pool.clusterId, CascadingDeleteResources: ['All'] })
    await step('30m')
    assert.deepEqual(await nodes(), ['Failed/ResourceCleanupFailed'])
    assert.equal((await done('ExplainStatus', { Id: node }) as { readonly StaleSince?: string }).StaleSince, undefined)
  })

  test('a stop that somebody takes back in the same instant is over', async () => {
    const pool = await Pool.of({ DesiredReplicas: 1, Mode: 'Recycle' })
    const node = await nodeIs('Running/Ok')
    await pool.to(0)
    await done('SetMachine', { Id: machineOf(node), Power: 'on' })
    await step('20m')
    assert.doesNotMatch((await nodes()).join(), /Stopping/)
    await pool.to(1)
    await step('5m')
    assert.deepEqual(await nodes(), ['Running/Ok'])
  })

  test('an autoscaler makes no machine for the cluster\'s own DNS', async () => {
    const pool = await Pool.of({ DesiredReplicas: 0, Enabled: true })
    await step('6h')
    const { Items = [] } = await done('ListStatusHistory', { PageSize: 100 })
    assert.deepEqual([await nodes(), await pool.shows(), (Items as unknown as History[]).filter(row => row.Kind === 'Node').length], [[], 'Running/Ok', 0])
  })

  test('a node that cannot be removed is shut down for arrears, and no more once they are paid', async () => {
    const pool = await Pool.of({ DesiredReplicas: 2 })
    const node = await nodeIs('Running/Ok')
    await protect()
    await pool.remove(node)
    await step('1m')
    await done('SetBalance', { Amount: 0.01 })
    await step('3h')
    assert.deepEqual([await nodes(), await power(machineOf(node))], [['Failed/Balance', 'Failed/Balance+ResourceCleanupFailed'], 'off'])
    await done('SetBalance', { Unlimited: true })
    await step('30m')
    assert.deepEqual([await nodes(), await power(machineOf(node))], [['Failed/ResourceCleanupFailed', 'Running/Ok'], 'on'])
  })

  test('one whose removal is refused in arrears is in arrears no longer once they are paid', async () => {
    const pool = await Pool.of({ DesiredReplicas: 2 })
    await done('SetBalance', { Amount: 0.01 })
    await step('3h')
    await protect()
    await pool.remove(await nodeIs('Failed/Balance'))
    await step('1m')
    assert.deepEqual(await nodes(), ['Failed/Balance', 'Failed/Balance+ResourceCleanupFailed'])
    await done('SetBalance', { Unlimited: true })
    await step('1d')
    assert.deepEqual(await nodes(), ['Failed/ResourceCleanupFailed', 'Running/Ok'])
  })

  test('a machine whose removal by hand was refused still takes orders', async () => {
    await Pool.of({ DesiredReplicas: 1 })
    await done('SetBalance', { Amount: -1 })
    await step('3h')
    await protect()
    const [machine] = await items('ListMachines')
    await done('RemoveMachine', { Id: machine?.['Id'] })
    await step('1m')
    await done('SetBalance', { Unlimited: true })
    await step('30m')
    assert.deepEqual(await nodes(), ['Running/Ok'])
    await done('SetBalance', { Amount: -1 })
    await step('3h')
    assert.deepEqual([await nodes(), (await items('ListMachines')).map(one => one['Power'])], [['Failed/Balance'], ['off']])
    await done('SetBalance', { Unlimited: true })
    await step('30m')
    await done('SetMachine', { Id: machine?.['Id'], Power: 'off' })
    await step('1m')
    assert.deepEqual(await nodes(), ['Failed/NotReady'])
  })

  test('a pool that was refused for want of stock takes a machine that another one gives back', async () => {
    await done('SetStock', { Kind: 'Machine', Count: 1 })
    const one = await Pool.of({ DesiredReplicas: 1 }, undefined, 'one')
    const other = await Pool.of({ DesiredReplicas: 1 }, one.clusterId, 'other')
    await step('310m')
    assert.equal(await other.shows(), 'Running/StockOut')
    await one.remove(await nodeIs('Running/Ok'))
    await step('2m')
    assert.deepEqual([await other.shows(), await nodes()], ['Running/Ok', ['Running/Ok']])
  })

  test('what nobody can see any more, as its cluster\'s API is down, is told as of when it was seen', async () => {
    const pool = await Pool.of({ DesiredReplicas: 1 })
    const node = await nodeIs('Running/Ok')
    await done('CreateAddon', { ClusterId: pool.clusterId, Name: 'metrics-server', Version: 'v0.8.0' })
    await step('5m')
    const staleOf = async (Id: string) => (await done('ExplainStatus', { Id }) as { readonly StaleSince?: string }).StaleSince !== undefined
    const stale = async () => [await staleOf(node), await staleOf(`${pool.clusterId}:metrics-server`), await staleOf(`${pool.clusterId}:core-dns`)]
    assert.deepEqual(await stale(), [false, false, false])
    await done('InjectFault', { Port: 'control-plane-host', Call: 'kube-apiserver', Effect: { Type: 'fail' } })
    await step('30m')
    assert.deepEqual([await regions.server.shows('ListClusters', pool.clusterId, regions.region), await nodes(), await stale()], ['Failed/Unknown', ['Running/Ok'], [true, true, true]])
    await done('ClearFault', { All: true })
    await step('30m')
    assert.deepEqual([await regions.server.shows('ListClusters', pool.clusterId, regions.region), await nodes(), await stale()], ['Running/Ok', ['Running/Ok'], [false, false, false]])
  })

  test('an add-on is not said to be well by what was seen of it before its cluster stopped', async () => {
    const pool = await Pool.of({ DesiredReplicas: 1 })
    await done('SetBalance', { Amount: 0.01 })
    await step('3h')
    await done('InjectFault', { Port: 'control-plane-host', Call: 'kube-apiserver', Effect: { Type: 'silent' } })
    await done('SetBalance', { Unlimited: true })
    await step('25m')
    assert.equal(await regions.server.shows('ListClusters', pool.clusterId, regions.region), 'Failed/Unknown')
    assert.equal(await regions.server.shows('ListAddons', `${pool.clusterId}:core-dns`, regions.region), 'Failed/ClusterNotRunning')
  })
})
