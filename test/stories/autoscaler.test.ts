import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { NodePoolSpec, Scaling } from '#model/node-pool/record.ts'
import { Scene } from '../harness/world/scene.ts'
import { shows } from '../harness/world/users.ts'
import { ACCOUNT, REGION } from '../harness/world.ts'

const SECOND = 1_000, MINUTE = 60 * SECOND
const SCOPE = { accountId: ACCOUNT, region: REGION }, ALL = { number: 1, size: 1_000 }

function scaled(more: Partial<Scaling> = {}): Partial<NodePoolSpec> {
  return { type: 'machine-set', scaling: { enabled: true, minReplicas: 1, maxReplicas: 4, desiredReplicas: 1, sentDesiredReplicas: 1, priority: 10, ...more } }
}

/** A Running cluster with pools that scale, and pods in halves of nodes. */
class Scaled {
  readonly scene: Scene
  readonly cluster: string

  private constructor(scene: Scene, cluster: string) {
    this.scene = scene
    this.cluster = cluster
  }

  static async begin(): Promise<Scaled> {
    const scene = await Scene.begin()
    return new Scaled(scene, await scene.runningCluster())
  }

  get world() {
    return this.scene.world
  }

  pool(more: Partial<Scaling> = {}, name = 'counters'): Promise<string> {
    return this.scene.users.createPool(this.cluster, { ...scaled(more), name })
  }

  workload(pods: number): void {
    this.world.tenant.inside(this.cluster).workload = pods
  }

  async shows(pool: string): Promise<string[]> {
    return (await this.world.store.nodesOf({ nodePoolId: pool })).map(shows).sort()
  }

  async comes(pool: string, to: readonly string[], withinMs = 3 * MINUTE): Promise<void> {
    await this.world.until(`members ${to.join()}`, async () => (await this.shows(pool)).join() === [...to].sort().join(), withinMs)
  }

  async resize(pool: string, change: Partial<Scaling>): Promise<void> {
    const { spec } = (await this.world.store.findNodePool(pool))!
    await this.scene.users.updatePool(pool, { scaling: { ...spec.scaling!, ...change } })
  }
}

const running = (count: number): string[] => Array.from({ length: count }, () => 'Running Ok')

