import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FreshRegions } from '#test/harness/fresh-regions.ts'

/** Nodes of a simulated region have four processors and 8 GiB. */
describe('pods that wait beside nodes on which they seem to have a place', () => {
  const regions = new FreshRegions('waits-on-nodes')
  const done = (action: string, body: object = {}) => regions.done(action, body)
  const step = (time: string) => regions.step(time)
  const nodesMade = async () => (await regions.server.history(regions.region)).filter(({ Kind, Status }) => Kind === 'Node' && Status?.Phase === 'Creating').length
  const why = async (Id: string) => String((await done('ExplainStatus', { Id }))['Because'])

  class Shop {
    readonly id: string
    constructor(id: string) { this.id = id }

    static async open(): Promise<Shop> {
      return new Shop(await regions.cluster())
    }

    async pool(scale: object, KubernetesConfig: object = {}): Promise<string> {
      const AutoScaleConfig = { Enabled: true, MinReplicas: 0, MaxReplicas: 5, DesiredReplicas: 0, Priority: 10, ...scale }
      const { Id = '' } = await done('CreateEdgeNodePool', { ClusterId: this.id, Name: 'burst', NodePoolType: 'edge-machine-pool', KubernetesConfig, ElasticConfig: { CloudServerIdentity: 'c1', AutoScaleConfig, InstanceArea: { AreaName: 'north' } } })
      await step('5m')
      return Id
    }

    runs(Name: string, Pods: number, Cpu: string) { return done('SetWorkload', { ClusterId: this.id, Name, Pods, Cpu, MemoryMiB: 100 }) }
    scheduler() { return done('InjectFault', { Port: 'control-plane-host', Call: 'kube-scheduler', Target: { Kind: 'Cluster', Id: this.id }, Effect: { Type: 'fail' } }) }
    async waits() { return (await regions.podPlaces()).filter(one => one.endsWith('nowhere')) }
  }

  for (const outage of ['9m', '30m', '5h']) {
    test(`those for which a scheduler that was down for ${outage} finds no place where they had one have a node`, async () => {
      const shop = await Shop.open()
      await shop.pool({})
      // Two of the small ones and a large one on the first node, as was reckoned, and the rest on the next, or all small ones on one.
      await shop.runs('small', 3, '1300m')
      await shop.runs('large', 2, '2')
      await shop.scheduler()
      await step(outage)
      const before = await nodesMade()
      await done('ClearFault', { All: true })
      await step('10m')
      assert.deepEqual([await shop.waits(), await nodesMade()], [[], before + 1])
    })
  }

  test('are told of by the pool once they have waited so for ten minutes, though nothing else happens', async () => {
    const shop = await Shop.open(), pool = await shop.pool({ DesiredReplicas: 1, MaxReplicas: 1 }), [node] = await regions.nodes()
    const opens = (Schedulable: boolean) => done('SetNodeSchedulable', { Id: node?.['Id'], Schedulable })
    await opens(false)
    await shop.runs('web', 1, '1')
    await step('1m')
    await shop.scheduler()
    await opens(true)
    await step('9m')
    assert.doesNotMatch(await why(pool), /wait/)
    await step('2m')
    assert.match(await why(pool), /the pod default\/web-\S+ waits, and no node is made for it: the node burst-\S+ had a place for it for at least 10 min from /)
  })

  const LABELS = [{ Key: 'nvidia.com/gpu.present', Value: 'true' }]
  const labelled = async (shop: Shop, Id: string, more: object = {}) => {
    await done('UpdateEdgeNodePoolConfig', { ClusterId: shop.id, Id, KubernetesConfig: { Labels: LABELS, ...more } })
    await done('CreateAddon', { ClusterId: shop.id, Name: 'nvidia-device-plugin' })
  }
  const runsOn = async (shop: Shop, nodes: number) => {
    assert.match(await why(`${shop.id}:nvidia-device-plugin`), /^All its workloads are available/)
    assert.equal(await nodesMade(), nodes)
  }

  test('have a new one where the pool puts its labels on new ones alone', async () => {
    const shop = await Shop.open(), pool = await shop.pool({ DesiredReplicas: 1 }, { AutoSyncDisabled: true })
    await labelled(shop, pool, { AutoSyncDisabled: true })
    await step('3m')
    await runsOn(shop, 2)
  })

  test('have a new one where the others refuse the labels, once their pool has given that up', async () => {
    const shop = await Shop.open(), pool = await shop.pool({ DesiredReplicas: 1 }), [node] = await regions.nodes()
    await done('InjectFault', { Port: 'tenant-cluster', Call: 'ensureNodeConfig', Target: { Name: node?.['Name'] }, Effect: { Type: 'fail' } })
    await labelled(shop, pool)
    await step('9m')
    assert.equal(await nodesMade(), 1, 'they may be on their way')
    await step('6m')
    await runsOn(shop, 2)
  })

  test('have none where the labels come in a moment', async () => {
    const shop = await Shop.open(), pool = await shop.pool({ DesiredReplicas: 1 })
    await labelled(shop, pool)
    await step('20m')
    await runsOn(shop, 1)
  })
})
