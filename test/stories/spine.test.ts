import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Users, shows } from '../harness/world/users.ts'
import { ACCOUNT, REGION, World } from '../harness/world.ts'

const SECOND = 1_000, MINUTE = 60 * SECOND
const SCOPE = { accountId: ACCOUNT, region: REGION }

test('the whole way: create, join, power off and on, cut and heal, cordon, delete', async () => {
  const world = new World(), users = new Users(world), { store, clock } = world
  await world.start()
  const clusterShows = (id: string, what: string, within?: number) => world.until(`cluster ${what}`, async () => shows(await store.findCluster(id)) === what, within)
  const nodeShows = (id: string, what: string, within?: number) => world.until(`node ${what}`, async () => shows(await store.findNode(id)) === what, within)

  const began = clock.now()
  const cluster = await users.createCluster()
  await clusterShows(cluster, 'Creating Progressing')
  await clusterShows(cluster, 'Running Ok')
  assert.ok(clock.now() - began <= 3_200, `usable after 3.0 s, Running after ${clock.now() - began} ms`)
  const ledger = await store.listLedger(SCOPE, {}, { number: 1, size: 100 })
  assert.deepEqual(ledger.items.map(({ kind, state }) => `${kind} ${state}`).sort(), ['Address Held', 'ControlPlane Held', 'Network Held'])

  const pool = await users.createPool(cluster)
  assert.equal(shows(await store.findCluster(cluster)), 'Updating Progressing')
  await world.until('the pool is Running', async () => shows(await store.findNodePool(pool)) === 'Running Ok')
  assert.equal(shows(await store.findCluster(cluster)), 'Running Ok')

  const box = await users.addMachine('shop-1')
  await world.until('the machine is there', async () => (await store.findMachine(box))?.machineId !== undefined)
  const node = await users.runScript(box, cluster, pool, 'shop-1')
  assert.deepEqual([shows(await store.findNode(node)), shows(await store.findNodePool(pool)), shows(await store.findCluster(cluster))], ['Creating Progressing', 'Scaling Progressing', 'Updating Progressing'])
  await world.pass(SECOND)
  assert.ok(await world.kubelets.register(box, cluster, 'shop-1'))
  await nodeShows(node, 'Running Ok', SECOND)
  assert.deepEqual([shows(await store.findNodePool(pool)), shows(await store.findCluster(cluster))], ['Running Ok', 'Running Ok'])
  assert.deepEqual(world.host.made.get(cluster)?.routes, [{ podCidr: '10.0.1.0/24', via: '10.213.4.1' }])

  await users.orderMachine(box, { power: 'off' })
  await nodeShows(node, 'Failed NotReady', SECOND)
  assert.equal((await store.findNode(node))?.said.rule, 'its machine is off')
  await world.pass(MINUTE)
  await users.orderMachine(box, { power: 'on' })
  await world.until('the power is on again', async () => (await store.findNode(node))?.facts.power?.state === 'on')
  assert.equal(shows(await store.findNode(node)), 'Failed NotReady')
  await nodeShows(node, 'Running Ok', 5 * SECOND)

  await users.orderMachine(box, { link: 'cut' })
  await nodeShows(node, 'Failed NotReady', 45 * SECOND)
  const { said } = (await store.findNode(node))!
  assert.equal(said.rule, 'its heartbeats stopped')
  assert.match(said.because, /the last one came at .*, and Kubernetes marked it Unknown at .*; the power of machine shop-1 is on since .*its network link is cut since /)
  assert.match(said.evidence[0]?.fact ?? '', /the network link is cut since /)
  await users.orderMachine(box, { link: 'up' })
  await nodeShows(node, 'Running Ok', 5 * SECOND)

  const inside = world.tenant.inside(cluster)
  await world.tenant.setNode(cluster, { ...inside.nodes.get('shop-1')!, unschedulable: true })
  await nodeShows(node, 'Running Unschedulable', SECOND)
  await world.tenant.setNode(cluster, { ...inside.nodes.get('shop-1')!, unschedulable: false })
  await nodeShows(node, 'Running Ok', SECOND)

  await users.updatePool(pool, { labels: [{ key: 'site', value: 'front' }] })
  assert.equal(shows(await store.findNodePool(pool)), 'Updating Progressing')
  await world.until('the label is there', async () => inside.nodes.get('shop-1')?.labels['site'] === 'front', 5 * SECOND)
  await world.until('the pool is Running', async () => shows(await store.findNodePool(pool)) === 'Running Ok', 5 * SECOND)
  await users.updatePool(pool, { labels: [] })
  await world.until('the label is gone', async () => inside.nodes.get('shop-1')?.labels['site'] === undefined, 5 * SECOND)
  await world.until('the pool is Running', async () => shows(await store.findNodePool(pool)) === 'Running Ok', 5 * SECOND)
  assert.equal(shows(await store.findNode(node)), 'Running Ok')

  inside.pods.set('shop-1', 3)
  await users.deleteNodes([node])
  assert.deepEqual([shows(await store.findNode(node)), shows(await store.findNodePool(pool))], ['Deleting Progressing', 'Scaling Progressing'])
  await nodeShows(node, 'gone', 10 * SECOND)
  assert.deepEqual([inside.members, [...inside.nodes.keys()], inside.pods.get('shop-1')], [[], [], 0])
  assert.equal((await store.machineSecretsOf(cluster))[0]?.state, 'removed')
  assert.equal(await world.kubelets.register(box, cluster, 'shop-1'), false, 'a removed machine stays removed')

  await users.deletePool(pool)
  await world.until('the pool is gone', async () => shows(await store.findNodePool(pool)) === 'gone', 5 * SECOND)
  await users.deleteCluster(cluster)
  assert.equal(shows(await store.findCluster(cluster)), 'Deleting Progressing')
  await clusterShows(cluster, 'gone', 10 * SECOND)
  await users.orderMachine(box, { deletionRequestedAt: clock.now() })
  await world.until('the machine is gone', async () => await store.findMachine(box) === undefined)

  assert.deepEqual([world.host.made.size, world.machines.made.size, (await store.listLedger(SCOPE, {}, { number: 1, size: 100 })).items], [0, 0, []])
  assert.equal(await store.readSecret(`cluster/${cluster}/pki`), undefined)
  assert.deepEqual(world.errors, [])
  await world.stop()

  const history = (await store.listHistory(SCOPE, { ids: [node] }, { number: 1, size: 100 })).items.toReversed()
  assert.deepEqual(history.map(row => row.status ? `${row.status.phase} ${row.status.conditions.join()}` : 'gone'), [
    'Creating Progressing', 'Running Ok', 'Failed NotReady', 'Failed NotReady', 'Running Ok', 'Failed NotReady', 'Running Ok', 'Running Unschedulable', 'Running Ok',
    'Updating Progressing', 'Running Ok', 'Updating Progressing', 'Running Ok', 'Deleting Progressing', 'gone',
  ])
})