describe('the autoscaler', () => {
  test('brings room for pods that wait, says why, and takes it back when nodes have been empty for ten minutes', async () => {
    const scaled = await Scaled.begin(), pool = await scaled.pool(), { world } = scaled
    await scaled.comes(pool, running(1))
    scaled.workload(6)
    const says = async () => (await world.store.findNodePool(pool))!.said.because
    await world.until('it says why', async () => /its autoscaler wants 3 of them: 4 pods, web-0 among them, found no room on the nodes of its cluster at /.test(await says()))
    await scaled.comes(pool, running(3))
    assert.equal((await world.store.findNodePool(pool))!.facts.autoscaler?.target, 3)
    await world.pass(20 * MINUTE)
    assert.match(await says(), /its autoscaler wants 3 of them: its other nodes carry pods, or have not been empty for 10 min; callers want 1$/)
    await scaled.comes(pool, running(3), 0)
    scaled.workload(2)
    await world.pass(9 * MINUTE)
    await scaled.comes(pool, running(3), 0)
    await scaled.comes(pool, running(1), 3 * MINUTE)
    await world.until('the machines are gone', async () => world.machines.made.size === 1)
    assert.deepEqual([(await world.store.findNodePool(pool))!.facts.autoscaler, world.errors], [undefined, []])
    await scaled.scene.end()
  })

  test('never has more than the most, or fewer than the least', async () => {
    const scaled = await Scaled.begin(), pool = await scaled.pool({ minReplicas: 2 }), { world } = scaled
    await scaled.comes(pool, running(2))
    scaled.workload(100)
    await scaled.comes(pool, running(4))
    await world.pass(5 * MINUTE)
    assert.equal(world.machines.made.size, 4)
    scaled.workload(0)
    await world.pass(15 * MINUTE)
    await scaled.comes(pool, running(2), 0)
    await scaled.scene.end()
  })

  test('that is off makes what is desired, and no more', async () => {
    const scaled = await Scaled.begin(), pool = await scaled.pool({ enabled: false, desiredReplicas: 2 }), { world } = scaled
    scaled.workload(100)
    await scaled.comes(pool, running(2))
    await world.pass(5 * MINUTE)
    await scaled.comes(pool, running(2), 0)
    await scaled.scene.end()
  })

  test('and a desired size set by a caller: the larger one holds', async () => {
    const scaled = await Scaled.begin(), pool = await scaled.pool(), { world } = scaled
    await scaled.comes(pool, running(1))
    await scaled.resize(pool, { desiredReplicas: 3 })
    await scaled.comes(pool, running(3))
    await world.pass(30 * MINUTE)
    await scaled.comes(pool, running(3), 0)
    scaled.workload(8)
    await scaled.comes(pool, running(4))
    await scaled.resize(pool, { desiredReplicas: 1 })
    await world.pass(30 * MINUTE)
    await scaled.comes(pool, running(4), 0)
    await scaled.scene.end()
  })

  test('grows the pool of higher priority first, then the next one', async () => {
    const scaled = await Scaled.begin(), low = await scaled.pool({ minReplicas: 0, desiredReplicas: 0, priority: 1 }, 'low'), high = await scaled.pool({ minReplicas: 0, desiredReplicas: 0, maxReplicas: 2, priority: 50 }, 'high')
    for (const pool of [low, high]) await scaled.scene.pool(pool, 'Running Ok')
    scaled.workload(2)
    await scaled.comes(high, running(1))
    assert.deepEqual(await scaled.shows(low), [])
    scaled.workload(8)
    await scaled.comes(high, running(2))
    await scaled.comes(low, running(2))
    assert.equal(scaled.world.machines.made.size, 4)
    await scaled.scene.end()
  })

  test('goes to the next pool while one is refused machines', async () => {
    const scaled = await Scaled.begin(), { world } = scaled
    const low = await scaled.pool({ minReplicas: 0, desiredReplicas: 0, priority: 1 }, 'low'), high = await scaled.pool({ minReplicas: 0, desiredReplicas: 0, priority: 50 }, 'high')
    for (const pool of [low, high]) await scaled.scene.pool(pool, 'Running Ok')
    world.machines.soldOut.add('high-')
    scaled.workload(2)
    await scaled.comes(low, running(1), 5 * MINUTE)
    assert.deepEqual([await scaled.shows(high), world.machines.made.size], [[], 1])
    await scaled.scene.pool(high, 'Running Ok', 2 * MINUTE)
    await scaled.scene.end()
  })

  test('gives back those that failed and no idle one, if fewer than the least would be Running', async () => {
    const scaled = await Scaled.begin(), pool = await scaled.pool({ minReplicas: 2, desiredReplicas: 0 }), { world } = scaled
    scaled.workload(8)
    await scaled.comes(pool, running(4))
    const [one, other] = await world.store.nodesOf({ nodePoolId: pool })
    for (const node of [one, other]) await world.machines.crash(node!.spec.machine!)
    await scaled.comes(pool, ['Failed NotReady', 'Failed NotReady', 'Running Ok', 'Running Ok'])
    scaled.workload(0)
    await world.pass(30 * MINUTE)
    await scaled.comes(pool, running(2), 0)
    await scaled.scene.end()
  })

  test('concludes nothing while it cannot look', async () => {
    const scaled = await Scaled.begin(), pool = await scaled.pool(), { world } = scaled
    await scaled.comes(pool, running(1))
    scaled.workload(4)
    await scaled.comes(pool, running(2))
    scaled.workload(0)
    world.tenant.podsAreBlind = true
    await world.pass(30 * MINUTE)
    await scaled.comes(pool, running(2), 0)
    world.tenant.podsAreBlind = false
    await scaled.comes(pool, running(1), 12 * MINUTE)
    await scaled.scene.end()
  })
})

