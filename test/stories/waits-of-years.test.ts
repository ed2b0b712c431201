/** What waits for ten years is no work, and is over as soon as its cause is gone: passes are counted, in memory. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Log } from '#ports/log.ts'
import { MemoryWorldStore } from '#providers/simulated/store/memory-world-store.ts'
import { ANY_CLUSTER, pairOf } from '#test/harness/fresh-regions.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { SimulatedServer } from '#test/harness/simulated-server.ts'

/** A wait of each of these clusters costs about a hundred looks in ten years, and whoever waits with it as many. */
const PASSES_A_CLUSTER = 1_000
const CLUSTERS = 2

describe('waits of years', () => {
  let server: SimulatedServer, queue: MemoryStore['queue'], passes = 0, refusals = 0
  before(async () => {
    const store = new MemoryStore(() => Date.now())
    queue = store.queue
    const due = store.queue.due.bind(store.queue)
    store.queue.due = async (...asked) => {
      const found = await due(...asked)
      passes += found.length
      return found
    }
    const info: Log['info'] = (_, text) => { if (text === 'Refusing a machine') refusals++ }
    const log: Log = { ...QUIET, info, child: () => log }
    server = await SimulatedServer.open({ store, queue: store.queue, worldStore: new MemoryWorldStore(), log })
  })
  after(() => server.close())
  /** When the first pass is due in it. */
  const nextDue = async ({ name }: Region) => (await queue.nextDue([name])).dueAt?.[0]?.at ?? 0

  // oxfmt-ignore
  const WAITS: readonly (readonly [wait: string, begins: (region: Region) => Promise<void>, shown: string, ends: (region: Region) => Promise<unknown>, then: string, within?: string])[] = [
    ['machines that are out of stock',         async region => { await region.call('SetStock', { Kind: 'Machine', Count: 2 }); await region.pools({ DesiredReplicas: 3 }) },             'NodePool Running/StockOut',        region => region.call('SetStock', { Kind: 'Machine', Unlimited: true }),   'NodePool Running/Ok'],
    ['pods without stock',                     async region => { await region.call('SetStock', { Kind: 'Machine', Count: 2 }); await region.pools({ Enabled: true }); await region.pods(9) }, 'NodePool Running/StockOut',    region => region.call('SetStock', { Kind: 'Machine', Unlimited: true }),   'NodePool Running/Ok'],
    ['machines beyond the quota',              async region => { await region.call('SetQuota', { Kind: 'Machine', Limit: 2 }); await region.pools({ DesiredReplicas: 3 }) },             'NodePool Running/LimitedByQuota',  region => region.call('SetQuota', { Kind: 'Machine', Unlimited: true }),   'NodePool Running/Ok'],
    ['pods beyond the quota',                  async region => { await region.call('SetQuota', { Kind: 'Machine', Limit: 2 }); await region.pools({ Enabled: true }); await region.pods(9) }, 'NodePool Running/LimitedByQuota', region => region.call('SetQuota', { Kind: 'Machine', Unlimited: true }), 'NodePool Running/Ok'],
    ['clusters in arrears',                    async region => { await region.pools({ Enabled: true, DesiredReplicas: 2 }); await region.call('SetBalance', { Amount: 0 }) },               'Cluster Stopped/Balance',          region => region.call('SetBalance', { Unlimited: true }),                  'Cluster Running/Ok'],
    ['pods without room at MaxReplicas',       async region => { await region.pools({ Enabled: true, MaxReplicas: 1 }); await region.pods(9) },                                                'NodePool Running/Ok',              region => region.pods(0),                                                  'NodePool Running/Ok'],
    ['machines that never join',               async region => { await region.fault('machines', 'preflight'); await region.pools({ Enabled: true, MaxReplicas: 2 }); await region.pods(9) },   'Node Failed/InitializeFailed',     region => region.cured(),                                                  'Node Running/Ok', '2h'],
    ['machines that are not made',             async region => { await region.fault('machines', 'ensure'); await region.pools({ Enabled: true, MaxReplicas: 2 }); await region.pods(9) },      'Node Failed/Unknown',              region => region.cured(),                                                  'Node Running/Ok', '2h'],
    ['kubelets that are silent',               async region => { await region.pools({ DesiredReplicas: 2 }); await region.fault('machines', 'kubelet', 'silent') },                             'Node Failed/NotReady',             region => region.cured(),                                                  'Node Running/Ok'],
    ['silent kubelets and pods without room',  async region => { await region.pools({ Enabled: true, DesiredReplicas: 2 }); await region.pods(8); await region.fault('machines', 'kubelet', 'silent') }, 'Node Failed/NotReady',   region => region.cured(),                                                  'Node Running/Ok'],
    ['a scheduler that dies',                  async region => { await region.pools({}); await region.fault('control-plane-host', 'kube-scheduler') },                                          'Cluster Running/Degraded',         region => region.cured(),                                                  'Cluster Running/Ok'],
    ['an API server that dies',                async region => { await region.pools({ Enabled: true }); await region.pods(8); await region.fault('control-plane-host', 'kube-apiserver') },      'Cluster Failed/Unknown',           region => region.cured(),                                                  'Cluster Running/Ok'],
    ['a host that cannot be looked at',        async region => { await region.pools({}); await region.fault('control-plane-host', 'look') },                                                    'Cluster Running/Ok',               region => region.cured(),                                                  'Cluster Running/Ok'],
    ['pods that nobody can look at',           async region => { await region.pools({ Enabled: true, DesiredReplicas: 0 }); await region.fault('tenant-cluster', 'room'); await region.pods(9) },                   'Addon Failed/SchedulingFailed',              region => region.cured(),                                                  'Node Running/Ok'],
    ['an add-on that cannot be looked at',     async region => { await region.pools({}); await region.fault('addon-installer', 'look') },                                                       'Addon Running/Ok',                 region => region.cured(),                                                  'Addon Running/Ok'],
    ['an add-on that cannot be installed',     async region => { await region.pools({}); await region.fault('addon-installer', 'ensure'); await region.addons('CreateAddon') },                  'Addon Failed/Unknown',             region => region.cured(),                                                  'Addon Running/Ok'],
    ['an add-on that cannot be removed',       async region => { await region.pools({}); await region.addons('CreateAddon'); await region.step('2m'); await region.fault('addon-installer', 'ensureGone'); await region.addons('DeleteAddon') }, 'Addon Failed/ResourceCleanupFailed', region => region.cured(), 'no Addon Failed/ResourceCleanupFailed'],
    ['machines that cannot be removed',        async region => { await region.pools({ DesiredReplicas: 2 }); await region.fault('machines', 'ensureGone'); await region.deleteNodes() },            'Node Failed/ResourceCleanupFailed', async region => { await region.cured(); await region.deleteNodes() },     'no Node Failed/ResourceCleanupFailed'],
    ['machines that go and are not answered for', async region => { await region.pools({ DesiredReplicas: 2 }); await region.fault('machines', undefined); await region.deleteNodes() },            'Node Failed/ResourceCleanupFailed', async region => { await region.cured(); await region.deleteNodes() },     'no Node Failed/ResourceCleanupFailed'],
    ['kubeconfigs deleted in arrears',         async region => { await region.kubeconfigs(); await region.call('SetBalance', { Amount: 0 }); await region.step('3h'); await region.deleteKubeconfigs() },          'Kubeconfig made',                  region => region.call('SetBalance', { Unlimited: true }),                  'no Kubeconfig made'],
    ['kubeconfigs deleted, and then arrears',  async region => { await region.kubeconfigs(); await region.fault('control-plane-host', 'kube-apiserver'); await region.step('10m'); await region.deleteKubeconfigs(); await region.call('SetBalance', { Amount: 0 }) }, 'Kubeconfig made', async region => { await region.cured(); await region.call('SetBalance', { Unlimited: true }) }, 'no Kubeconfig made'],
    ['kubeconfigs deleted while an API server dies', async region => { await region.kubeconfigs(); await region.fault('control-plane-host', 'kube-apiserver'); await region.step('10m'); await region.deleteKubeconfigs() }, 'Kubeconfig made',         region => region.cured(),                                                  'no Kubeconfig made'],
    ['kubeconfigs asked for while an API server dies', async region => { await region.fault('control-plane-host', 'kube-apiserver'); await region.kubeconfigs() },                                  'Kubeconfig not made',              region => region.cured(),                                                  'Kubeconfig made'],
    ['kubeconfigs that wait as their cluster goes', async region => { await region.kubeconfigs(); await region.call('SetBalance', { Amount: 0 }); await region.step('3h'); await region.deleteKubeconfigs(); await region.fault('control-plane-host', 'ensureGone') }, 'Kubeconfig made', region => region.deleteClusters(), 'no Kubeconfig made', '10s'],
    ['load balancers that cannot be removed',  async region => { await region.fault('outside', 'ensureGone'); await region.deleteClusters() },                                                  'Cluster Failed/ResourceCleanupFailed', async region => { await region.cured(); await region.deleteClusters() }, 'no Cluster Failed/ResourceCleanupFailed'],
  ]
  for (const [index, [wait, begins, shown, ends, then, within = '1h']] of WAITS.entries()) {
    test(wait, async () => {
      const region = await Region.made(server, `waits-${index}`)
      await begins(region)
      await region.step('3h')
      assert.ok((await region.shows()).has(shown), `${shown}: ${[...await region.shows()].join()}`)
      const before = passes
      await region.step('87600h')
      assert.ok(passes - before < PASSES_A_CLUSTER * CLUSTERS, `${passes - before} passes`)
      assert.ok((await region.shows()).has(shown), `${shown} for ten years: ${[...await region.shows()].join()}`)
      await ends(region)
      await region.step(within)
      const now = await region.shows()
      assert.equal(now.has(then.replace('no ', '')), !then.startsWith('no '), `${then}: ${[...now].join()}`)
      if (!then.startsWith('no ') && then !== shown && !shown.startsWith('Node ')) assert.ok(!now.has(shown), `${shown} is over: ${[...now].join()}`)
    })
  }

  const LATER: readonly (readonly [wait: string, fault: object])[] = [
    ['an API server that dies', { Port: 'control-plane-host', Call: 'kube-apiserver', Effect: { Type: 'fail' } }],
    ['members that cannot be let in', { Port: 'tenant-cluster', Call: 'ensureMembers', Effect: { Type: 'fail' } }],
  ]
  for (const [index, [wait, fault]] of LATER.entries()) {
    test(`machines that are told to come later because of ${wait}`, async () => {
      const region = await Region.made(server, `waits-later-${index}`)
      await region.pools({ DesiredReplicas: 0 })
      await region.scaleUp()
      await region.step('3s')
      const [cause] = await region.faults([fault])
      await region.step('3h')
      assert.ok(refusals > 0)
      const before = refusals
      await region.step('87600h')
      assert.ok(refusals - before < 200 * CLUSTERS, `${refusals - before} times`)
      await region.call('ClearFault', { Id: cause })
      await region.step('10m')
      assert.ok((await region.shows()).has('Node Running/Ok'), [...await region.shows()].join())
    })
  }

  test('one look at pods that fails after ten healthy years keeps no machine from being made', async () => {
    const region = await Region.made(server, 'waits-one-look')
    await region.pools({ Enabled: true, DesiredReplicas: 0 })
    await region.step('87600h')
    await region.call('InjectFault', { Port: 'tenant-cluster', Call: 'room', Target: { Nth: 3 }, Effect: { Type: 'fail' } })
    await region.pods(9)
    await region.step('1h')
    const nodes = (await region.call('ListEdgeNodes', { PageSize: 100 })).Items ?? []
    assert.equal(new Set(nodes.map(({ ClusterId }) => ClusterId)).size, CLUSTERS)
  })

  /** Causes that keep what it begins from being there, each by a fault of its own, which it injects. */
  interface Wait { readonly wait: string; readonly faults: readonly object[]; readonly begins: (region: Region) => Promise<unknown>; readonly shown: string; readonly within?: string }
  const STOCK_OUT = { Port: 'machines', Call: 'ensure', Effect: { Type: 'fail', Code: 'StockOut' } }
  const NOT_INSTALLED = { Port: 'addon-installer', Call: 'ensure', Effect: { Type: 'fail' } }
  const REFUSED: Wait = { wait: 'machines that a fault refuses', faults: [STOCK_OUT], begins: region => region.pools({ DesiredReplicas: 2 }), shown: 'NodePool Running/StockOut' }
  const ADDON: Wait = { wait: 'an add-on that cannot be installed', faults: [NOT_INSTALLED], begins: async region => { await region.pools({}); await region.addons('CreateAddon') }, shown: 'Addon Failed/Unknown' }
  const TOLD: readonly Wait[] = [
    REFUSED, ADDON,
    { wait: 'a machine that cannot be taken back', faults: [{ Port: 'machines', Call: 'ensureGone', Effect: { Type: 'fail' } }, { Port: 'machines', Call: 'ensure', Effect: { Type: 'half' } }], begins: claimsLeft, shown: 'NodePool Running/ScalingFailed' },
    { wait: 'an add-on that cannot be removed', faults: [{ Port: 'addon-installer', Call: 'ensureGone', Effect: { Type: 'fail' } }], begins: async region => { await region.pools({}); await region.addons('CreateAddon'); await region.step('2m'); await region.addons('DeleteAddon') }, shown: 'Addon Failed/ResourceCleanupFailed' },
    // A machine is given up ten minutes after it was lost, and another one takes its time to join.
    { wait: 'machines that never join', faults: [{ Port: 'machines', Call: 'preflight', Effect: { Type: 'fail' } }], begins: async region => { await region.pools({ Enabled: true, DesiredReplicas: 0, MaxReplicas: 1 }); await region.pods(6) }, shown: 'Node Failed/InitializeFailed', within: '25m' },
  ]
  for (const [index, { wait, faults, begins, shown, within = '5m' }] of TOLD.entries()) {
    test(`${wait}, and another cause goes a minute before its own`, async () => {
      const region = await Region.made(server, `waits-twice-${index}`)
      const causes = await region.faults(faults), [other] = await region.faults([{ Port: 'tenant-cluster', Call: 'issueKubeconfig', Effect: { Type: 'fail' } }])
      await begins(region)
      await region.step('480h')
      assert.ok((await region.shows()).has(shown), [...await region.shows()].join())
      await region.call('ClearFault', { Id: other })
      await region.step('1m')
      for (const Id of causes) await region.call('ClearFault', { Id })
      await region.step(within)
      assert.ok(!(await region.shows()).has(shown), [...await region.shows()].join())
    })

    for (const waited of ['3h', '480h']) test(`${wait} for ${waited}, and its cause goes at the very instant of a try`, async () => {
      const region = await Region.made(server, `waits-${waited}-${index}`)
      const causes = await region.faults(faults)
      await begins(region)
      await region.step(waited)
      for (const before = await region.hits(); await region.hits() === before;) await region.stepTo(await nextDue(region))
      for (const Id of causes) await region.call('ClearFault', { Id })
      await region.step(within)
      assert.ok(!(await region.shows()).has(shown), [...await region.shows()].join())
    })
  }

  for (const { wait, faults, begins, shown } of [REFUSED, ADDON]) for (const isRunning of [false, true]) {
    test(`${wait} so many times, and is as soon as that count is used up${isRunning ? ' by a clock that runs' : ''}`, async () => {
      const region = await Region.made(server, `waits-counted-${faults === REFUSED.faults ? 'pool' : 'addon'}-${isRunning ? 'running' : 'paused'}`, 1)
      const Times = 50
      await region.faults(faults.map(fault => ({ ...fault, Times })))
      await begins(region)
      while (await region.hits() < Times - 1) await region.stepTo(await nextDue(region))
      assert.ok((await region.shows()).has(shown))
      if (isRunning) await region.call('SetClock', { Paused: false, Speed: 10 })
      while (await region.hits() < Times) await region.stepTo(await nextDue(region))
      if (isRunning) await region.call('SetClock', { Paused: true })
      await region.step('5m')
      assert.ok(!(await region.shows()).has(shown), [...await region.shows()].join())
    })
  }
})

