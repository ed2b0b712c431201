import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Scene } from '../harness/world/scene.ts'
import { Users } from '../harness/world/users.ts'
import { ACCOUNT, REGION } from '../harness/world.ts'

const SECOND = 1_000, MINUTE = 60 * SECOND

describe('a node', () => {
  test('of a machine that lost its power by itself is NotReady at once', async () => {
    const scene = await Scene.begin()
    const { node, box } = await scene.runningNode()
    await scene.world.machines.crash(box)
    await scene.node(node, 'Failed NotReady', 100)
    await scene.users.orderMachine(box, { power: 'on' })
    await scene.node(node, 'Running Ok', 5 * SECOND)
    await scene.end()
  })

  test('that was off and on again within the grace time comes back, though its Ready never turned', async () => {
    const scene = await Scene.begin(), { world: { store } } = scene
    const { node, box } = await scene.runningNode()
    const before = (await store.findNode(node))!.facts.ready!.since
    await scene.world.machines.crash(box)
    await scene.world.pass(3 * SECOND)
    await scene.users.orderMachine(box, { power: 'on' })
    await scene.node(node, 'Failed NotReady', SECOND)
    await scene.node(node, 'Running Ok', 5 * SECOND)
    assert.equal((await store.findNode(node))!.facts.ready!.since, before)
    await scene.end()
  })

  test('of a machine that was switched off and removed never shows as Running on its way', async () => {
    const scene = await Scene.begin(), { world: { store } } = scene
    const { node, box } = await scene.runningNode()
    await scene.users.orderMachine(box, { power: 'off' })
    await scene.node(node, 'Failed NotReady', SECOND)
    await scene.users.orderMachine(box, { deletionRequestedAt: scene.world.clock.now() })
    await scene.world.until('the machine is gone', async () => await store.findMachine(box) === undefined)
    await scene.world.pass(2 * MINUTE)
    const { items } = await store.listHistory({ accountId: ACCOUNT, region: REGION }, { ids: [node] }, { number: 1, size: 100 })
    assert.deepEqual(items.map(row => row.status?.phase).toReversed(), ['Creating', 'Running', 'Failed', 'Failed'])
    const { said } = (await store.findNode(node))!
    assert.match(said.because, /was removed from its region and is off since/)
    assert.deepEqual([items[0]?.rule, items[0]?.because], [said.rule, said.because], 'history and record say the same')
    await scene.end()
  })

  test('is not called NotReady while nobody sees, only marked', async () => {
    const scene = await Scene.begin(), { world: { store, tenant } } = scene
    const { node } = await scene.runningNode()
    tenant.blind = true
    await scene.world.until('it is marked', async () => (await store.findNode(node))!.facts.staleSince !== undefined, 10 * SECOND)
    await scene.node(node, 'Running Ok', SECOND)
    tenant.blind = false
    await scene.world.until('the mark is gone', async () => (await store.findNode(node))!.facts.staleSince === undefined, 10 * SECOND)
    await scene.end()
  })

  test('is given one grace time to be heard after its API was away', async () => {
    const scene = await Scene.begin(), { world: { store, tenant, clock } } = scene
    const { cluster, node } = await scene.runningNode()
    tenant.blind = true
    await scene.world.pass(MINUTE)
    const inside = tenant.inside(cluster), seen = inside.nodes.get('shop-1')!
    const silent = { ...seen, ready: { status: 'Unknown' as const, since: clock.now(), reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.' } }
    inside.nodes.set('shop-1', silent)
    tenant.blind = false
    await scene.world.pass(40 * SECOND)
    await scene.node(node, 'Running Ok', SECOND)
    await scene.node(node, 'Failed NotReady', 15 * SECOND)
    await tenant.setNode(cluster, seen)
    await scene.node(node, 'Running Ok', SECOND)
    assert.equal((await store.findNode(node))!.facts.staleSince, undefined)
    await scene.end()
  })

  test('that does not join in 15 minutes has failed; the same machine may still come', async () => {
    const scene = await Scene.begin()
    const cluster = await scene.runningCluster(), pool = await scene.users.createPool(cluster), box = await scene.users.addMachine('shop-1')
    await scene.pool(pool, 'Running Ok')
    const node = await scene.users.runScript(box, cluster, pool, 'shop-1')
    await scene.world.pass(15 * MINUTE - SECOND)
    await scene.node(node, 'Creating Progressing', 0)
    await scene.node(node, 'Failed InitializeFailed', 2 * SECOND)
    await scene.pool(pool, 'Running Ok', 0)
    await scene.world.kubelets.register(box, cluster, 'shop-1')
    await scene.node(node, 'Running Ok', SECOND)
    await scene.end()
  })

  test('does not lose its time to a cluster that is down', async () => {
    const scene = await Scene.begin(), { world: { host, store } } = scene
    const cluster = await scene.runningCluster(), pool = await scene.users.createPool(cluster), box = await scene.users.addMachine('shop-1')
    const node = await scene.users.runScript(box, cluster, pool, 'shop-1')
    host.made.get(cluster)!.dies.set('kube-apiserver', 'no')
    host.end(cluster, 'kube-apiserver', { code: 1 })
    await scene.world.pass(20 * MINUTE)
    await scene.node(node, 'Creating Progressing', 0)
    host.made.get(cluster)!.dies.clear()
    await scene.world.until('the cluster is back', async () => (await store.findCluster(cluster))!.facts.controlPlane === 'usable', 20 * MINUTE)
    await scene.world.pass(14 * MINUTE)
    await scene.node(node, 'Creating Progressing', 0)
    await scene.node(node, 'Failed InitializeFailed', 2 * MINUTE)
    await scene.end()
  })

  test('whose name fell off the members\' list is put on it again', async () => {
    const scene = await Scene.begin(), { world: { tenant } } = scene
    const cluster = await scene.runningCluster(), pool = await scene.users.createPool(cluster), box = await scene.users.addMachine('shop-1')
    await scene.users.runScript(box, cluster, pool, 'shop-1')
    tenant.inside(cluster).members = []
    await scene.world.until('the kubelet is admitted', () => scene.world.kubelets.register(box, cluster, 'shop-1'), 15 * SECOND)
    await scene.end()
  })

  test('that was deleted while the API was away has its Node object taken off afterwards', async () => {
    const scene = await Scene.begin(), { world: { tenant } } = scene
    const { cluster, node } = await scene.runningNode()
    tenant.blind = true
    await scene.users.deleteNodes([node])
    await scene.node(node, 'gone', 70 * SECOND)
    tenant.blind = false
    await scene.world.until('the Node object and the member are gone', async () => tenant.inside(cluster).nodes.size === 0 && tenant.inside(cluster).members.length === 0, 10 * SECOND)
    await scene.end()
  })

  test('that is deleted is emptied for two minutes at most, and not at all if its machine is off', async () => {
    const scene = await Scene.begin(), { world: { tenant, clock } } = scene
    const { cluster, pool, node } = await scene.runningNode()
    tenant.inside(cluster).pods.set('shop-1', 1_000)
    const began = clock.now()
    await scene.users.deleteNodes([node])
    await scene.node(node, 'gone', 3 * MINUTE)
    assert.ok(clock.now() - began >= 2 * MINUTE)
    const second = await scene.join(cluster, pool, 'shop-2')
    tenant.inside(cluster).pods.set('shop-2', 1_000)
    await scene.users.orderMachine(second.box, { power: 'off' })
    await scene.world.pass(MINUTE)
    await scene.users.deleteNodes([second.node])
    await scene.node(second.node, 'gone', 5 * SECOND)
    await scene.end()
  })

  test('whose removal only ever meets errors is Failed at its deadline, with its pool, and is tried on', async () => {
    const scene = await Scene.begin(), { world: { store, tenant } } = scene
    const { pool, node } = await scene.runningNode()
    tenant.refusal = new Error('nodes "shop-1" is forbidden: the webhook deny.example.com says no')
    await scene.users.deletePool(pool)
    await scene.world.pass(3 * MINUTE + 50 * SECOND)
    await scene.node(node, 'Deleting Progressing', SECOND)
    await scene.node(node, 'Failed ResourceCleanupFailed', 70 * SECOND)
    assert.match((await store.findNode(node))!.said.because, /^The node shop-1 could not be removed since .*: getNode failed: nodes "shop-1" is forbidden: the webhook deny\.example\.com says no$/)
    await scene.pool(pool, 'Failed ResourceCleanupFailed', 70 * SECOND)
    await scene.world.until('the pool names it', async () => /Node shop-1 is still there: The node shop-1 could not be removed/.test((await store.findNodePool(pool))!.said.because), 2 * MINUTE)
    tenant.refusal = undefined
    await scene.pool(pool, 'gone', 4 * MINUTE)
    await scene.end()
  })

  test('of a pool that is updated while it is off gets the labels when it is heard of, and the pool does not wait', async () => {
    const scene = await Scene.begin(), { world: { tenant, store } } = scene
    const { cluster, pool, node, box } = await scene.runningNode()
    await scene.users.orderMachine(box, { power: 'off' })
    await scene.node(node, 'Failed NotReady')
    await scene.users.updatePool(pool, { labels: [{ key: 'site', value: 'front' }] })
    await scene.pool(pool, 'Running Ok', 5 * SECOND)
    await scene.world.until('its Node object has them', async () => tenant.inside(cluster).nodes.get('shop-1')?.labels['site'] === 'front', 5 * SECOND)
    assert.equal((await store.findNode(node))!.said.status.phase, 'Failed')
    await scene.world.until('the pool says no more that it is without them', async () => (await store.findNodePool(pool))!.said.rule === 'works', 5 * SECOND)
    const { items } = await store.listHistory({ accountId: ACCOUNT, region: REGION }, { ids: [pool] }, { number: 1, size: 2 })
    assert.match(items[1]?.because ?? '', /its labels and taints are not on shop-1: /)
    await scene.end()
  })

  test('survives the server: sights are stale while it is away and whole when it is back', async () => {
    const scene = await Scene.begin(), { world } = scene
    const { node, box } = await scene.runningNode()
    await world.stop()
    assert.equal((await world.store.sights('KubernetesNode', [node]))[0]?.stale, true)
    await world.machines.crash(box)
    await world.start()
    await scene.node(node, 'Failed NotReady', SECOND)
    await scene.end()
  })

  test('joins another life of its machine after it was removed, under the same name', async () => {
    const scene = await Scene.begin()
    const { cluster, pool, node, box } = await scene.runningNode()
    await scene.users.deleteNodes([node])
    await scene.node(node, 'gone')
    const again = await scene.users.runScript(box, cluster, pool, 'shop-1')
    assert.ok(await scene.world.kubelets.register(box, cluster, 'shop-1'))
    await scene.node(again, 'Running Ok', SECOND)
    await scene.end()
  })
})

test('nothing is written while nothing changes', async () => {
  let writes = 0
  const scene = await Scene.begin(ports => ({ ...ports, store: new Proxy(ports.store, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target)
      if (name === 'write') writes++
      return typeof value === 'function' ? value.bind(target) : value
    },
  }) }))
  await scene.runningNode()
  await scene.world.pass(5 * SECOND)
  writes = 0
  const passes = scene.world.passes
  await scene.world.pass(10 * MINUTE)
  assert.equal(writes, 0)
  assert.ok(scene.world.passes - passes <= 21, `${scene.world.passes - passes} passes in ten minutes: only the probe of the cluster`)
  await scene.end()
})

test('who joins while the pool is being deleted goes with it', async () => {
  const scene = await Scene.begin(), users = new Users(scene.world)
  const { cluster, pool } = await scene.runningNode()
  await users.deletePool(pool)
  const late = await users.runScript(await users.addMachine('shop-2'), cluster, pool, 'shop-2')
  await scene.pool(pool, 'gone', 20 * SECOND)
  assert.equal(await scene.world.store.findNode(late), undefined)
  await scene.end()
})
