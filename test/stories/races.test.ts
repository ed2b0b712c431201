import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Scene } from '../harness/world/scene.ts'
import { shows } from '../harness/world/users.ts'
import type { WorldPorts } from '../harness/world.ts'

/** Two processes on one store, each call of a port let through in any order. */
async function race(scheduler: fc.Scheduler, scene: Scene, keys: readonly [kind: string, id: string][], passes: number): Promise<void> {
  const slow = <Port extends object>(port: Port): Port => new Proxy(port, { get: (target, name) => {
    const value: unknown = Reflect.get(target, name, target)
    if (typeof value !== 'function') return value
    // Within a transaction nothing interleaves: its own calls go straight through.
    return ['live', 'isReady', 'isUp', 'inside'].includes(String(name)) ? value.bind(target) : scheduler.scheduleFunction(async (...given: unknown[]) => value.apply(target, given))
  } })
  const { store, host, tenant, machines } = scene.world
  const ports: WorldPorts = { store: slow(store), host: slow(host), tenant: slow(tenant), machines: slow(machines) }
  const worker = async (): Promise<void> => {
    const controllers = new Map(scene.world.controllersOver(ports).map(controller => [controller.kind as string, controller]))
    for (let pass = 0; pass < passes; pass++) {
      for (const [kind, id] of keys) {
        try {
          await controllers.get(kind)!.reconcile(id, new AbortController().signal)
        } catch (error) {
          assert.equal((error as { kind?: string }).kind, 'StaleRevision', String(error))
        }
      }
    }
  }
  await scheduler.waitFor(Promise.all([worker(), worker()]))
}

test('two processes that create one cluster make one, whatever the order of their calls', async () => {
  await fc.assert(fc.asyncProperty(fc.scheduler(), async scheduler => {
    const scene = await Scene.begin()
    const id = await scene.users.createCluster()
    await race(scheduler, scene, [['cluster', id]], 4)
    const ledger = await scene.world.store.listLedger({ accountId: '2100000001', region: 'local-1' }, {}, { number: 1, size: 100 })
    assert.deepEqual([scene.world.host.made.size, ledger.items.length], [1, 3])
    await scene.cluster(id, 'Running Ok')
    await scene.end()
  }), { numRuns: 10 })
})

test('two processes that take one down leave nothing, and forget no node before its time', async () => {
  await fc.assert(fc.asyncProperty(fc.scheduler(), async scheduler => {
    const scene = await Scene.begin(), { users, world } = scene
    const { cluster, pool, node } = await scene.runningNode()
    await users.deleteNodes([node])
    await users.deletePool(pool)
    await race(scheduler, scene, [['node', node], ['node-pool', pool]], 7)
    assert.deepEqual([shows(await world.store.findNode(node)), shows(await world.store.findNodePool(pool))], ['gone', 'gone'])
    assert.deepEqual([world.tenant.inside(cluster).members, [...world.tenant.inside(cluster).nodes.keys()]], [[], []])
    await users.deleteCluster(cluster)
    await race(scheduler, scene, [['cluster', cluster]], 3)
    assert.deepEqual([await world.store.findCluster(cluster), world.host.made.size], [undefined, 0])
    await scene.end()
  }), { numRuns: 5 })
})