/** A pool that is refused machines has one that is made half, and goes no more. */
async function claimsLeft(region: Region): Promise<void> {
  await region.call('SetStock', { Kind: 'Machine', Count: 0 })
  await region.pools({ DesiredReplicas: 2 })
  await region.call('SetStock', { Kind: 'Machine', Unlimited: true })
}

const quiet = () => {}
const QUIET = { debug: quiet, info: quiet, warn: quiet, error: quiet, child: () => QUIET }

/** A region with its clusters, all of which wait for the same. */
class Region {
  readonly #server: SimulatedServer
  readonly name: string
  readonly #clusters: string[] = []

  private constructor(server: SimulatedServer, name: string) {
    this.#server = server
    this.name = name
  }

  static async made(server: SimulatedServer, name: string, clusters = CLUSTERS): Promise<Region> {
    const region = new Region(server, name)
    await server.done('CreateRegion', { Region: name, Seed: 7, Paused: true })
    for (let number = 0; number < clusters; number++) {
      const ranges = { PodsConfig: { PodNetworkMode: 'Flannel', FlannelConfig: { PodCidrs: [`172.${20 + number}.0.0/16`] } }, ServicesConfig: { ServiceCidrsv4: [`10.${20 + number}.0.0/20`] } }
      region.#clusters.push((await region.call('CreateCluster', { ...ANY_CLUSTER, ...ranges, Name: `shop-${number}` })).Id ?? '')
    }
    await region.step('2m')
    return region
  }

