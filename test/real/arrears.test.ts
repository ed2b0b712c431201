import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { ApiError } from '#client/errors.ts'
import { until } from '#test/harness/command.ts'
import { COMPONENTS, MINUTE, pair, Place, SECOND } from '#test/harness/place.ts'
import { leftOnHost } from '#test/harness/left-on-host.ts'
import { missingForControlPlanes } from './control-plane-harness.ts'

const RUNNING = 'Running/Ok'
/** 12 s of grace instead of two hours. */
const GRACE_MINUTES = '0.2'

suite('arrears of the local region stop Kubernetes and boxes, and paying starts them again', { skip: missingForControlPlanes() ?? false, timeout: 480_000 }, () => {
  let place: Place
  let cluster: string
  let pool: string
  let node: { readonly id: string; readonly name: string }
  let machine: string

  before(async () => {
    place = await Place.make({ EDGEHOLD_GRACE_MINUTES: GRACE_MINUTES })
    await place.up()
    cluster = await place.createCluster('shop', 1)
    const ElasticConfig = { CloudServerIdentity: 'box', AutoScaleConfig: { Enabled: false, MinReplicas: 0, MaxReplicas: 1, DesiredReplicas: 1, Priority: 10 }, InstanceArea: { AreaName: 'here' } }
    pool = (await place.call('CreateEdgeNodePool', { ClusterId: cluster, Name: 'elastic', NodePoolType: 'edge-machine-pool', ElasticConfig })).Id
    await place.reaches('the pool\'s nodes', nodes, RUNNING, 2 * MINUTE, pool)
    const [found] = await place.client.all('ListEdgeNodes', { Filter: { NodePoolIds: [pool] } }), [box] = await place.client.all('ListMachines', {})
    assert.ok(found && box)
    node = { id: found.Id, name: found.Name }
    machine = box.Id
    await place.reaches('core-dns', coreDns, RUNNING, MINUTE)
  })
  after(async () => { await place?.remove() })

  const nodes = async () => (await place.client.all('ListEdgeNodes', { Filter: { NodePoolIds: [pool] } })).map(each => pair(each.Status)).join()
  const coreDns = async () => pair((await place.client.all('ListAddons', { Filter: { ClusterIds: [cluster], Names: ['core-dns'] } }))[0]?.Status)
  const power = async () => (await place.client.all('ListMachines', {})).map(each => each.Power).join()
  /** Without what comes twice in a row, oldest first. */
  const pairsSince = async (id: string, from: number) => (await place.history(id)).toReversed().filter(row => Date.parse(row.At) >= from).map(row => pair(row.Status)).filter((shown, index, all) => shown !== all[index - 1])

  test('an account whose grace time is over has its cluster stopped, its box off, and every child says why', async () => {
    await place.assertOneControlPlane(cluster)
    const from = Date.now()
    await place.call('SetBalance', { Amount: 0 })
    await place.reaches('the cluster', () => place.cluster(cluster), 'Stopped/Balance', MINUTE, cluster)
    assert.ok(Date.now() - from >= 12 * SECOND, 'not before the grace time is over')
    for (const component of COMPONENTS) assert.deepEqual([component, ...place.componentPids(cluster, component), ...place.supervisorPids(cluster, component)], [component])
    await place.reaches('the node', nodes, 'Failed/Balance', MINUTE, node.id)
    assert.deepEqual([await power(), place.machinePids(machine, 'kubelet'), place.machinePids(machine, 'containerd')], ['off', [], []])
    await place.reaches('the pool', () => place.pool(pool), 'Failed/ClusterNotRunning', 10 * SECOND, pool)
    await place.reaches('core-dns', coreDns, 'Failed/ClusterNotRunning', 10 * SECOND)
    assert.match(await place.because(cluster), /The account is in arrears past its grace time/)
    assert.match(await place.because(node.id), /arrears/)
    assert.deepEqual(await pairsSince(cluster, from), ['Stopped/Balance'])
    assert.equal((await pairsSince(node.id, from)).at(-1), 'Failed/Balance')
    process.stdout.write(`the node was ${(await pairsSince(node.id, from)).join(', ')}\n`)
  })

  test('a change is refused meanwhile, with the reason and since when', async () => {
    for (const [action, body] of [
      ['CreateEdgeNodePool', { ClusterId: cluster, Name: 'second' }],
      ['CreateCluster', place.clusterOrder('other', 2)],
      ['ScaleUpEdgeNodePool', { ClusterId: cluster, NodePoolId: pool, DesiredReplicas: 1 }],
    ] as const) {
      const refused = await place.call(action, body).then(() => undefined, (error: unknown) => error)
      assert.ok(refused instanceof ApiError, action)
      assert.equal(refused.code, 'OperationDenied.Balance', `${action}: ${refused.message}`)
      assert.match(refused.message, /since \d{4}-\d\d-\d\dT/, action)
    }
  })

  test('who pays has all of it again, by itself', async () => {
    const from = Date.now()
    await place.call('SetBalance', { Amount: 1000 })
    await place.reaches('the cluster', () => place.cluster(cluster), RUNNING, MINUTE, cluster)
    assert.deepEqual(await pairsSince(cluster, from), ['Starting/Progressing', RUNNING])
    await place.reaches('the node', nodes, RUNNING, MINUTE, node.id)
    await place.reaches('the pool', () => place.pool(pool), RUNNING, 10 * SECOND, pool)
    await place.reaches('core-dns', coreDns, RUNNING, MINUTE)
    await place.assertOneControlPlane(cluster)
    assert.match(await place.kubectl('shop', 'get', 'nodes', '--no-headers'), new RegExp(`^${node.name} +Ready`))
    const [same] = await place.client.all('ListEdgeNodes', { Filter: { NodePoolIds: [pool] } })
    assert.deepEqual([same?.Id, (await place.client.all('ListMachines', {})).map(each => each.Id)], [node.id, [machine]], 'the same node on the same box')
    await place.assertLedgerEqualsHost()
  })

  test('then all of it can be deleted, and nothing is left', async () => {
    await place.deleteCluster(cluster)
    await until('the box to be gone', async () => place.onHost().machines.length === 0, 10 * SECOND)
    assert.deepEqual([place.onHost(), await place.client.all('ListLedger'), await place.client.all('ListMachines', {})], [{ clusters: [], machines: [] }, [], []])
    await place.down(true)
    assert.deepEqual(await leftOnHost(place.state), [])
  })
})
