import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { MemoryWorldStore } from '#providers/simulated/store/memory-world-store.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { SimulatedServer } from '#test/harness/simulated-server.ts'

const CLUSTER = {
  Name: 'shop', Profile: 'Edge', ClusterConfig: { SubnetIds: ['subnet-shop'] },
  PodsConfig: { PodNetworkMode: 'Flannel', FlannelConfig: { PodCidrs: ['172.27.0.0/16'] } }, ServicesConfig: { ServiceCidrsv4: ['172.26.0.0/20'] },
}

/** A node that is {Failed,[InitializeFailed]} by its fifteen minutes, and whose machine comes all the same. */
describe('a machine that comes later than its fifteen minutes', () => {
  let server: SimulatedServer, number = 0
  before(async () => {
    const store = new MemoryStore(() => Date.now())
    server = await SimulatedServer.open({ store, queue: store.queue, worldStore: new MemoryWorldStore() })
  })
  after(() => server.close())

  async function story(call: string, fault: object = { Port: 'machines', Call: call, Effect: { Type: 'slow', For: '20m' } }): Promise<{ readonly pairs: readonly string[]; readonly reasons: readonly string[]; readonly exits: readonly string[] }> {
    const region = `late-${++number}`
    const done = (action: string, body: object = {}) => server.done(action, body, region)
    await server.done('CreateRegion', { Region: region, Seed: 7, Paused: true })
    const { Id: cluster } = await done('CreateCluster', CLUSTER)
    await done('SetClock', { Step: '60s' })
    await done('InjectFault', fault)
    await done('CreateEdgeNodePool', {
      ClusterId: cluster, Name: 'burst', NodePoolType: 'edge-machine-pool',
      ElasticConfig: { CloudServerIdentity: 'c1', AutoScaleConfig: { Enabled: false, MinReplicas: 0, MaxReplicas: 5, DesiredReplicas: 1, Priority: 10 }, InstanceArea: { AreaName: 'north' } },
    })
    await done('SetClock', { Step: '16m' })
    const { Items: [node] = [] } = await done('ListEdgeNodes')
    const { Exits } = await done('ExplainStatus', { Id: node?.['Id'] }) as unknown as { Exits: readonly { readonly What: string }[] }
    await done('SetClock', { Step: '10m' })
    const told = (await server.history(region)).filter(({ Kind }) => Kind === 'Node')
    return { pairs: told.map(({ Status }) => `${Status?.Phase} ${Status?.Conditions[0]?.Type}`), reasons: told.map(({ Because }) => Because), exits: Exits.map(({ What }) => What) }
  }

  test('its script, run late, takes the failure back, and the node has its time anew', async () => {
    const { pairs, reasons, exits } = await story('boot')
    assert.deepEqual(pairs, ['Creating Progressing', 'Failed InitializeFailed', 'Creating Progressing', 'Running Ok'])
    assert.match(reasons[1] ?? '', /^It was no Ready member 15 min after its machine was there: the step boot, begun at \S+Z, had not ended after 15 min; its system is coming up$/)
    assert.match(reasons[2] ?? '', /the step download is under way since \S+Z: it was admitted and fetches its programs$/)
    assert.deepEqual(exits, ['It becomes a Ready member of the cluster after all.', 'DeleteEdgeNodes'], 'one that a pool ordered is told to begin no second time')
  })

  test('a script that was begun in time and ends late makes a Ready member, and is one of the ways out that were told', async () => {
    const { pairs, exits } = await story('download')
    assert.deepEqual(pairs, ['Creating Progressing', 'Failed InitializeFailed', 'Running Ok'])
    assert.ok(exits.includes('It becomes a Ready member of the cluster after all.'))
  })

  test('a script that is told to come again has the time of one run, and not that of each try', async () => {
    const { pairs, reasons } = await story('', { Port: 'tenant-cluster', Call: 'issueBootstrapToken', Effect: { Type: 'fail' }, Until: '2026-12-01T00:20:00Z' })
    assert.deepEqual(pairs, ['Creating Progressing', 'Failed InitializeFailed', 'Running Ok'], reasons.join('\n'))
  })
})
