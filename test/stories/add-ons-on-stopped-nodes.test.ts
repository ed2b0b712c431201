import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { besidesResting, type WorkloadSeen } from '#model/addon/health.ts'
import { ANY_CLUSTER, FreshRegions } from '#test/harness/fresh-regions.ts'
import type { History } from '#test/harness/simulated-server.ts'
import { Scene } from '#test/harness/world/scene.ts'
import { shows } from '#test/harness/world/users.ts'
import { ACCOUNT, REGION } from '#test/harness/world.ts'

describe('an add-on that runs on each node is well while its pool has some of them stopped', () => {
  const regions = new FreshRegions('stopped')
  const done = (action: string, body: object = {}) => regions.done(action, body)
  const step = (time: string) => regions.step(time)

  const begin = async () => {
    const { Id: ClusterId = '' } = await done('CreateCluster', ANY_CLUSTER)
    await step('60s')
    const { Id = '' } = await done('CreateEdgeNodePool', {
      ClusterId, Name: 'burst', NodePoolType: 'edge-machine-pool',
      ElasticConfig: { CloudServerIdentity: 'c1', AutoScaleConfig: { Enabled: false, MinReplicas: 0, MaxReplicas: 5, DesiredReplicas: 3, Priority: 10, Mode: 'Recycle' }, InstanceArea: { AreaName: 'north' } },
    })
    await step('5m')
    await done('CreateAddon', { ClusterId, Name: 'log-collector', Version: 'v2.0.7' })
    await step('5m')
    return {
      ClusterId, NodePoolId: Id,
      to: (DesiredReplicas: number) => done('ScaleUpEdgeNodePool', { ClusterId, NodePoolId: Id, DesiredReplicas }),
      /** What the add-on has shown, oldest first. */
      history: async () => ((await done('ListStatusHistory', { PageSize: 100, Filter: { Ids: [`${ClusterId}:log-collector`] } })).Items as unknown as History[])
        .map(row => row.Status ? `${row.Status.Phase}/${row.Status.Conditions.map(({ Type }) => Type).join('+')}` : 'gone').toReversed(),
    }
  }
  const nodesThatShow = async (wanted: string) => ((await done('ListEdgeNodes', { PageSize: 100 })).Items ?? []).filter(node => (node['Status'] as { readonly Phase: string }).Phase === wanted)
  const machineOf = (node: Record<string, unknown> | undefined) => `m${String(node?.['Id']).slice(1)}`

  test('while they go off, are off, take part in no update, come back, and are removed', async () => {
    const { to, history, ClusterId, NodePoolId } = await begin()
    await to(1)
    await step('20m')
    assert.equal((await nodesThatShow('Stopped')).length, 2)
    await done('UpdateAddonVersion', { ClusterId, Name: 'log-collector', Version: 'v2.1.0' })
    await step('20m')
    await to(2)
    await step('20m')
    const [stopped] = await nodesThatShow('Stopped')
    await done('DeleteEdgeNodes', { ClusterId, NodePoolId, Ids: [stopped?.['Id']], CascadingDeleteResources: ['Ecs'] })
    await step('20m')
    await to(0)
    await step('20m')
    assert.deepEqual(await history(), ['Creating/Progressing', 'Running/Ok', 'Updating/Progressing', 'Running/Ok'])
  })

  test('while one that is to go, and still has its pod, goes off on its way', async () => {
    for (const To of ['DeleteEdgeNodes', 'ScaleDownEdgeNodePool']) {
      const { history, ClusterId, NodePoolId } = await begin()
      const [leaving] = await nodesThatShow('Running')
      const { Id: fault } = await done('InjectFault', { Port: 'tenant-cluster', Call: 'ensureNodeGone', Effect: { Type: 'slow', For: '5m' } })
      if (To === 'DeleteEdgeNodes') await done(To, { ClusterId, NodePoolId, Ids: [leaving?.['Id']], CascadingDeleteResources: ['Ecs'] })
      else await done(To, { ClusterId, NodePoolId, NodeIds: [leaving?.['Id']] })
      await step('10s')
      await done('SetMachine', { Id: machineOf(leaving), Power: 'off' })
      await step('2m')
      assert.equal((await nodesThatShow('Deleting')).length, 1)
      await done('ClearFault', { Id: fault })
      await step('20m')
      assert.deepEqual(await history(), ['Creating/Progressing', 'Running/Ok'])
      await done('DeleteCluster', { Id: ClusterId, CascadingDeleteResources: ['All'] })
      await step('1h')
    }
  })

  test('but not while one that is wanted is off, or does not come back', async () => {
    const { to, history } = await begin()
    await to(2)
    await step('20m')
    await done('SetMachine', { Id: machineOf((await nodesThatShow('Running'))[0]), Power: 'off' })
    await step('1m')
    assert.deepEqual(await history(), ['Creating/Progressing', 'Running/Ok', 'Failed/Degraded'])
    await done('SetMachine', { Id: machineOf((await nodesThatShow('Failed'))[0]), Power: 'on' })
    await step('10m')
    assert.equal((await history()).at(-1), 'Running/Ok')
    const [stopped] = await nodesThatShow('Stopped')
    await done('InjectFault', { Port: 'machines', Call: 'kubelet', Target: { Kind: 'Machine', Id: machineOf(stopped) }, Effect: { Type: 'silent' } })
    await to(3)
    await step('14m')
    assert.equal((await history()).at(-1), 'Running/Ok')
    await step('2m')
    assert.equal((await nodesThatShow('Failed')).length, 1)
    assert.equal((await history()).at(-1), 'Failed/Degraded')
  })
})

