import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryWorldStore } from '#providers/simulated/store/memory-world-store.ts'
import { ANY_CLUSTER } from '#test/harness/fresh-regions.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { becauseOf } from '#test/harness/sample-records.ts'
import { SimulatedServer } from '#test/harness/simulated-server.ts'

/** Pools have keys that begin with edgehold/ from before such were refused. */
for (const key of ['edgehold/being-stopped', 'edgehold/begins-cordoned', 'edgehold/mine']) test(`a pool that has the key ${key} from before is no work: its nodes are without it, run, and take pods`, async () => {
  const region = 'before', store = new MemoryStore(() => Date.now())
  let decisions = 0
  const server = await SimulatedServer.open({ store, queue: store.queue, worldStore: new MemoryWorldStore(), onDecision: () => { decisions += 1 } })
  try {
    await server.done('CreateRegion', { Region: region, Seed: 7, Paused: true })
    const { cluster, pool } = await server.fleet(region, ['box-1'])
    const step = (Step: string) => server.done('SetClock', { Step }, region)
    const update = (KubernetesConfig: object) => server.call('UpdateEdgeNodePoolConfig', { ClusterId: cluster, Id: pool, KubernetesConfig }, region)
    const shown = async () => (await Promise.all([server.shows('ListEdgeNodePools', pool, region), server.done('ListEdgeNodes', {}, region).then(({ Items: [node] = [] }) => server.shows('ListEdgeNodes', String(node?.['Id']), region))])).join(' ')
    await store.write(Date.now(), async tx => {
      const record = await tx.lockNodePool(pool)
      if (record) await tx.changeNodePool(pool, { spec: { ...record.spec, kubernetesConfigSent: true, labels: [{ key, value: '' }, { key: 'team', value: 'a' }], taints: [{ key, value: '', effect: 'NoSchedule' }] } }, becauseOf('UpdateEdgeNodePoolConfig'))
      for (const node of await store.nodesOf({ nodePoolId: pool })) await tx.enqueue({ kind: 'node', id: node.id, region })
    })
    await step('10m')
    assert.equal(await shown(), 'Running/Ok Running/Ok')
    const node = (await store.nodesOf({ nodePoolId: pool }))[0]
    assert.deepEqual(node?.facts.configured, JSON.stringify([['team=a'], []]))
    decisions = 0
    await step('1h')
    assert.ok(decisions < 200, `${decisions} decisions of an hour`)
    assert.equal(await shown(), 'Running/Ok Running/Ok')

    const { status, message } = await update({ Labels: [{ Key: key }, { Key: 'team', Value: 'a' }], Taints: [] })
    assert.equal(status, 400)
    assert.match(message ?? '', new RegExp(`the key ${key} begins with edgehold/.* leave it out, also where the node pool has it from before`))
    assert.equal((await update({ Labels: [{ Key: 'team', Value: 'b' }], Taints: [] })).status, 200)
    await step('10m')
    assert.equal(await shown(), 'Running/Ok Running/Ok')
  } finally {
    await server.close()
  }
})

test('a pool that scales by itself and has such a taint from before grows for pods that its nodes take', async () => {
  const region = 'grows', store = new MemoryStore(() => Date.now())
  const server = await SimulatedServer.open({ store, queue: store.queue, worldStore: new MemoryWorldStore() })
  try {
    await server.done('CreateRegion', { Region: region, Seed: 7, Paused: true })
    const step = (Step: string) => server.done('SetClock', { Step }, region)
    const { Id: cluster = '' } = await server.done('CreateCluster', ANY_CLUSTER, region)
    await step('60s')
    const { Id: pool = '' } = await server.done('CreateEdgeNodePool', {
      ClusterId: cluster, Name: 'burst', NodePoolType: 'edge-machine-pool',
      ElasticConfig: { CloudServerIdentity: 'c1', AutoScaleConfig: { Enabled: true, MinReplicas: 0, MaxReplicas: 5, DesiredReplicas: 0, Priority: 10 }, InstanceArea: { AreaName: 'north' } },
    }, region)
    await store.write(Date.now(), async tx => {
      const record = await tx.lockNodePool(pool)
      if (record) await tx.changeNodePool(pool, { spec: { ...record.spec, kubernetesConfigSent: true, taints: [{ key: 'edgehold/mine', value: '', effect: 'NoSchedule' }] } }, becauseOf('UpdateEdgeNodePoolConfig'))
    })
    await server.done('SetWorkload', { ClusterId: cluster, Name: 'web', Pods: 1, Cpu: '1', MemoryMiB: 100 }, region)
    await step('1h')
    assert.equal((await server.done('ListEdgeNodes', {}, region)).Items?.length, 1)
    const { Because } = await server.done('ExplainStatus', { Id: pool }, region)
    assert.doesNotMatch(String(Because), /would not take/)
  } finally {
    await server.close()
  }
})
