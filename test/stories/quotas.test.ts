/** Stories of quotas in a region whose provider keeps none: they stand among the records. */
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { describe, test } from 'node:test'
import { wakeRefusedPools } from '#api/actions/limits-changed.ts'
import type { ActionContext } from '#api/action.ts'
import { claimOf, machineIdOf } from '#model/node/claim.ts'
import type { Scaling } from '#model/node-pool/record.ts'
import type { MachineOrder, Machines } from '#ports/machines.ts'
import { StoreUnavailable, type Store } from '#ports/store.ts'
import { machinesWithinQuota } from '#providers/local/quotas/machines-within-quota.ts'
import { RecordedQuotas } from '#providers/local/quotas/recorded-quotas.ts'
import { crashing, type CrashPlan } from '#test/harness/crashing.ts'
import { ACCOUNT, REGION, type WorldPorts } from '#test/harness/world.ts'
import { Scene } from '#test/harness/world/scene.ts'
import { shows } from '#test/harness/world/users.ts'

const SECOND = 1_000, MINUTE = 60 * SECOND
const SCOPE = { accountId: ACCOUNT, region: REGION }, ALL = { number: 1, size: 1_000 }

interface Place {
  readonly scene: Scene
  readonly quotas: RecordedQuotas
  readonly pool: (name: string, desired: number) => Promise<string>
  readonly resize: (pool: string, desired: number) => Promise<void>
  readonly members: (pool: string) => Promise<string>
  /** As SetQuota does it. */
  readonly set: (limit: number | undefined) => Promise<void>
  readonly held: () => Promise<number>
}

async function begin(limit: number, wrap: (ports: WorldPorts) => WorldPorts = ports => ports): Promise<Place> {
  const now = (): number => scene.world.clock.now()
  const scene: Scene = await Scene.begin(ports => {
    const { store, machines, ...others } = wrap(ports)
    return { store: ports.store, machines: machinesWithinQuota(machines, { store, region: REGION, now }), ...others }
  })
  const { world, users } = scene, { store } = world
  const quotas = new RecordedQuotas(store, REGION, now)
  await quotas.setQuota('Machine', ACCOUNT, limit)
  const cluster = await scene.runningCluster()
  return {
    scene, quotas,
    pool: (name, desired) => users.createPool(cluster, { name, type: 'edge-machine-pool', scaling: wants(desired) }),
    resize: async (pool, desired) => users.updatePool(pool, { scaling: wants(desired) }),
    members: async pool => (await store.nodesOf({ nodePoolId: pool })).map(shows).sort().join(),
    set: async to => {
      await quotas.setQuota('Machine', ACCOUNT, to)
      await wakeRefusedPools({ store, scope: SCOPE, now: now() } as unknown as ActionContext)
    },
    held: () => store.machinesHeld(SCOPE),
  }
}

function wants(desired: number): Scaling {
  return { enabled: false, minReplicas: 0, maxReplicas: 10, desiredReplicas: desired, sentDesiredReplicas: desired, priority: 10 }
}