describe('a pool that recycles its machines', () => {
  test('switches them off instead of giving them back, keeps them Stopped and Ok, and starts them first', async () => {
    const scaled = await Scaled.begin(), pool = await scaled.pool({ mode: 'Recycle' }), { world } = scaled
    await scaled.comes(pool, running(1))
    scaled.workload(6)
    await scaled.comes(pool, running(3))
    const machines = [...world.machines.made.keys()].sort()
    scaled.workload(2)
    await scaled.comes(pool, ['Running Ok', 'Stopped Ok', 'Stopped Ok'], 15 * MINUTE)
    await scaled.scene.pool(pool, 'Running Ok', 0)
    assert.deepEqual([...world.machines.made.values()].map(machine => machine.power).sort(), ['off', 'off', 'on'])
    const { items } = await world.store.listLedger(SCOPE, { kinds: ['Machine'] }, ALL)
    assert.deepEqual(items.map(entry => `${entry.state} ${entry.power}`).sort(), ['Held off', 'Held off', 'Held on'])
    await world.pass(30 * MINUTE)
    await scaled.comes(pool, ['Running Ok', 'Stopped Ok', 'Stopped Ok'], 0)
    scaled.workload(8)
    await scaled.comes(pool, running(4), 5 * MINUTE)
    assert.deepEqual([...world.machines.made.keys()].sort().filter(id => machines.includes(id)), machines, 'the same machines, and one more')
    const stopped = (await world.store.listHistory(SCOPE, { kinds: ['Node'] }, ALL)).items.filter(row => row.status?.phase === 'Stopped').map(row => row.resource.id)
    for (const id of stopped) {
      const phases = (await world.store.listHistory(SCOPE, { ids: [id] }, ALL)).items.map(row => row.status?.phase).toReversed()
      assert.deepEqual(phases, ['Creating', 'Running', 'Stopping', 'Stopped', 'Starting', 'Running'])
    }
    const again = await world.store.findNode(stopped[0]!)
    await scaled.scene.users.orderMachine(again!.spec.machine!, { power: 'off' })
    await scaled.comes(pool, ['Failed NotReady', ...running(3)], SECOND)
    await scaled.scene.end()
  })

  test('calls a start that does not end in Ready NotReady after fifteen minutes, and it may still come', async () => {
    const scaled = await Scaled.begin(), pool = await scaled.pool({ enabled: false, minReplicas: 0, mode: 'Recycle' }), { world } = scaled
    await scaled.comes(pool, running(1))
    await scaled.resize(pool, { desiredReplicas: 0 })
    await scaled.comes(pool, ['Stopped Ok'])
    world.kubelets.silenced = true
    await scaled.resize(pool, { desiredReplicas: 1 })
    await scaled.comes(pool, ['Starting Progressing'], 10 * SECOND)
    await world.pass(14 * MINUTE)
    await scaled.comes(pool, ['Starting Progressing'], 0)
    await scaled.comes(pool, ['Failed NotReady'], 2 * MINUTE)
    world.kubelets.silenced = false
    await scaled.comes(pool, running(1), 2 * MINUTE)
    await scaled.scene.end()
  })

  test('caps what runs and what is stopped together', async () => {
    const scaled = await Scaled.begin(), pool = await scaled.pool({ enabled: false, mode: 'Recycle', desiredReplicas: 3, maxReplicas: 3 }), { world } = scaled
    await scaled.comes(pool, running(3))
    await scaled.resize(pool, { desiredReplicas: 1 })
    await scaled.comes(pool, ['Running Ok', 'Stopped Ok', 'Stopped Ok'])
    await scaled.resize(pool, { maxReplicas: 2 })
    await scaled.comes(pool, ['Running Ok', 'Stopped Ok'])
    await world.until('one is given back', async () => world.machines.made.size === 2)
    await scaled.resize(pool, { desiredReplicas: 2 })
    await scaled.comes(pool, running(2))
    assert.equal(world.machines.made.size, 2)
    await scaled.scene.end()
  })

  test('switches a machine off again that a user switched on by hand, as its callers want none', async () => {
    const scaled = await Scaled.begin(), pool = await scaled.pool({ enabled: false, minReplicas: 0, mode: 'Recycle' }), { world } = scaled
    await scaled.comes(pool, running(1))
    await scaled.resize(pool, { desiredReplicas: 0 })
    await scaled.comes(pool, ['Stopped Ok'])
    const [node] = await world.store.nodesOf({ nodePoolId: pool })
    await world.pass(SECOND)
    await scaled.scene.users.orderMachine(node!.spec.machine!, { power: 'on' })
    const orderedAt = node!.facts.ordered!.since
    await world.until('its pool has ordered it off once more', async () => ((await world.store.findNode(node!.id))?.facts.ordered?.since ?? 0) > orderedAt, 30 * SECOND)
    await scaled.comes(pool, ['Stopped Ok'])
    await scaled.scene.end()
  })
})
