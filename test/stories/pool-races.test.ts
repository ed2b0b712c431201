import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Scaling } from '#model/node-pool/record.ts'
import { Scene } from '../harness/world/scene.ts'
import { shows } from '../harness/world/users.ts'
import { ACCOUNT, REGION } from '../harness/world.ts'

const MINUTE = 60_000
const SCALING: Scaling = { enabled: false, minReplicas: 0, maxReplicas: 20, desiredReplicas: 5, sentDesiredReplicas: 5, priority: 10 }

/** That many passes over each of the keys, all begun at once; one that comes too late ends quietly and would run again. */
async function together(scene: Scene, keys: readonly (readonly [kind: string, id: string])[], times: number): Promise<void> {
  const { store, host, tenant, machines } = scene.world
  const passes = Array.from({ length: times }).flatMap(() => {
    const controllers = new Map(scene.world.controllersOver({ store, host, tenant, machines }).map(controller => [controller.kind as string, controller]))
    return keys.map(([kind, id]) => controllers.get(kind)!.reconcile(id, new AbortController().signal))
  })
  for (const outcome of await Promise.allSettled(passes)) {
    if (outcome.status === 'rejected') assert.equal((outcome.reason as { kind?: string }).kind, 'StaleRevision', String(outcome.reason))
  }
}

test('fifty passes at once over a pool, its nodes and its machines make each machine once', async () => {
  const scene = await Scene.begin(), { world: { store, machines } } = scene
  const cluster = await scene.runningCluster()
  const pool = await scene.users.createPool(cluster, { type: 'edge-machine-pool', scaling: SCALING })
  await together(scene, [['node-pool', pool]], 50)
  const claimed = await store.nodesOf({ nodePoolId: pool })
  assert.equal(claimed.length, 5)
  const keys = claimed.flatMap(node => [['machine', node.spec.machine!], ['node', node.id]] as const)
  await together(scene, [...keys, ['node-pool', pool]], 50)
  assert.deepEqual([machines.made.size, (await store.listLedger({ accountId: ACCOUNT, region: REGION }, { kinds: ['Machine'] }, { number: 1, size: 1000 })).items.length], [5, 5])
  await scene.pool(pool, 'Running Ok', 2 * MINUTE)
  assert.equal((await store.nodesOf({ nodePoolId: pool })).length, 5)
  await scene.end()
})

test('what the autoscaler gives back leaves MinReplicas Running, whoever takes nodes away at the same time', async () => {
  const scene = await Scene.begin(), { world, users } = scene
  const cluster = await scene.runningCluster()
  const pool = await users.createPool(cluster, { type: 'edge-machine-pool', scaling: { ...SCALING, enabled: true, minReplicas: 2, desiredReplicas: 0, sentDesiredReplicas: 0 } })
  world.tenant.inside(cluster).workload = 8
  const running = async () => (await world.store.nodesOf({ nodePoolId: pool })).filter(node => shows(node) === 'Running Ok')
  await world.until('four are Running', async () => (await running()).length === 4, 3 * MINUTE)
  world.tenant.inside(cluster).workload = 0
  await world.pass(10 * MINUTE)
  const four = await running()
  assert.equal(four.length, 4, 'two of them are about to go')
  await world.until('they are ripe', async () => Object.values((await world.store.findNodePool(pool))!.facts.idle ?? {}).some(since => world.clock.now() - since >= 10 * MINUTE - 15_000), MINUTE)
  world.clock.moveTo(world.clock.now() + 20_000)
  await Promise.all([users.deleteNodes([four[0]!.id], 'Destroy'), together(scene, [['node-pool', pool]], 10)])
  const left = await world.store.nodesOf({ nodePoolId: pool })
  assert.ok(left.filter(node => !node.facts.deletion).length >= 2, 'the one that a caller took is not counted as Running any more')
  assert.equal(left.filter(node => node.facts.deletion?.by === 'scaling').length, 1)
  await scene.end()
})

for (const look of [1, 2]) {
  test(`a node of another pool that comes to run right after pods were looked at for the ${look === 1 ? 'first' : 'second'} time is no machine too many`, async () => {
    const scene = await Scene.begin(), { world, users } = scene, { store, host, tenant, machines } = world
    const cluster = await scene.runningCluster(), scaling = { ...SCALING, enabled: true, desiredReplicas: 0, sentDesiredReplicas: 0 }
    const first = await users.createPool(cluster, { type: 'edge-machine-pool', name: 'first', scaling: { ...scaling, desiredReplicas: 1, maxReplicas: 2, priority: 50 } })
    const second = await users.createPool(cluster, { type: 'edge-machine-pool', name: 'second', scaling: { ...scaling, enabled: false } })
    await scene.pool(second, 'Running Ok')
    const members = async (nodePoolId: string) => (await store.nodesOf({ nodePoolId })).map(shows).sort().join()
    await world.until('one node runs', async () => (await members(first)) === 'Running Ok', 2 * MINUTE)
    tenant.inside(cluster).workload = 6
    await world.until('one node comes', async () => (await members(first)) === 'Creating Progressing,Running Ok', MINUTE)
    const { spec } = (await store.findNodePool(second))!
    await store.write(world.clock.now(), async tx => {
      await tx.lockCluster(cluster)
      await tx.lockNodePool(second)
      await tx.changeNodePool(second, { spec: { ...spec, scaling } }, { evidence: [], operation: 'UpdateEdgeNodePoolConfig' })
    })
    let looks = 0
    const slow = new Proxy(tenant, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name, target)
        if (name !== 'room') return typeof member === 'function' ? member.bind(target) : member
        return async (...given: Parameters<NonNullable<typeof tenant.room>>) => {
          const seen = await target.room(...given)
          if (++looks === look) await world.until('it runs', async () => (await members(first)) === 'Running Ok,Running Ok', MINUTE)
          return seen
        }
      },
    })
    const pools = world.controllersOver({ store, host, tenant: slow, machines }).find(({ kind }) => kind === 'node-pool')!
    await pools.reconcile(second, new AbortController().signal)
    assert.deepEqual([looks >= look, await members(second)], [true, 'Creating Progressing'])
    await world.pass(5 * MINUTE)
    assert.deepEqual([await members(first), await members(second)], ['Running Ok,Running Ok', 'Running Ok'])
    await scene.end()
  })
}

test('passes over many keys at once come to the same as one by one, and make each machine once', async () => {
  const ends = await Promise.all([true, false].map(async together => {
    const scene = await Scene.begin(), { world } = scene
    world.sharesPasses = together
    world.machines.stock = 7
    const cluster = await scene.runningCluster()
    const pool = await scene.users.createPool(cluster, { type: 'edge-machine-pool', scaling: { ...SCALING, desiredReplicas: 8 } })
    await scene.pool(pool, 'Running StockOut', 2 * MINUTE)
    world.machines.stock = 5
    await scene.pool(pool, 'Running Ok', 5 * MINUTE)
    const nodes = await world.store.nodesOf({ nodePoolId: pool })
    await world.machines.crash(nodes[0]!.spec.machine!)
    await scene.users.deleteNodes([nodes[1]!.id], 'Destroy')
    await world.pass(20_000)
    const history = await world.store.listHistory({ accountId: ACCOUNT, region: REGION }, { kinds: ['Node'] }, { number: 1, size: 1000 })
    const end = [(await world.store.nodesOf({ nodePoolId: pool })).map(shows).sort(), world.machines.made.size, history.items.map(row => `${row.status?.phase} ${row.rule}`).sort(), world.errors]
    await scene.end()
    return end
  }))
  assert.deepEqual(ends[0], ends[1])
})
