import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FreshRegions, pairOf } from '#test/harness/fresh-regions.ts'

const RUNNING = 'Running/Ok', WAITS = 'Failed/SchedulingFailed'

/** Nodes of a simulated region have four processors and 8 GiB, cluster DNS asks for a tenth of one, each of ingress-nginx's two pods as well. */
describe('pods of add-ons are need like any others, and the base of a cluster is none by itself', () => {
  const regions = new FreshRegions('need')
  const done = (action: string, body: object = {}) => regions.done(action, body)
  const step = (time: string) => regions.step(time)

  const made = async () => (await regions.server.history(regions.region)).filter(({ Kind, Status }) => Kind === 'Node' && Status?.Phase === 'Creating').length

  class Shop {
    readonly id: string
    constructor(id: string) { this.id = id }

    static async open(): Promise<Shop> {
      return new Shop(await regions.cluster())
    }

    async pool(scale: object, { name = 'burst', ...more }: { readonly name?: string; readonly KubernetesConfig?: object } = {}): Promise<string> {
      const { Id = '' } = await done('CreateEdgeNodePool', {
        ClusterId: this.id, Name: name, NodePoolType: 'edge-machine-pool', ...more,
        ElasticConfig: { CloudServerIdentity: 'c1', AutoScaleConfig: { Enabled: true, MinReplicas: 0, MaxReplicas: 3, DesiredReplicas: 0, Priority: 10, ...scale }, InstanceArea: { AreaName: 'north' } },
      })
      await step('2m')
      return Id
    }

    addon(Name: string, more: object = {}) { return done('CreateAddon', { ClusterId: this.id, Name, ...more }) }
    removed(Name: string) { return done('DeleteAddon', { ClusterId: this.id, Name, CascadingDeleteResources: ['Crd'] }) }
    runs(Pods: number, Cpu = '1') { return done('SetWorkload', { ClusterId: this.id, Name: 'web', Pods, Cpu, MemoryMiB: 100 }) }
    to(NodePoolId: string, DesiredReplicas: number) { return done('ScaleUpEdgeNodePool', { ClusterId: this.id, NodePoolId, DesiredReplicas }) }
    async why(Id: string) { return String((await done('ExplainStatus', { Id }))['Because']) }

    /** The cluster, its pools together, the number of its nodes, and its add-ons. */
    async shows(): Promise<string> {
      const pairs = async (list: string) => (await done(list, { PageSize: 100 })).Items ?? []
      const pools = new Set((await pairs('ListEdgeNodePools')).map(pairOf)), nodes = await regions.nodePairs()
      assert.deepEqual(nodes.filter(pair => pair !== RUNNING), [])
      const addons = (await pairs('ListAddons')).map(addon => `${String(addon['Name'])} ${pairOf(addon)}`).toSorted()
      return [(await pairs('ListClusters')).map(pairOf).join(), [...pools].join(), `${nodes.length} nodes`, ...addons].join(', ')
    }
  }

  test('an add-on brings the first node, users\' pods beside it the next one, and what nobody needs goes', async () => {
    const shop = await Shop.open(), pool = await shop.pool({})
    await step('1h')
    assert.equal(await shop.shows(), `${RUNNING}, ${RUNNING}, 0 nodes, core-dns ${WAITS}`, 'cluster DNS alone brings none')
    await shop.addon('ingress-nginx')
    await step('2s')
    assert.match(await shop.why(pool), /its autoscaler wants 1 of them: 3 pods, kube-system\/ingress-nginx-controller-\w+ among them, found no room on the nodes of its cluster/)
    await step('3h')
    assert.equal(await shop.shows(), `${RUNNING}, ${RUNNING}, 1 nodes, core-dns ${RUNNING}, ingress-nginx ${RUNNING}`)
    await shop.runs(4)
    await step('3h')
    assert.equal(await shop.shows(), `${RUNNING}, ${RUNNING}, 2 nodes, core-dns ${RUNNING}, ingress-nginx ${RUNNING}`)
    await shop.runs(1)
    await step('30m')
    assert.equal(await shop.shows(), `${RUNNING}, ${RUNNING}, 1 nodes, core-dns ${RUNNING}, ingress-nginx ${RUNNING}`)
    await shop.runs(0)
    await step('3h')
    assert.equal(await shop.shows(), `${RUNNING}, ${RUNNING}, 1 nodes, core-dns ${RUNNING}, ingress-nginx ${RUNNING}`, 'the last node stays for the add-on')
    await shop.removed('ingress-nginx')
    await step('30m')
    assert.equal(await shop.shows(), `${RUNNING}, ${RUNNING}, 0 nodes, core-dns ${WAITS}`, 'and not for cluster DNS')
  })

  test('cluster DNS that users\' pods crowd out is need, and keeps the node that came for it', async () => {
    const shop = await Shop.open()
    await shop.pool({})
    await shop.runs(4)
    await step('5h')
    assert.equal(await shop.shows(), `${RUNNING}, ${RUNNING}, 2 nodes, core-dns ${RUNNING}`)
    await shop.runs(3)
    await step('30m')
    assert.equal(await shop.shows(), `${RUNNING}, ${RUNNING}, 1 nodes, core-dns ${RUNNING}`)
  })

  test('an autoscaler takes no node away under an add-on that would find no room elsewhere', async () => {
    const shop = await Shop.open(), pool = await shop.pool({ DesiredReplicas: 1 })
    await shop.addon('ingress-nginx')
    await step('1m')
    await shop.to(pool, 0)
    await step('5h')
    assert.equal(await shop.shows(), `${RUNNING}, ${RUNNING}, 1 nodes, core-dns ${RUNNING}, ingress-nginx ${RUNNING}`)
  })

  test('it takes it as soon as there is room elsewhere, of nodes that carry add-ons as many as the others have room for', async () => {
    const shop = await Shop.open(), pool = await shop.pool({ DesiredReplicas: 3 })
    for (const name of ['ingress-nginx', 'prometheus-agent']) await shop.addon(name)
    await step('1m')
    await shop.to(pool, 0)
    await step('1h')
    const all = `core-dns ${RUNNING}, ingress-nginx ${RUNNING}, prometheus-agent ${RUNNING}`
    assert.equal(await shop.shows(), `${RUNNING}, ${RUNNING}, 1 nodes, ${all}`)
    const [last] = await regions.nodes()
    await shop.pool({ Enabled: false, DesiredReplicas: 1 }, { name: 'fixed' })
    await step('1h')
    assert.equal(await shop.shows(), `${RUNNING}, ${RUNNING}, 1 nodes, ${all}`)
    assert.notEqual((await regions.nodes())[0]?.['Id'], last?.['Id'], 'the one that stays whatever runs on it')
  })

  test('no two pools give back at once a node with an add-on and the one that its pods could go to', async () => {
    const shop = await Shop.open(), one = await shop.pool({ DesiredReplicas: 1 })
    await shop.addon('ingress-nginx')
    await step('1m')
    const other = await shop.pool({ DesiredReplicas: 1 }, { name: 'other' })
    for (const pool of [one, other]) await shop.to(pool, 0)
    await step('3h')
    assert.equal(await shop.shows(), `${RUNNING}, ${RUNNING}, 1 nodes, core-dns ${RUNNING}, ingress-nginx ${RUNNING}`)
    assert.equal(await made(), 2, 'no machine came for what a moment before had a node')
  })

  test('a node that is about to go is no place to move to, though it still takes pods', async () => {
    const shop = await Shop.open(), pool = await shop.pool({ DesiredReplicas: 1 })
    await shop.addon('ingress-nginx')
    const fixed = await shop.pool({ Enabled: false, DesiredReplicas: 1 }, { name: 'fixed' })
    await shop.to(pool, 0)
    await step('9m')
    await done('InjectFault', { Port: 'tenant-cluster', Call: 'setSchedulable', Effect: { Type: 'slow', For: '3m' } })
    await shop.to(fixed, 0)
    await step('2m')
    await done('ClearFault', { All: true })
    await step('1h')
    assert.equal(await shop.shows(), `${RUNNING}, ${RUNNING}, 1 nodes, core-dns ${RUNNING}, ingress-nginx ${RUNNING}`)
    assert.equal(await made(), 2, 'the node of the add-on stayed')
  })

  test('pods that no node of a pool would take bring it none', async () => {
    const shop = await Shop.open()
    await shop.pool({}, { name: 'tainted', KubernetesConfig: { Taints: [{ Key: 'only/tills', Value: 'yes', Effect: 'NoSchedule' }] } })
    await shop.addon('ingress-nginx')
    await shop.addon('nvidia-device-plugin')
    await shop.runs(2)
    await step('5h')
    assert.deepEqual([await shop.shows(), await made()], [`${RUNNING}, ${RUNNING}, 0 nodes, core-dns ${WAITS}, ingress-nginx ${WAITS}, nvidia-device-plugin ${WAITS}`, 0])
    await shop.pool({ Priority: 1 }, { name: 'gpu', KubernetesConfig: { Labels: [{ Key: 'nvidia.com/gpu.present', Value: 'true' }] } })
    await step('1h')
    assert.deepEqual([await shop.shows(), await made()], [`${RUNNING}, ${RUNNING}, 1 nodes, core-dns ${RUNNING}, ingress-nginx ${RUNNING}, nvidia-device-plugin ${RUNNING}`, 1])
  })

  test('pods that only another pool would take, which has no place for more, keep no nodes of this one', async () => {
    const shop = await Shop.open()
    await shop.pool({ MaxReplicas: 1, DesiredReplicas: 1 }, { name: 'gpu', KubernetesConfig: { Labels: [{ Key: 'nvidia.com/gpu.present', Value: 'true' }] } })
    await done('SetWorkload', { ClusterId: shop.id, Name: 'fills-it', Pods: 1, Cpu: '3900m', MemoryMiB: 100 })
    await step('5m')
    await shop.pool({}, { name: 'plain' })
    await shop.runs(9)
    await step('1h')
    await shop.addon('nvidia-device-plugin')
    await step('5m')
    await shop.runs(0)
    await step('24h')
    const nodes = (await regions.nodes()).map(({ Name: name }) => String(name).split('-')[0])
    assert.ok(nodes.filter(name => name === 'plain').length <= 1, nodes.join())
    await rests()
  })

  const gpuPool = (shop: Shop, scale: object, AreaName = 'north') => done('CreateEdgeNodePool', {
    ClusterId: shop.id, Name: 'gpu', NodePoolType: 'edge-machine-pool', KubernetesConfig: { Labels: [{ Key: 'nvidia.com/gpu.present', Value: 'true' }] },
    ElasticConfig: { CloudServerIdentity: 'c1', AutoScaleConfig: { Enabled: true, MinReplicas: 0, MaxReplicas: 1, DesiredReplicas: 0, Priority: 10, ...scale }, InstanceArea: { AreaName } },
  })
  /** Who waits for what cannot come makes no node come and go. */
  const rests = async () => {
    const before = await made()
    await step('12h')
    assert.equal(await made(), before, 'nodes begun in twelve hours')
  }

  test('while an add-on waits for another pool, whose node is cordoned, cluster DNS keeps the node that it has', async () => {
    const shop = await Shop.open()
    const plain = await shop.pool({ DesiredReplicas: 1 }, { name: 'plain' })
    await gpuPool(shop, { MinReplicas: 1, DesiredReplicas: 1 })
    await step('5m')
    const gpu = (await regions.nodes()).find(({ Name: name }) => String(name).startsWith('gpu'))
    await done('SetNodeSchedulable', { Id: gpu?.['Id'], Schedulable: false })
    await shop.addon('nvidia-device-plugin')
    await step('2m')
    await done('UpdateEdgeNodePoolConfig', { ClusterId: shop.id, Id: plain, ElasticConfig: { AutoScaleConfig: { Enabled: true, MinReplicas: 0, MaxReplicas: 3, DesiredReplicas: 0, Priority: 10 } } })
    await step('1h')
    await rests()
    assert.equal(await made(), 2)
  })

  test('while an add-on waits for another pool, which is out of stock, cluster DNS brings one node and keeps it', async () => {
    const shop = await Shop.open()
    await done('SetStock', { Kind: 'Machine', Area: 'south', Count: 0 })
    await gpuPool(shop, {}, 'south')
    await step('2m')
    await shop.pool({}, { name: 'plain' })
    await shop.addon('nvidia-device-plugin')
    await step('1h')
    await rests()
    assert.equal(await shop.shows(), `${RUNNING}, Running/StockOut,${RUNNING}, 1 nodes, core-dns ${RUNNING}, nvidia-device-plugin ${WAITS}`)
  })
})
