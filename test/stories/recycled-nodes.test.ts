import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ClusterPki } from '#ports/control-plane-host.ts'
import { ANY_CLUSTER, FreshRegions } from '#test/harness/fresh-regions.ts'
import { Scene } from '../harness/world/scene.ts'

/** Nodes of a simulated region have four processors, of which cluster DNS and each pod of the add-ons here ask for a tenth. */
describe('a pool that recycles its machines switches off what nobody misses', () => {
  const regions = new FreshRegions('recycled')
  const done = (action: string, body: object = {}) => regions.done(action, body)
  const step = (time: string) => regions.step(time)
  const nodes = () => regions.nodePairs()
  const rows = async (kind: string) => (await regions.server.history(regions.region)).filter(({ Kind }) => Kind === kind)
  const phases = async () => (await rows('Node')).map(({ Status }) => Status?.Phase)
  const waits = async () => (await regions.podPlaces()).filter(one => one.endsWith('nowhere'))

  class Shop {
    readonly id: string
    readonly pool: string
    constructor(id: string, pool: string) {
      this.id = id
      this.pool = pool
    }

    static async open(scale: object): Promise<Shop> {
      const { Id = '' } = await done('CreateCluster', ANY_CLUSTER)
      await step('60s')
      const pool = await done('CreateEdgeNodePool', {
        ClusterId: Id, Name: 'burst', NodePoolType: 'edge-machine-pool',
        ElasticConfig: { CloudServerIdentity: 'c1', AutoScaleConfig: { Enabled: false, MinReplicas: 0, MaxReplicas: 3, DesiredReplicas: 3, Priority: 10, Mode: 'Recycle', ...scale }, InstanceArea: { AreaName: 'north' } },
      })
      await step('5m')
      return new Shop(Id, pool.Id ?? '')
    }

    runs(Pods: number, Cpu: string) { return done('SetWorkload', { ClusterId: this.id, Name: 'web', Pods, Cpu, MemoryMiB: 100 }) }
    to(DesiredReplicas: number) { return done('ScaleUpEdgeNodePool', { ClusterId: this.id, NodePoolId: this.pool, DesiredReplicas }) }
    scalesItself(MaxReplicas = 3) {
      return done('UpdateEdgeNodePoolConfig', { ClusterId: this.id, Id: this.pool, ElasticConfig: { AutoScaleConfig: { Enabled: true, MinReplicas: 0, MaxReplicas, DesiredReplicas: 0, Priority: 10, Mode: 'Recycle' } } })
    }

    async addons() {
      for (const Name of ['ingress-nginx', 'prometheus-agent']) await done('CreateAddon', { ClusterId: this.id, Name })
      await step('2m')
    }
  }
  const cordon = (node: Record<string, unknown> | undefined) => done('SetNodeSchedulable', { Id: node?.['Id'], Schedulable: false })

  test('pods find their new places while its machine is still on, also where callers want fewer', async () => {
    const shop = await Shop.open({ DesiredReplicas: 2 })
    await shop.runs(2, '1500m')
    await step('1m')
    assert.equal(new Set(await regions.podPlaces()).size, 2)
    await shop.to(1)
    await step('30s')
    assert.deepEqual([await nodes(), (await regions.podPlaces()).length], [['Running/Ok', 'Stopped/Ok'], 1])
    await step('10m')
    await shop.to(2)
    await step('5m')
    assert.deepEqual(await nodes(), ['Running/Ok', 'Running/Ok'])
  })

  test('an autoscaler that takes light nodes leaves the cluster well', async () => {
    const shop = await Shop.open({})
    await shop.addons()
    await shop.scalesItself()
    await step('3h')
    assert.deepEqual(await nodes(), ['Running/Ok', 'Stopped/Ok', 'Stopped/Ok'])
    assert.deepEqual((await rows('Cluster')).filter(({ Status }) => Status?.Conditions.some(({ Type }) => Type === 'Degraded')), [])
  })

  for (const isEvicted of [true, false]) {
    test(`where there may be no more nodes, room for a large pod is made once${isEvicted ? '' : ', also where no pod can be evicted'}`, async () => {
      const shop = await Shop.open({})
      await shop.addons()
      if (!isEvicted) await done('InjectFault', { Port: 'tenant-cluster', Call: 'evict', Effect: { Type: 'fail' } })
      await shop.runs(1, '3950m')
      await shop.scalesItself()
      await step('3h')
      const before = await phases()
      await step('6h')
      assert.deepEqual([await waits(), (await phases()).length - before.length], [[], 0])
      assert.equal(before.filter(phase => phase === 'Stopping').length, 1 + (await nodes()).filter(pair => pair === 'Stopped/Ok').length)
    })
  }

  test('what cannot be evicted is waited for two minutes', async () => {
    const shop = await Shop.open({ DesiredReplicas: 1 })
    await done('InjectFault', { Port: 'tenant-cluster', Call: 'evict', Effect: { Type: 'fail' } })
    await shop.to(0)
    await step('100s')
    assert.deepEqual(await nodes(), ['Stopping/Progressing'])
    await step('100s')
    assert.deepEqual(await nodes(), ['Stopped/Ok'])
  })

  test('one that is wanted again before it is empty stays on, uncordoned', async () => {
    const shop = await Shop.open({ DesiredReplicas: 1, MaxReplicas: 1 })
    await done('InjectFault', { Port: 'tenant-cluster', Call: 'evict', Effect: { Type: 'fail' } })
    await shop.to(0)
    await step('30s')
    assert.deepEqual(await nodes(), ['Stopping/Progressing'])
    await shop.to(1)
    await step('5s')
    assert.deepEqual(await nodes(), ['Running/Ok'])
    await step('10m')
    assert.ok(!(await phases()).includes('Stopped'))
  })

  const away = () => done('InjectFault', { Port: 'control-plane-host', Call: 'kube-apiserver', Effect: { Type: 'fail' } })
  test('one that is wanted again while its cluster\'s API is away stays on, and so does what is on it', async () => {
    const shop = await Shop.open({ DesiredReplicas: 1, MaxReplicas: 1 })
    await done('InjectFault', { Port: 'tenant-cluster', Call: 'evict', Effect: { Type: 'fail' } })
    await shop.to(0)
    await step('10s')
    await away()
    await step('10s')
    assert.deepEqual(await nodes(), ['Stopping/Progressing'])
    await shop.to(1)
    await step('3m')
    assert.deepEqual([await regions.worldPowers(), await phases()], [['on'], ['Creating', 'Running', 'Stopping', 'Running']])
    await done('ClearFault', { All: true })
    await step('30m')
    assert.deepEqual([await nodes(), (await phases()).includes('Stopped')], [['Running/Ok'], false])
  })

  test('one that is off comes on meanwhile, and those that callers do not want stay off', async () => {
    const shop = await Shop.open({})
    await shop.to(1)
    await step('5m')
    assert.deepEqual(await nodes(), ['Running/Ok', 'Stopped/Ok', 'Stopped/Ok'])
    await away()
    await step('30s')
    await shop.to(2)
    await step('1m')
    assert.deepEqual((await regions.worldPowers()).toSorted(), ['off', 'on', 'on'])
    await step('2h')
    assert.deepEqual((await regions.worldPowers()).toSorted(), ['off', 'on', 'on'])
    await done('ClearFault', { All: true })
    await step('30m')
    assert.deepEqual(await nodes(), ['Running/Ok', 'Running/Ok', 'Stopped/Ok'])
  })

  test('a cordon of its caller\'s is still there when it is on again', async () => {
    const shop = await Shop.open({ DesiredReplicas: 1 })
    await cordon((await regions.nodes())[0])
    await shop.to(0)
    await step('5m')
    await shop.to(1)
    await step('5m')
    assert.deepEqual(await nodes(), ['Running/Unschedulable'])
  })

  for (const isStopped of [false, true]) {
    test(`an autoscaler gives one back that its caller had cordoned${isStopped ? ' before it was switched off' : ''}, as pods would find no room on it`, async () => {
      const shop = await Shop.open({ DesiredReplicas: 2, MaxReplicas: 2 })
      await shop.runs(1, '3500m')
      await step('1m')
      const places = (await regions.podPlaces()).join()
      await cordon((await regions.nodes()).find(node => !places.includes(String(node['Name']))))
      if (isStopped) {
        await shop.to(1)
        await step('5m')
        assert.ok((await nodes()).includes('Stopped/Ok'))
      }
      await shop.scalesItself(2)
      await step('30m')
      await shop.runs(2, '3500m')
      await step('1h')
      assert.deepEqual([await waits(), await nodes()], [[], ['Running/Ok', 'Running/Ok']])
    })
  }

  test('a node whose machine could not be switched off, and that somebody switches on, is no longer on its way off', async () => {
    const shop = await Shop.open({ MaxReplicas: 1, DesiredReplicas: 1 })
    const { Items: [node] = [] } = await done('ListEdgeNodes')
    await done('InjectFault', { Port: 'machines', Call: 'ensure', Effect: { Type: 'fail' } })
    await shop.to(0)
    await step('30s')
    assert.deepEqual(await nodes(), ['Stopping/Progressing'])
    await done('ClearFault', { All: true })
    await done('SetMachine', { Id: String(node?.['InstanceId']), Power: 'on' })
    await step('1h')
    assert.deepEqual(await nodes(), ['Stopped/Ok'], 'what the user did is undone, as callers want none')
    await shop.to(1)
    await step('10m')
    assert.deepEqual(await nodes(), ['Running/Ok'])
  })
})

