/** The server is killed at random moments of creating, joining and deleting; after a start everything is as if it had not been. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { until } from '#test/harness/command.ts'
import { leftOnHost } from '#test/harness/left-on-host.ts'
import { MINUTE, Place, SECOND } from '#test/harness/place.ts'
import { passes, seededMoments } from '#test/harness/seed.ts'

describe('the server killed at random moments', () => {
  let place: Place
  let moment: ReturnType<typeof seededMoments>
  let clusterId = ''
  let poolId = ''
  let onboardingId = ''
  let machineId = ''

  before(async () => {
    place = await Place.make()
    moment = seededMoments(text => process.stdout.write(`${text}\n`))
    await place.up()
  })
  after(() => place.remove())

  /** Kills the server after a while and starts it again, so many times. */
  async function killAndStart(times: number, longestMs: number): Promise<void> {
    for (let round = 0; round < times; round++) {
      const wait = moment(0, longestMs)
      await passes(wait)
      await place.killServer()
      process.stdout.write(`killed after ${wait} ms\n`)
      await place.up()
    }
  }

  for (const round of [1, 2, 3]) {
    test(`creating a cluster, round ${round}: the same cluster gets Running, with one control plane`, async () => {
      const { Id } = await place.call('CreateCluster', place.clusterOrder(`shop-${round}`, round))
      await killAndStart(round, 8 * SECOND)
      await place.reaches('the cluster', () => place.cluster(Id), 'Running/Ok', 2 * MINUTE, Id)
      await place.assertOneControlPlane(Id)
      await place.assertNeverFailed(Id)
      await place.assertLedgerEqualsHost()
      if (round === 1) clusterId = Id
    })
  }

  for (const round of [2, 3]) {
    test(`deleting a cluster, round ${round}: it goes, and nothing of it stays`, async () => {
      const cluster = (await place.client.all('ListClusters')).find(each => each.Name === `shop-${round}`)
      assert.ok(cluster)
      await place.call('DeleteCluster', { Id: cluster.Id, CascadingDeleteResources: ['All'] })
      await killAndStart(round - 1, 3 * SECOND)
      await place.reaches('the cluster', () => place.cluster(cluster.Id), 'absent', 2 * MINUTE, cluster.Id)
      await place.assertNeverFailed(cluster.Id)
      await place.assertLedgerEqualsHost()
      assert.ok(!place.onHost().clusters.includes(cluster.Id))
    })
  }

  test('making a machine: it is made once', async () => {
    poolId = await place.createPool(clusterId, 'counters')
    onboardingId = await place.createOnboarding(clusterId, poolId)
    machineId = (await place.call('AddMachine', { Name: 'till-1' })).Id
    await killAndStart(1, SECOND)
    await until('the machine to be made', async () => (await place.call('ListMachines', {})).Items[0]?.Made, MINUTE)
    await place.assertLedgerEqualsHost()
    assert.deepEqual(place.onHost().machines, [machineId])
  })

  test('joining: the script run again goes on with the same node, and it gets Running', async () => {
    for (const longest of [2 * SECOND, 8 * SECOND]) {
      const cut = place.client.call('SetMachine', { Id: machineId, RunScript: onboardingId }, { timeoutMs: 2 * MINUTE }).catch((error: unknown) => error)
      await killAndStart(1, longest)
      await cut
    }
    const nodes = (await place.call('ListEdgeNodes', { Filter: { ClusterIds: [clusterId] } })).Items
    // The machine goes on without a server: the script of before may still run there, and then says so.
    const ran = await until('the script to run once more', async () => {
      const again = await place.client.call('SetMachine', { Id: machineId, RunScript: onboardingId }, { timeoutMs: 3 * MINUTE })
      return !(again.Output ?? '').includes('runs on this machine already') && again
    }, 2 * MINUTE)
    assert.equal(ran.ExitCode, 0, ran.Output ?? '')
    await place.reaches('the node', () => place.node(clusterId, 'till-1'), 'Running/Ok', 2 * MINUTE)
    const now = (await place.call('ListEdgeNodes', { Filter: { ClusterIds: [clusterId] } })).Items
    assert.equal(now.length, 1, 'one machine, one node')
    if (nodes[0]) assert.equal(now[0]?.Id, nodes[0].Id, 'the node of the first run')
    await place.reaches('the pool', () => place.pool(poolId), 'Running/Ok', 10 * SECOND, poolId)
    await place.reaches('the cluster', () => place.cluster(clusterId), 'Running/Ok', 10 * SECOND, clusterId)
    for (const id of [now[0]?.Id ?? '', poolId, clusterId]) await place.assertNeverFailed(id)
    await place.assertLedgerEqualsHost()
  })

  test('a running fleet: a dead server changes nothing, and a new one adopts everything', async () => {
    const before = place.allPids().filter(pid => pid !== place.serverPid())
    const node = (await place.call('ListEdgeNodes', {})).Items[0]
    assert.ok(node)
    const rows = (await place.history(node.Id)).length
    await killAndStart(2, SECOND)
    await place.assertOneControlPlane(clusterId)
    const etcd = place.componentPids(clusterId, 'etcd')[0] ?? 0
    assert.ok(before.includes(etcd), 'the components are the same processes')
    assert.equal(await place.node(clusterId, 'till-1'), 'Running/Ok')
    assert.equal((await place.history(node.Id)).length, rows, 'no status changed')
  })

  test('deleting a node, a pool and the cluster: each goes, and nothing of ours stays', async () => {
    const node = (await place.call('ListEdgeNodes', {})).Items[0]
    assert.ok(node)
    await place.call('DeleteEdgeNodes', { ClusterId: clusterId, NodePoolId: poolId, Ids: [node.Id] })
    await killAndStart(2, SECOND)
    await place.reaches('the node', () => place.node(clusterId, 'till-1'), 'absent', 3 * MINUTE, node.Id)
    await place.call('DeleteNodePool', { ClusterId: clusterId, Id: poolId, CascadingDeleteResources: ['Ecs'] })
    await killAndStart(1, SECOND / 2)
    await place.reaches('the pool', () => place.pool(poolId), 'absent', MINUTE, poolId)
    await place.call('DeleteCluster', { Id: clusterId, CascadingDeleteResources: ['All'] })
    await killAndStart(1, SECOND)
    await place.reaches('the cluster', () => place.cluster(clusterId), 'absent', 2 * MINUTE, clusterId)
    await place.call('RemoveMachine', { Id: machineId })
    await killAndStart(1, SECOND)
    await until('the machine to be gone', async () => (await place.call('ListMachines', {})).TotalCount === 0, MINUTE)
    for (const id of [node.Id, poolId, clusterId]) await place.assertNeverFailed(id)
    assert.deepEqual(place.onHost(), { clusters: [], machines: [] })
    await place.assertLedgerEqualsHost()
    await place.down(true)
    assert.deepEqual(await leftOnHost(place.state), [])
  })
})