describe('a pool beyond its account\'s quota', () => {
  test('has what it may have, says why not more, and has the rest as soon as the quota is raised', async () => {
    const { scene, quotas, pool, members, set, held } = await begin(2), { world } = scene
    const id = await pool('counters', 3)
    await scene.pool(id, 'Running LimitedByQuota')
    await world.until('two members', async () => (await members(id)) === 'Running Ok,Running Ok')
    assert.deepEqual(await quotas.quotas(ACCOUNT), [{ kind: 'Machine', limit: 2, held: 2 }])
    const { said } = (await world.store.findNodePool(id))!
    assert.match(said.because, /The account may have 2 of the kind Machine and has 2/)
    const [row] = (await world.store.listHistory(SCOPE, { ids: [id] }, ALL)).items
    assert.ok(row?.evidence.some(({ observer, fact }) => observer === 'machine controller' && /^The account may have 2 of the kind Machine and has 2: the machine counters-\S+ was not made\.$/.test(fact)), JSON.stringify(row?.evidence))
    await world.pass(60 * MINUTE)
    assert.deepEqual([shows(await world.store.findNodePool(id)), world.machines.made.size, await held()], ['Running LimitedByQuota', 2, 2], 'however often it tries')
    await set(3)
    await scene.pool(id, 'Running Ok', MINUTE)
    await world.until('three members', async () => (await members(id)) === 'Running Ok,Running Ok,Running Ok')
    assert.deepEqual([world.machines.made.size, await held(), world.errors], [3, 3, []])
    await scene.end()
  })

  test('heals by itself where the limit is taken away', async () => {
    const { scene, pool, set } = await begin(0)
    const id = await pool('counters', 2)
    await scene.pool(id, 'Running LimitedByQuota')
    await set(undefined)
    await scene.pool(id, 'Running Ok', MINUTE)
    assert.equal(scene.world.machines.made.size, 2)
    await scene.end()
  })

  for (const call of ['write', 'findMachine'] as const) {
    for (const error of [new StoreUnavailable('The database cannot be reached at the moment; try again'), new Error('canceling statement due to lock timeout')]) {
      test(`has what it may have at once where ${call} fails in our own database as it takes its place: ${error.message}`, async () => {
        let failures = 0
        const { scene, pool, set, held } = await begin(0, ports => ({ ...ports, store: failing(ports.store, call, () => { if (failures-- > 0) throw error }) })), { world } = scene
        const id = await pool('counters', 1)
        await scene.pool(id, 'Running LimitedByQuota')
        await world.pass(240 * MINUTE)
        failures = 1
        await set(5)
        await scene.pool(id, 'Running Ok', 2 * MINUTE)
        const rows = (await world.store.listHistory(SCOPE, { ids: [id] }, ALL)).items
        assert.deepEqual([rows.filter(({ status }) => JSON.stringify(status).includes('ScalingFailed')), world.machines.made.size, await held()], [[], 1, 1])
        assert.equal(world.errors.length, 1, 'the pass that met it')
        await scene.end()
      })
    }
  }

  test('that is raised after a machine was refused and before that is known is told by the supply', async () => {
    let onRefused = async (): Promise<void> => {}, refused = 0
    const { scene, quotas, pool } = await begin(0)
    // Whoever sets it looks for pools that wait, and finds none yet.
    const controllers = scene.world.controllersOver.bind(scene.world)
    scene.world.controllersOver = ports => controllers({ ...ports, machines: telling(ports.machines, () => onRefused()) })
    await scene.world.restart()
    onRefused = async () => {
      refused += 1
      await quotas.setQuota('Machine', ACCOUNT, 1)
    }
    const id = await pool('counters', 1)
    await scene.pool(id, 'Running Ok', 10 * SECOND)
    assert.equal(refused, 1)
    await scene.end()
  })

  test('has the place that another pool gives back', async () => {
    const { scene, pool, resize, members, held } = await begin(2), { world } = scene
    const one = await pool('one', 2)
    await scene.pool(one, 'Running Ok')
    await world.until('its members', async () => (await members(one)) === 'Running Ok,Running Ok')
    const other = await pool('other', 1)
    await scene.pool(other, 'Running LimitedByQuota')
    await world.pass(10 * MINUTE)
    await resize(one, 1)
    await scene.pool(other, 'Running Ok', 2 * MINUTE)
    assert.deepEqual([world.machines.made.size, await held()], [2, 2])
    await scene.end()
  })

  test('keeps what it has when the quota is lowered, and has nothing in place of what goes', async () => {
    const { scene, pool, resize, members, set, held } = await begin(3), { world } = scene
    const id = await pool('counters', 3)
    await world.until('its members', async () => (await members(id)) === 'Running Ok,Running Ok,Running Ok')
    await set(1)
    await world.pass(5 * MINUTE)
    assert.deepEqual([shows(await world.store.findNodePool(id)), world.machines.made.size], ['Running Ok', 3])
    await resize(id, 2)
    await world.until('one is gone', async () => (await held()) === 2)
    await resize(id, 3)
    await scene.pool(id, 'Running LimitedByQuota')
    assert.equal(world.machines.made.size, 2)
    await scene.end()
  })

  /** A server is kept, all places are taken, and another pool waits. */
  async function keep({ scene, pool }: Place): Promise<{ readonly central: string; readonly other: string; readonly kept: string }> {
    const { world, users } = scene, { store } = world
    const [cluster] = (await store.clustersOfRegion(REGION)).map(({ id }) => id)
    const central = await users.createPool(cluster!, { name: 'central', type: 'machine-set', template: { nodeConfig: {} } })
    await scene.pool(central, 'Running Ok')
    const first = await addServer(scene, central, 'i-1')
    await scene.node(first, 'Running Ok', 2 * MINUTE)
    await users.deleteNodes([first], 'Retain')
    await scene.node(first, 'gone')
    const other = await pool('other', 1)
    await scene.pool(other, 'Running LimitedByQuota')
    const [{ id: kept } = { id: '' }] = await store.machinesOfRegion(REGION)
    return { central, other, kept }
  }

  test('lets a server that was kept come again where all places are taken, and another pool has its place at no time and is not told to try', async () => {
    const place = await begin(1), { scene, set, held } = place, { world } = scene, { store } = world
    const { central, other, kept } = await keep(place)
    world.machines.held.set(kept, new Error('it is still being taken down'))
    const second = await addServer(scene, central, 'i-1')
    await scene.node(second, 'Running Ok', 2 * MINUTE)
    await set(1)
    await world.pass(MINUTE)
    assert.deepEqual([shows(await store.findNodePool(other)), await held()], ['Running LimitedByQuota', 1])
    world.machines.held.delete(kept)
    const refused = (await store.findNodePool(other))?.facts.refused
    await store.write(world.clock.now(), tx => tx.enqueue({ kind: 'machine', id: kept, region: REGION }))
    await world.until('the old machine is gone', async () => await store.findMachine(kept) === undefined, SECOND)
    await world.pass(SECOND)
    assert.deepEqual((await store.findNodePool(other))?.facts.refused, refused)
    assert.deepEqual([shows(await store.findNode(second)), shows(await store.findNodePool(other)), await held(), world.machines.made.size], ['Running Ok', 'Running LimitedByQuota', 1, 1])
    await scene.end()
  })

  test('does so wherever the server dies meanwhile', async () => {
    let points = Number.POSITIVE_INFINITY
    for (let at = 0; at < points; at++) {
      for (const when of ['before', 'after'] as const) {
        const plan: CrashPlan = { at, when, calls: 0, isWaiting: true }
        const place = await begin(1), { scene, held } = place, { world } = scene, { store } = world
        const controllers = world.controllersOver.bind(world), reads = Object.getOwnPropertyNames(Object.getPrototypeOf(store)).filter(name => name !== 'write')
        world.controllersOver = ports => controllers({ ...ports, store: crashing(ports.store, plan, reads), machines: crashing(ports.machines, plan, ['watch', 'look', 'supply']) })
        await world.restart()
        const { central, other, kept } = await keep(place)
        plan.isWaiting = false
        const second = await addServer(scene, central, 'i-1')
        await scene.node(second, 'Running Ok', 2 * MINUTE)
        await world.until('the old machine is gone', async () => await store.findMachine(kept) === undefined, 2 * MINUTE)
        assert.deepEqual([shows(await store.findNode(second)), shows(await store.findNodePool(other)), await held(), world.machines.made.size], ['Running Ok', 'Running LimitedByQuota', 1, 1], `${when} ${at}`)
        points = plan.calls
        await scene.end()
      }
    }
    assert.ok(points >= 6, `${points} points at which it can die`)
  })

  test('counts each machine once, wherever the server dies between counting and making it', async () => {
    let points = Number.POSITIVE_INFINITY
    for (let at = 0; at < points; at++) {
      for (const when of ['before', 'after'] as const) {
        const plan: CrashPlan = { at, when, calls: 0, isWaiting: true }
        const { scene, pool, members, set, held } = await begin(2, ports => ({ ...ports, store: crashing(ports.store, plan), machines: crashing(ports.machines, plan, ['watch', 'look', 'supply']) })), { world } = scene
        plan.isWaiting = false
        const id = await pool('counters', 3)
        await scene.pool(id, 'Running LimitedByQuota', 2 * MINUTE)
        await world.until('two members', async () => (await members(id)) === 'Running Ok,Running Ok', 2 * MINUTE)
        assert.deepEqual([world.machines.made.size, await held()], [2, 2], `${when} ${at}`)
        plan.isWaiting = true
        await set(3)
        await scene.pool(id, 'Running Ok', 2 * MINUTE)
        assert.deepEqual([world.machines.made.size, await held()], [3, 3], `${when} ${at}`)
        points = Math.min(points, plan.calls)
        await scene.end()
      }
    }
    assert.ok(points >= 6, `${points} points at which it can die`)
  })
})