describe('a cordon by kubectl', () => {
  const SECOND = 1_000, MINUTE = 60 * SECOND
  const SCALING = { enabled: false, minReplicas: 0, maxReplicas: 1, desiredReplicas: 1, sentDesiredReplicas: 1, priority: 10, mode: 'Recycle' } as const

  for (const isStopped of [false, true]) {
    test(`that is made while its pool ${isStopped ? 'has a node off' : 'empties a node'} outlasts that, and one that is lifted then stays lifted`, async () => {
      const scene = await Scene.begin(), { world, users } = scene, { store, tenant } = world
      const cluster = await scene.runningCluster(), pool = await users.createPool(cluster, { type: 'edge-machine-pool', scaling: SCALING })
      const members = () => store.nodesOf({ nodePoolId: pool })
      await world.until('it has a member', async () => (await members()).length === 1, MINUTE)
      const { id, spec: { name } } = (await members())[0]!, address = { clusterId: cluster, address: '', pki: {} as ClusterPki }
      await scene.node(id, 'Running Ok', 2 * MINUTE)
      const set = async (schedulable: boolean, shown: string) => {
        tenant.inside(cluster).pods.set(name, isStopped ? 0 : 1_000)
        await users.updatePool(pool, { scaling: { ...SCALING, desiredReplicas: 0 } })
        await scene.node(id, isStopped ? 'Stopped Ok' : 'Stopping Progressing', MINUTE)
        await world.pass(10 * SECOND)
        await tenant.setSchedulable(address, name, schedulable)
        await users.updatePool(pool, { scaling: SCALING })
        await scene.node(id, shown, 3 * MINUTE)
        await world.pass(10 * SECOND)
        await scene.node(id, shown, 0)
        assert.deepEqual(tenant.inside(cluster).nodes.get(name)?.taints, [])
      }
      await set(false, 'Running Unschedulable')
      await set(true, 'Running Ok')
      await scene.end()
    })
  }
})
