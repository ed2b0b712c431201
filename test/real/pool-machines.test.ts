import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { until } from '#test/harness/command.ts'
import { MINUTE, Place, SECOND } from '#test/harness/place.ts'
import { missingForControlPlanes } from './control-plane-harness.ts'

const RUNNING = 'Running/Ok'

suite('a pool of the local region makes its boxes by itself', { skip: missingForControlPlanes() ?? false, timeout: 480_000 }, () => {
  let place: Place
  let cluster: string
  let pool: string

  const config = (desired: number) => ({ CloudServerIdentity: 'box', AutoScaleConfig: { Enabled: false, MinReplicas: 0, MaxReplicas: 2, DesiredReplicas: desired, Priority: 10, Mode: 'Recycle' }, InstanceArea: { AreaName: 'here' } })
  const nodes = async () => (await place.client.all('ListEdgeNodes', { Filter: { NodePoolIds: [pool] } })).map(node => ({ id: node.Id, name: node.Name, shows: `${node.Status.Phase}/${node.Status.Conditions.map(condition => condition.Type).join('+')}` }))
  const shown = async (): Promise<string> => (await nodes()).map(node => node.shows).sort().join()
  const comes = (to: string, deadlineMs: number): Promise<void> => place.reaches('the pool\'s nodes', shown, to, deadlineMs, pool)
  const owned = async () => (await place.client.all('ListMachines', {})).filter(machine => machine.OwnedBy !== undefined)

  before(async () => {
    place = await Place.make()
    await place.up()
    cluster = await place.createCluster('shop', 1)
  })
  after(async () => { await place?.remove() })

  test('one that is wanted is made, joins by its first boot, and is Running', async () => {
    pool = (await place.call('CreateEdgeNodePool', { ClusterId: cluster, Name: 'elastic', NodePoolType: 'edge-machine-pool', ElasticConfig: config(1) })).Id
    await comes(RUNNING, 2 * MINUTE)
    await place.reaches('the pool', () => place.pool(pool), RUNNING, 10 * SECOND)
    const [node] = await nodes(), [machine] = await owned()
    assert.deepEqual([machine?.NodeId, machine?.Name, machine?.Power], [node?.id, node?.name, 'on'])
    assert.match(node?.name ?? '', /^elastic-/)
    assert.match(await place.kubectl('shop', 'get', 'nodes', '--no-headers'), new RegExp(`^${node?.name} +Ready`))
    await place.assertNeverFailed(node?.id ?? '')
  })

  test('one that is wanted no more is switched off and kept, and started again when it is', async () => {
    const [before] = await nodes(), [machine] = await owned()
    await place.call('ScaleUpEdgeNodePool', { ClusterId: cluster, NodePoolId: pool, DesiredReplicas: 0 })
    // Its pods leave it first.
    await comes('Stopped/Ok', MINUTE)
    await place.reaches('the pool', () => place.pool(pool), RUNNING, 10 * SECOND)
    await place.call('ScaleUpEdgeNodePool', { ClusterId: cluster, NodePoolId: pool, DesiredReplicas: 1 })
    await comes(RUNNING, MINUTE)
    assert.deepEqual([(await nodes())[0]?.id, (await owned())[0]?.Id], [before?.id, machine?.Id])
    const phases = (await place.history(before?.id ?? '')).map(row => row.Status?.Phase)
    for (const phase of ['Stopping', 'Stopped', 'Starting']) assert.ok(phases.includes(phase), `${phase} among ${phases.join()}`)
    await place.assertNeverFailed(before?.id ?? '')
  })

  test('one beyond the quota is not made, and is once there is room for it', async () => {
    await place.call('SetQuota', { Kind: 'Machine', Limit: 1 })
    await place.call('ScaleUpEdgeNodePool', { ClusterId: cluster, NodePoolId: pool, DesiredReplicas: 2 })
    await place.reaches('the pool', () => place.pool(pool), 'Running/LimitedByQuota', 30 * SECOND)
    assert.equal(place.onHost().machines.length, 1)
    assert.deepEqual(await place.client.all('ListQuotas', {}), [{ Kind: 'Machine', Limit: 1, Held: 1 }])
    await place.call('SetQuota', { Kind: 'Machine', Unlimited: true })
    await comes(`${RUNNING},${RUNNING}`, 2 * MINUTE)
    await place.reaches('the pool', () => place.pool(pool), RUNNING, 10 * SECOND)
    assert.equal(place.onHost().machines.length, 2)
  })

  test('and goes with its pool, box and all', async () => {
    await place.call('DeleteNodePool', { ClusterId: cluster, Id: pool, CascadingDeleteResources: ['Ecs'] })
    await place.reaches('the pool', () => place.pool(pool), 'absent', MINUTE, pool)
    await until('the box is gone', async () => place.onHost().machines.length === 0, 10 * SECOND)
    await place.assertLedgerEqualsHost()
  })

  test('one of a pool with Cordon is closed from its first moment, by its kubelet and then as Kubernetes has it', async () => {
    pool = (await place.call('CreateEdgeNodePool', { ClusterId: cluster, Name: 'closed', NodePoolType: 'edge-machine-pool', KubernetesConfig: { Cordon: true, Taints: [{ Key: 'gpu', Value: 'yes', Effect: 'NoSchedule' }] }, ElasticConfig: config(1) })).Id
    await comes('Running/Unschedulable', 2 * MINUTE)
    const [node] = await nodes(), id = node?.id ?? ''
    const pairs = (await place.history(id)).map(({ Status }) => `${Status?.Phase}/${Status?.Conditions.map(({ Type }) => Type).join('+')}`)
    assert.deepEqual([...new Set(pairs)].sort(), ['Creating/Progressing', 'Running/Unschedulable'])
    const { spec } = JSON.parse(await place.kubectl('shop', 'get', 'node', node?.name ?? '', '-o', 'json')) as { readonly spec: { readonly unschedulable?: boolean; readonly taints?: readonly { readonly key: string }[] } }
    assert.deepEqual([spec.unschedulable, spec.taints?.map(({ key }) => key).sort()], [true, ['gpu', 'node.kubernetes.io/unschedulable']])
    await place.call('SetNodeSchedulable', { Id: id, Schedulable: true })
    await comes(RUNNING, 30 * SECOND)
    await place.call('DeleteNodePool', { ClusterId: cluster, Id: pool, CascadingDeleteResources: ['Ecs'] })
    await place.reaches('the pool', () => place.pool(pool), 'absent', MINUTE, pool)
    await place.deleteCluster(cluster)
  })
})