/** As CreateNodes does it. */
async function addServer({ world }: Scene, pool: string, instanceId: string): Promise<string> {
  const nodeId = world.newId('node'), machineId = machineIdOf(nodeId), token = `token-${nodeId}`, now = world.clock.now()
  await world.store.write(now, async tx => {
    const record = (await tx.lockNodePool(pool))!
    const kept = await tx.machinesOfInstances(SCOPE, [instanceId]), replaces = kept.at(-1)?.id
    const claim = claimOf({ nodeId, now, pool: record, address: '10.213.4.9', firstBoot: `run ${token}`, template: { ...record.spec.template, instanceId, ...replaces !== undefined && { replaces } } })
    await tx.insertNode(claim.node, { evidence: [], operation: 'CreateNodes' })
    await tx.insertMachine(claim.machine)
    await tx.putLedger(claim.ledger)
    await tx.putNodeToken({ tokenHash: hash('sha256', token, 'hex'), nodeId, machineId })
    for (const key of [{ kind: 'node', id: nodeId }, { kind: 'machine', id: machineId }, { kind: 'node-pool', id: pool }] as const) await tx.enqueue({ ...key, region: REGION })
  })
  return nodeId
}

/** Says so before each call of that name, which may fail it. */
function failing(store: Store, call: 'write' | 'findMachine', called: () => void): Store {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target)
      return typeof member !== 'function' ? member : async (...given: unknown[]): Promise<unknown> => {
        if (name === call) called()
        return await (member as (...args: unknown[]) => unknown).apply(target, given)
      }
    },
  })
}

/** Tells of each refusal before whoever asked hears of it. */
function telling(machines: Machines, onRefused: () => Promise<void>): Machines {
  return {
    ...machines,
    ensure: async (order: MachineOrder) => machines.ensure(order).catch(async (error: unknown) => {
      await onRefused()
      throw error
    }),
  }
}
