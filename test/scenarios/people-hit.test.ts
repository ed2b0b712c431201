/** What people met elsewhere and told of, each played by public calls in a simulated region of its own: what is asked for, and what goes wrong with it. */
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { ApiError } from '#client/errors.ts'
import { RootlessServer } from '#test/harness/rootless-server.ts'
import { pairOf, SteppedRegion } from '#test/harness/stepped-region.ts'

describe('what people hit elsewhere', () => {
  let server: RootlessServer, region: SteppedRegion, count = 0
  before(async () => { server = await RootlessServer.start() })
  after(() => server.remove())
  beforeEach(async () => {
    const { Region } = await server.client().call('CreateRegion', { Region: `hit-${++count}`, Seed: 1, Paused: true })
    region = new SteppedRegion(server.client(Region))
  })
  afterEach(() => server.client().call('DeleteRegion', { Region: region.name }))

  test('a node pool that cannot be deleted because its cluster\'s API is already gone', async () => {
    const { cluster, pool } = await region.scriptNode()
    await region.call('InjectFault', { Port: 'control-plane-host', Call: 'kube-apiserver', Effect: { Type: 'fail', Message: 'etcdserver: no space' } })
    await region.step('3s')
    await region.call('DeleteNodePool', { ClusterId: cluster, Id: pool, RetainResources: [], CascadingDeleteResources: ['Ecs'] })
    await region.step('2m')
    assert.deepEqual([await region.pool(pool), await region.cluster(cluster)], ['absent', 'Failed/Unknown'], 'a pool that is asked to go goes, whatever became of the API')
    // Another one is asked to go only then: the product takes that call for no cluster that has failed, and the cluster's own deletion takes all pools along.
    await region.call('ClearFault', { All: true })
    await region.step('2m')
    const second = await region.elasticPool(cluster)
    await region.step('90s')
    assert.deepEqual(await region.nodes(second), ['Running/Ok'])
    await region.call('InjectFault', { Port: 'control-plane-host', Call: 'data', Effect: { Type: 'fail', Message: 'the disk is lost' } })
    await region.step('11m')
    assert.equal(await region.cluster(cluster), 'Failed/Unknown')
    const refused = await region.refused('DeleteNodePool', { ClusterId: cluster, Id: second, RetainResources: [], CascadingDeleteResources: ['Ecs'] })
    assert.deepEqual([refused.code, /Failed,\[Unknown\]/.test(refused.message)], ['OperationDenied.ClusterStatus', true])
    await region.call('DeleteCluster', { Id: cluster, CascadingDeleteResources: ['All'] })
    await region.step('3m')
    assert.deepEqual([await region.pool(second), await region.cluster(cluster)], ['absent', 'absent'])
    const held = (await region.client.all('ListLedger')).map(entry => `${entry.Kind} ${entry.Owner.Kind}`)
    assert.deepEqual(held, ['Machine Machine'], 'the machine that ran a script is its owner\'s; nothing else is left')
  })

  test('a status that stays bad after the cause was cured', async () => {
    const { pool, machine, node } = await region.scriptNode()
    const kubelet = await region.call('InjectFault', { Port: 'machines', Call: 'kubelet', Effect: { Type: 'fail', Message: 'PLEG is not healthy' } })
    await region.step('30s')
    assert.deepEqual(await region.nodes(pool), ['Failed/NotReady'])
    assert.match((await region.call('ExplainStatus', { Id: node.Id })).Because, /PLEG is not healthy/)
    await region.call('ClearFault', { Id: kubelet.Id })
    await region.step('30s')
    assert.deepEqual(await region.nodes(pool), ['Running/Ok'])
    await region.call('SetMachine', { Id: machine, Power: 'off' })
    await region.step('30s')
    await region.call('SetMachine', { Id: machine, Power: 'on' })
    await region.step('60s')
    assert.deepEqual(await region.nodes(pool), ['Running/Ok'])
    const told = (await region.told(node.Id)).map(change => pairOf(change.Status))
    assert.deepEqual(told.filter((pair, index) => pair !== told[index - 1]), ['Creating/Progressing', 'Running/Ok', 'Failed/NotReady', 'Running/Ok', 'Failed/NotReady', 'Running/Ok'])
  })

  test('heartbeats that flap for ten minutes are no transition; one silence of 70 s is exactly one, and one back', async () => {
    const { machine, node } = await region.scriptNode()
    const before = (await region.told(node.Id)).length
    for (let gone = 0; gone < 600; gone += 50) {
      await region.step('35s')
      await region.call('SetMachine', { Id: machine, Link: 'cut' })
      await region.step('15s')
      await region.call('SetMachine', { Id: machine, Link: 'up' })
    }
    assert.equal((await region.told(node.Id)).length, before, 'it flapped inside the grace time')
    await region.step('60s')
    await region.call('SetMachine', { Id: machine, Link: 'cut' })
    await region.step('70s')
    await region.call('SetMachine', { Id: machine, Link: 'up' })
    await region.step('10m')
    assert.deepEqual((await region.told(node.Id)).slice(before).map(change => pairOf(change.Status)), ['Failed/NotReady', 'Running/Ok'])
  })

  test('an add-on on a cluster without nodes says so within seconds, and runs by itself once a node is there', async () => {
    const cluster = await region.runningCluster(), pool = await region.staticPool(cluster), script = await region.script(cluster, pool), machine = await region.machine('till-1')
    await region.call('CreateAddon', { ClusterId: cluster, Name: 'ingress-nginx' })
    await region.step('10s')
    assert.equal(await region.addon(cluster, 'ingress-nginx'), 'Failed/SchedulingFailed')
    assert.match((await region.call('ExplainStatus', { Id: `${cluster}:ingress-nginx` })).Because, /0 schedulable nodes/)
    await region.call('SetMachine', { Id: machine, RunScript: script })
    await region.step('3m')
    assert.equal(await region.addon(cluster, 'ingress-nginx'), 'Running/Ok')
  })

  test('fifty parallel creates with one ClientToken make one cluster; another Name with that token is a mismatch; after deletion the token is free', async () => {
    const ClientToken = 'apply-4711'
    const answers = await Promise.all(Array.from({ length: 50 }, () => region.createCluster({ ClientToken })))
    const [first] = answers
    assert.deepEqual(answers, Array.from({ length: 50 }, () => first))
    assert.equal((await region.client.all('ListClusters')).length, 1)
    const mismatch = await region.createCluster({ ClientToken, Name: 'other' }).then(() => assert.fail('it was accepted'), (error: unknown) => error as ApiError)
    assert.match(`${mismatch.code} ${mismatch.message}`, /ClientToken/)
    await region.step('90s')
    await region.call('DeleteCluster', { Id: first?.Id, CascadingDeleteResources: ['All'] })
    await region.step('5m')
    assert.equal(await region.cluster(first?.Id ?? ''), 'absent')
    const { Id } = await region.createCluster({ ClientToken, Name: 'other' })
    assert.notEqual(Id, first?.Id)
  })

  test('joining after the script\'s time is over because region time ran ahead: the refusal says Now', async () => {
    const cluster = await region.runningCluster(), pool = await region.staticPool(cluster), script = await region.script(cluster, pool, 1), machine = await region.machine('till-1')
    await region.step('61m')
    const { code, message } = await region.refused('SetMachine', { Id: machine, RunScript: script })
    assert.equal(code, 'OperationDenied.Machine')
    assert.ok(message.includes(`it is ${new Date(await region.now()).toISOString().slice(0, 19)}Z now`), message)
    await region.step('2m')
    assert.deepEqual(await region.nodes(pool), [])
    const now = await region.now()
    await region.call('UpdateBatchEdgeMachine', { NodeId: script, ExpirationDate: Math.floor(now / 1000) + 3600 })
    await region.call('SetMachine', { Id: machine, RunScript: script })
    await region.step('60s')
    assert.deepEqual(await region.nodes(pool), ['Running/Ok'])
  })

  test('a creation that takes longer than the client waits, then succeeds', async () => {
    await region.call('InjectFault', { Port: 'outside', Call: 'ensure', Effect: { Type: 'slow', For: '5m' } })
    await region.call('InjectFault', { Port: 'api', Call: 'CreateCluster', Effect: { Type: 'slow', For: '1500ms' }, Times: 1 })
    const ClientToken = 'patient', sent = { Name: 'shop', Profile: 'Edge', ClusterConfig: { SubnetIds: ['subnet-1'] }, PodsConfig: { PodNetworkMode: 'Flannel', FlannelConfig: { PodCidrs: ['172.27.0.0/16'] } }, ServicesConfig: { ServiceCidrsv4: ['172.26.0.0/20'] }, ClientToken }
    await assert.rejects(region.client.call('CreateCluster', sent, { timeoutMs: 300 }), { kind: 'NoAnswer' })
    const { Id } = await region.call('CreateCluster', sent)
    await region.step('90s', '8m')
    assert.equal(await region.cluster(Id), 'Creating/Progressing', 'a client that waits for nine minutes has given up by now')
    await region.step('10m')
    assert.equal(await region.cluster(Id), 'Running/Ok')
    assert.deepEqual((await region.client.all('ListClusters')).map(cluster => cluster.Id), [Id])
  })

  test('a cluster stuck Updating because one machine never ends to join locks nobody out', async () => {
    const { cluster, pool, script } = await region.scriptNode()
    await region.call('InjectFault', { Port: 'machines', Call: 'download', Effect: { Type: 'hang', For: '24h' } })
    const machine = await region.machine('till-2')
    await region.call('SetMachine', { Id: machine, RunScript: script })
    await region.step('2m')
    assert.deepEqual([await region.cluster(cluster), await region.pool(pool)], ['Updating/Progressing', 'Scaling/Progressing'])
    await region.call('CreateAddon', { ClusterId: cluster, Name: 'ingress-nginx' })
    await region.call('UpdateClusterConfig', { Id: cluster, Description: 'while one is stuck' })
    await region.call('CreateEdgeNodePool', { ClusterId: cluster, Name: 'second' })
    await region.step('15m')
    assert.deepEqual(await region.nodes(pool), ['Failed/InitializeFailed', 'Running/Ok'])
    assert.deepEqual([await region.cluster(cluster), await region.pool(pool)], ['Running/Ok', 'Running/Ok'])
  })
})