test('what a DaemonSet of a real cluster is asked for leaves out nodes at rest, and what a Deployment is asked for does not', () => {
  const pods = ['a', 'b', 'c'].map(node => ({ name: `log-${node}`, node, ready: node === 'a', current: node !== 'c', restarts: 0 }))
  const seen: WorkloadSeen = { name: 'DaemonSet/log', onEachNode: true, desired: 3, available: 1, updated: 2, pods }
  assert.deepEqual(besidesResting([seen], new Set(['b', 'c'])), [{ ...seen, desired: 1, updated: 1, pods: pods.slice(0, 1) }])
  assert.deepEqual(besidesResting([seen], new Set(['a'])), [{ ...seen, desired: 2, available: 0, updated: 1, pods: pods.slice(1) }])
  const { onEachNode: _no, ...anywhere } = seen
  assert.deepEqual(besidesResting([anywhere], new Set(['b', 'c'])), [anywhere])
})

test('a pod in trouble on a node that does not rest is asked for, also where Kubernetes left the nodes at rest out itself', () => {
  const pod = (node: string, ready: boolean) => ({ name: `log-${node}`, node, ready, current: true, restarts: 0 })
  const seen = (ready: boolean): WorkloadSeen => ({ name: 'DaemonSet/log', onEachNode: true, desired: 1, available: ready ? 1 : 0, updated: 1, pods: [pod('a', ready), pod('b', true)] })
  for (const ready of [false, true]) assert.deepEqual(besidesResting([seen(ready)], new Set(['b'])), [{ ...seen(ready), pods: [pod('a', ready)] }])
})

test('a pod on a node that is to go is not asked for, beside one on a node at rest', () => {
  const pod = (node: string, ready: boolean) => ({ name: `log-${node}`, node, ready, current: true, restarts: 0 })
  const seen: WorkloadSeen = { name: 'DaemonSet/log', onEachNode: true, desired: 3, available: 1, updated: 3, pods: [pod('a', true), pod('b', false), pod('leaving', false)] }
  assert.deepEqual(besidesResting([seen], new Set(['b', 'leaving'])), [{ ...seen, desired: 1, updated: 1, pods: [pod('a', true)] }])
})

test('a pod that is left on a node that is no member any more stands for none that is missing on a member', async t => {
  const pod = (node: string, ready: boolean) => ({ name: `log-${node}`, node, ready, current: true, restarts: 0 })
  const scene = await Scene.begin(), { world } = scene
  const look = world.addons.look.bind(world.addons)
  t.mock.method(world.addons, 'look', async (...about: Parameters<typeof look>) => {
    const seen = await look(...about)
    // An admission hook refuses the pod of shop-2; the Node object of old-3 is gone, and its pod still ends.
    return seen && { ...seen, workloads: [{ name: 'DaemonSet/log-collector', onEachNode: true, desired: 2, available: 1, updated: 1, pods: [pod('shop-1', true), pod('old-3', false)] }] }
  })
  const { cluster, pool } = await scene.runningNode('shop-1')
  await scene.join(cluster, pool, 'shop-2')
  const id = `${cluster}:log-collector`, now = world.clock.now()
  await world.store.write(now, async tx => {
    await tx.insertAddon({
      id, accountId: ACCOUNT, region: REGION, clusterId: cluster, spec: { name: 'log-collector', version: 'v2.0.7', deployMode: 'Unmanaged', deployNodeType: 'Node' },
      facts: { operation: { action: 'CreateAddon', since: now }, reasons: {}, obstacles: [] },
    }, { evidence: [], operation: 'CreateAddon' })
    await tx.enqueue({ kind: 'addon', id, region: REGION })
  })
  await world.pass(20 * 60_000)
  assert.equal(shows(await world.store.findAddon(id)), 'Failed Degraded')
  await scene.end()
})