  call(action: string, body: object = {}): ReturnType<SimulatedServer['done']> {
    return this.#server.done(action, body, this.name)
  }

  /** Resolves when it is done, however long that takes. */
  async step(Step: string): Promise<void> {
    for (let clock = await this.call('SetClock', { Step }); clock['Behind'] !== undefined;) clock = await this.call('SetClock', { Step: '0s' })
  }

  /** As far as that instant. */
  async stepTo(at: number): Promise<void> {
    await this.step(`${Math.max(0, at - Date.parse(String((await this.call('GetClock'))['Now'])))}ms`)
  }

  /** Their ids. */
  async faults(orders: readonly object[]): Promise<readonly (string | undefined)[]> {
    return await Promise.all(orders.map(async order => (await this.call('InjectFault', order)).Id))
  }

  /** How often faults have struck. */
  async hits(): Promise<number> {
    return ((await this.call('ListFaults')).Items ?? []).reduce((sum, { Hits }) => sum + Number(Hits ?? 0), 0)
  }

  async pools(scaling: object): Promise<void> {
    const AutoScaleConfig = { Enabled: false, MinReplicas: 0, MaxReplicas: 5, DesiredReplicas: 1, Priority: 10, ...scaling }
    for (const ClusterId of this.#clusters) await this.call('CreateEdgeNodePool', { ClusterId, Name: 'burst', NodePoolType: 'edge-machine-pool', ElasticConfig: { CloudServerIdentity: 'c1', AutoScaleConfig, InstanceArea: { AreaName: 'north' } } })
    await this.step('3m')
  }

  async scaleUp(): Promise<void> {
    for (const { ClusterId, Id } of (await this.call('ListEdgeNodePools', { PageSize: 100 })).Items ?? []) await this.call('ScaleUpEdgeNodePool', { ClusterId, NodePoolId: Id, DesiredReplicas: 1 })
  }

  async pods(Pods: number): Promise<void> {
    for (const ClusterId of this.#clusters) await this.call('SetWorkload', { ClusterId, Name: 'web', Pods, Cpu: '1' })
    await this.step('5m')
  }

  fault(Port: string, Call: string | undefined, Type = 'fail'): Promise<unknown> {
    return this.call('InjectFault', { Port, ...Call !== undefined && { Call }, Effect: { Type } })
  }

  cured(): Promise<unknown> {
    return this.call('ClearFault', { All: true })
  }

  async addons(action: string): Promise<void> {
    for (const ClusterId of this.#clusters) await this.call(action, { ClusterId, Name: 'ingress-nginx' })
  }

  async deleteNodes(): Promise<void> {
    for (const { ClusterId, NodePoolId, Id } of (await this.call('ListEdgeNodes', { PageSize: 100 })).Items ?? []) await this.call('DeleteEdgeNodes', { ClusterId, NodePoolId, Ids: [Id], CascadingDeleteResources: ['Ecs'] })
  }

  async kubeconfigs(): Promise<void> {
    for (const ClusterId of this.#clusters) await this.call('CreateKubeconfig', { ClusterId, Type: 'Private' })
    await this.step('1m')
  }

  async deleteKubeconfigs(): Promise<void> {
    for (const { ClusterId, Id } of (await this.call('ListKubeconfigs', { PageSize: 100 })).Items ?? []) await this.call('DeleteKubeconfigs', { ClusterId, Ids: [Id] })
  }

  async deleteClusters(): Promise<void> {
    for (const Id of this.#clusters) await this.call('DeleteCluster', { Id, CascadingDeleteResources: ['All'] })
  }

  /** Whatever anything of it shows, as `Cluster Running/Ok`. */
  async shows(): Promise<ReadonlySet<string>> {
    const shown = await Promise.all(([['Cluster', 'ListClusters'], ['NodePool', 'ListEdgeNodePools'], ['Node', 'ListEdgeNodes'], ['Addon', 'ListAddons']] as const).map(async ([kind, list]) => ((await this.call(list, { PageSize: 100 })).Items ?? []).map(item => `${kind} ${pairOf(item)}`)))
    const kubeconfigs = (await this.call('ListKubeconfigs', { PageSize: 100 })).Items ?? []
    return new Set([...shown.flat(), ...kubeconfigs.map(({ Kubeconfig }) => `Kubeconfig ${Kubeconfig ? 'made' : 'not made'}`)])
  }
}
