/** Scenarios in a region that the caller names, and in a cluster of it. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { KillableServers } from '#test/harness/killed-servers.ts'
import type { SimulatedServer } from '#test/harness/simulated-server.ts'

const NAME = 'node-failed-not-ready', IN = { Name: NAME, In: 'own-1' }, ROW = { Kind: 'Node', Phase: 'Failed', Condition: 'NotReady' }
const CLUSTER = {
  Name: 'shop', Profile: 'Edge', ClusterConfig: { SubnetIds: ['subnet-1'] },
  PodsConfig: { PodNetworkMode: 'Flannel', FlannelConfig: { PodCidrs: ['172.27.0.0/16'] } }, ServicesConfig: { ServiceCidrsv4: ['172.26.0.0/20'] },
}

describe('a scenario in a region that is named', () => {
  let servers: KillableServers, server: SimulatedServer
  beforeEach(async () => {
    servers = new KillableServers()
    server = (await servers.open()).server
  })
  afterEach(() => servers.close())

  const isPaused = async () => (await server.done('GetClock', {}, 'own-1'))['Paused']

  test('a scenario in a cluster that is there makes no other, and all of it happens there', async () => {
    await server.done('CreateRegion', { Region: 'own-1', Seed: 5, StartAt: '2026-01-05T08:00:00Z', Paused: true })
    const { Id: On } = await server.done('CreateCluster', CLUSTER, 'own-1')
    await server.done('SetClock', { Step: '2m' }, 'own-1')
    const played = await server.done('RunScenario', { ...IN, On, StopAt: ROW })
    assert.equal(played['Stopped'], true)
    assert.equal((await server.done('ListClusters', {}, 'own-1')).TotalCount, 1)
    const pools = (await server.done('ListEdgeNodePools', {}, 'own-1')).Items ?? []
    assert.deepEqual(pools.map(pool => pool['ClusterId']), [On])
    assert.equal((played['Story'] as { readonly Text: string }[]).some(({ Text }) => Text.startsWith('CreateCluster')), false)
  })

  test('a scenario that is about how its cluster is made takes no other cluster', async () => {
    await server.done('CreateRegion', { Region: 'own-1', Seed: 5, Paused: true })
    const { Id: On } = await server.done('CreateCluster', CLUSTER, 'own-1')
    for (const Name of ['cluster-creating-progressing', 'cluster-failed-create-error']) assert.equal((await server.call('RunScenario', { Name, In: 'own-1', On })).code, 'InvalidParameter.On')
  })

  test('a clock that ran runs on after a story that was told to its end or refused, and stands still where it was stopped at a row', async () => {
    await server.done('CreateRegion', { Region: 'own-1', Seed: 5, StartAt: '2026-01-05T08:00:00Z', Paused: false, Speed: 2 })
    await server.done('RunScenario', IN)
    assert.deepEqual([await isPaused(), (await server.done('GetClock', {}, 'own-1'))['Speed']], [false, 2])
    assert.equal((await server.call('RunScenario', { ...IN, Name: 'node-stopped-ok' })).code, 'Conflict.Name')
    assert.equal(await isPaused(), false)
    await server.done('DeleteCluster', { Id: String((await server.done('ListClusters', {}, 'own-1')).Items?.[0]?.['Id']), CascadingDeleteResources: ['All'] }, 'own-1')
    await server.done('SetClock', { Paused: true, Step: '20m' }, 'own-1')
    await server.done('SetClock', { Paused: false }, 'own-1')
    for (const { Id } of (await server.done('ListMachines', {}, 'own-1')).Items ?? []) await server.done('RemoveMachine', { Id }, 'own-1')
    assert.equal((await server.done('RunScenario', { ...IN, StopAt: ROW }))['Stopped'], true)
    assert.equal(await isPaused(), true)
  })

  test('a call of a scenario that a fault refuses is told in the words of that fault', async () => {
    await server.done('CreateRegion', { Region: 'own-1', Seed: 5, StartAt: '2026-01-05T08:00:00Z', Paused: true })
    await server.done('InjectFault', { Port: 'api', Call: 'CreateEdgeNodePool', Effect: { Type: 'fail', Code: 429 } }, 'own-1')
    const { code, message = '' } = await server.call('RunScenario', IN)
    assert.equal(code, 'FlowLimitExceeded')
    assert.match(message, /^The fault \S+ refuses CreateEdgeNodePool/)
  })

  test('each call that joined a play is given its story again by its token, and no other call is', async () => {
    await server.done('CreateRegion', { Region: 'own-1', Seed: 5, StartAt: '2026-01-05T08:00:00Z', Paused: true })
    const [one, other] = await Promise.all(['a', 'b'].map(ClientToken => server.done('RunScenario', { ...IN, ClientToken })))
    assert.deepEqual(one, other)
    for (const ClientToken of ['b', 'a', 'b']) assert.deepEqual(await server.done('RunScenario', { ...IN, ClientToken }), one)
    assert.equal((await server.call('RunScenario', { ...IN, Seed: 9, ClientToken: 'a' })).code, 'IdempotentParameterMismatch')
    assert.deepEqual(await server.done('RunScenario', { ...IN, ClientToken: 'a' }), one)
  })

  test('a clock that stood still stands still afterwards', async () => {
    await server.done('CreateRegion', { Region: 'own-1', Seed: 5, StartAt: '2026-01-05T08:00:00Z', Paused: true })
    await server.done('RunScenario', IN)
    assert.equal(await isPaused(), true)
  })
})
