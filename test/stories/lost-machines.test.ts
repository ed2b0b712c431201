/** Machines that are there when nobody knows of them any more. Longer than 300 lines, as each tells a whole story and all begin in the same few worlds. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import { giveBack } from '#controllers/node/give-back.ts'
import type { NodePorts } from '#controllers/node/ports.ts'
import { givenBackKey } from '#ports/refused-pools.ts'
import type { MachineOrder } from '#ports/machines.ts'
import { ledgerIdOf } from '#model/node/claim.ts'
import type { Scaling } from '#model/node-pool/record.ts'
import { Scene } from '#test/harness/world/scene.ts'
import { shows } from '#test/harness/world/users.ts'
import { ACCOUNT, REGION } from '#test/harness/world.ts'

const MINUTE = 60_000, REFUSED = new Error('TerminateInstances: internal error')
const WANTS_ONE: Scaling = { enabled: false, minReplicas: 0, maxReplicas: 5, desiredReplicas: 1, sentDesiredReplicas: 1, priority: 10 }

/** Another process takes a machine of such a name down while it is being made, once; its provider makes it all the same, and takes it away no more. */
async function lost(beginning: string, isBare = true): Promise<{ scene: Scene; id: () => string }> {
  let id = ''
  const scene: Scene = await Scene.begin(ports => ({
    ...ports, machines: new Proxy(ports.machines, {
      get: (target, key) => key !== 'ensure' ? (Reflect.get(target, key) as unknown) : async (order: MachineOrder) => {
        if (order.name.startsWith(beginning) && id === '' && (!isBare || await isOfNoNode(scene, order.id))) {
          id = order.id
          await takenDown(scene, id)
          scene.world.machines.held.set(id, REFUSED)
        }
        return await target.ensure(order)
      },
    }),
  }))
  return { scene, id: () => id }
}

async function isOfNoNode({ world }: Scene, id: string): Promise<boolean> {
  return (await world.store.findMachine(id))?.ownedBy?.nodeId === undefined
}

async function takenDown({ world: { store, clock } }: Scene, id: string): Promise<void> {
  await store.write(clock.now(), async tx => {
    const machine = await tx.lockMachine(id)
    assert.ok(machine)
    const { ownedBy } = machine
    for (const entry of await tx.ledgerOf(ownedBy?.nodeId ?? ownedBy?.nodePoolId ?? id)) if (entry.providerId === id) await tx.putLedger({ ...entry, state: 'Released', since: clock.now() })
    await tx.releaseAddress(REGION, id)
    await tx.forgetMachine(id)
    if (ownedBy?.nodeId !== undefined) await tx.enqueue({ kind: 'node', id: ownedBy.nodeId, region: REGION })
    else if (ownedBy) await tx.enqueue({ kind: 'node-pool', id: ownedBy.nodePoolId, region: REGION })
    await tx.enqueue(givenBackKey(machine))
  })
}

async function told({ world: { store } }: Scene, id: string): Promise<readonly unknown[]> {
  const { items } = await store.listLedger({ accountId: ACCOUNT, region: REGION }, { ownerIds: [id], states: ['Intended', 'Held', 'Releasing', 'Released'] }, { number: 1, size: 10 })
  const known = (await store.listMachines({ accountId: ACCOUNT, region: REGION }, { ids: [id] }, { number: 1, size: 10 })).items
  return [known.map(({ name, deletionRequestedAt, obstacle }) => [name, deletionRequestedAt !== undefined, obstacle?.because]), items.map(({ state }) => state)]
}

test('a machine that was finished for nobody, and that its provider does not take away, is known, and costs, until it does, whatever dies meanwhile', async () => {
  const { scene, id } = await lost('late'), { world, users } = scene
  await users.addMachine('late')
  await world.pass(MINUTE)
  for (let nth = 0; nth < 3; nth++) {
    await world.restart()
    await world.pass(10 * MINUTE)
    assert.deepEqual([world.machines.made.has(id()), await told(scene, id())], [true, [[['late', true, `The machine late (${id()}) could not be removed: ensureGone failed: ${REFUSED.message}`]], ['Releasing']]])
  }
  world.machines.held.clear()
  await world.until('it is gone', async () => (await world.store.findMachine(id())) === undefined, MINUTE)
  assert.deepEqual([world.machines.made.size, await told(scene, id())], [0, [[], ['Released']]])
  await scene.end()
})

test('a pool whose bare claim ended so tries for another machine, and has it', async () => {
  const { scene, id } = await lost('pool'), { world, users } = scene
  const cluster = await scene.runningCluster()
  world.machines.stock = 0
  const nodePoolId = await users.createPool(cluster, { name: 'pool', type: 'edge-machine-pool', scaling: WANTS_ONE })
  await scene.pool(nodePoolId, 'Running StockOut')
  world.machines.stock = 2
  const members = async () => (await world.store.nodesOf({ nodePoolId })).map(shows).join()
  await world.until('it has its node', async () => (await members()) === 'Running Ok', 60 * MINUTE)
  const [node] = await world.store.nodesOf({ nodePoolId })
  assert.notEqual(node?.spec.machine, id())
  assert.deepEqual([world.machines.made.has(id()), (await world.store.findMachine(id()))?.deletionRequestedAt !== undefined], [true, true])
  world.machines.held.clear()
  await world.until('what was lost is gone', async () => (await world.store.findMachine(id())) === undefined, MINUTE)
  assert.deepEqual([[...world.machines.made.keys()], await members()], [[node?.spec.machine], 'Running Ok'])
  await scene.end()
})

/** A pool for which one machine can be had; where it is tried for by a claim of no node it was out of stock before. */
async function poolOfOne(scene: Scene, isBare: boolean): Promise<string> {
  const { world, users } = scene, cluster = await scene.runningCluster()
  world.machines.stock = isBare ? 0 : 1
  const nodePoolId = await users.createPool(cluster, { name: 'pool', type: 'edge-machine-pool', scaling: WANTS_ONE })
  if (isBare) {
    await scene.pool(nodePoolId, 'Running StockOut')
    world.machines.stock = 1
  }
  return nodePoolId
}

for (const { name, isBare } of [{ name: 'whose bare claim', isBare: true }, { name: 'whose node\'s machine', isBare: false }]) {
  test(`the deletion of a pool ${name} ended so waits for nothing that is not the pool's`, async () => {
    const { scene, id } = await lost('pool', isBare), { world, users } = scene
    const nodePoolId = await poolOfOne(scene, isBare)
    await world.until('it is lost', async () => id() !== '', 60 * MINUTE)
    await users.deletePool(nodePoolId, 'Destroy')
    await scene.pool(nodePoolId, 'gone', 10 * MINUTE)
    assert.deepEqual([world.machines.made.has(id()), (await world.store.findMachine(id()))?.obstacle?.because], [true, `The machine ${(await world.store.findMachine(id()))?.name} (${id()}) could not be removed: ensureGone failed: ${REFUSED.message}`])
    world.machines.held.clear()
    await world.until('what was lost is gone', async () => (await world.store.findMachine(id())) === undefined, MINUTE)
    assert.equal(world.machines.made.size, 0)
    await scene.end()
  })
}

/** The store of a process that can be killed: from then on it reaches nothing. */
function killable<Whole extends object>(whole: Whole): { readonly store: Whole; readonly kill: () => void } {
  let isDead = false
  const store = new Proxy(whole, {
    get: (target, key) => {
      const value = Reflect.get(target, key) as unknown
      if (typeof value !== 'function') return value
      return isDead ? () => Promise.reject(new Error('killed')) : value.bind(target) as unknown
    },
  })
  return { store, kill: () => { isDead = true } }
}

/** The process that makes such a machine, once, is killed right after it, and tells nobody; `isWatched`: somebody else watches the region's machines by then. */
async function killed(beginning: string, { isBare, isWatched }: { readonly isBare: boolean; readonly isWatched: boolean }): Promise<{ scene: Scene; id: () => string }> {
  let id = ''
  const scene: Scene = await Scene.begin(ports => {
    const { store, kill } = killable(ports.store)
    const machines = new Proxy(ports.machines, {
      get: (target, key) => key !== 'ensure' ? (Reflect.get(target, key) as unknown) : async (order: MachineOrder) => {
        if (!order.name.startsWith(beginning) || id !== '' || (isBare && !(await isOfNoNode(scene, order.id)))) return await target.ensure(order)
        id = order.id
        await takenDown(scene, id)
        kill()
        if (isWatched) await target.ensure(order)
        else scene.world.machines.made.set(id, { id, power: order.power, link: order.link, powerSince: scene.world.clock.now(), machineId: `machine-id-of-${id}`, ...order.nodePoolId !== undefined && { nodePoolId: order.nodePoolId } })
        throw new Error('killed')
      },
    })
    return { ...ports, store, machines }
  })
  return { scene, id: () => id }
}

for (const isWatched of [true, false]) for (const { name, isBare } of [{ name: 'that a user added', isBare: undefined }, { name: 'of a node', isBare: false }, { name: 'of a bare claim', isBare: true }]) {
  test(`a machine ${name} that a process made when its record was gone, and told nobody of as it was killed, goes ${isWatched ? 'as somebody watches' : 'once somebody watches again'}`, async () => {
    const { scene, id } = await killed('pool', { isBare: isBare === true, isWatched }), { world, users } = scene
    if (isBare === undefined) await users.addMachine('pool')
    else await poolOfOne(scene, isBare)
    await world.until('it is made', async () => id() !== '' && world.machines.made.has(id()), 60 * MINUTE)
    world.machines.held.set(id(), REFUSED)
    await world.restart()
    await world.pass(MINUTE)
    const known = await world.store.findMachine(id())
    assert.deepEqual([known?.accountId, known?.deletionRequestedAt !== undefined, (await told(scene, id()))[1]], [ACCOUNT, true, ['Releasing']])
    world.machines.held.clear()
    await world.until('it is gone', async () => (await world.store.findMachine(id())) === undefined, MINUTE)
    assert.deepEqual([world.machines.made.has(id()), await told(scene, id())], [false, [[], ['Released']]])
    await scene.end()
  })
}

test('a machine that nobody knows, and that our ledger never had, is left alone', async () => {
  const scene = await Scene.begin(), { world } = scene
  await world.machines.ensure({ id: 'm-of-others', name: 'theirs', address: '10.213.4.9', power: 'on', link: 'up', nodePoolId: 'p-of-others' })
  await world.restart()
  await world.pass(MINUTE)
  assert.deepEqual([[...world.machines.made.keys()], await told(scene, 'm-of-others')], [['m-of-others'], [[], []]])
  await scene.end()
})

/** Who owns the row that has a machine's name, and what became of each row of a machine. */
async function rows({ world: { store } }: Scene, machineId: string): Promise<{ readonly owner: string | undefined; readonly states: readonly string[] }> {
  const { items } = await store.listLedger({ accountId: ACCOUNT, region: REGION }, { kinds: ['Machine'], states: ['Intended', 'Held', 'Releasing', 'Released', 'Retained'] }, { number: 1, size: 20 })
  return { owner: items.find(({ id }) => id === ledgerIdOf(machineId))?.owner.kind, states: items.map(({ owner, state }) => `${owner.kind} ${state}`).toSorted() }
}

test('a machine that its provider makes long after its node was given back is found by whoever watches, and goes', async () => {
  let late: MachineOrder | undefined
  const scene: Scene = await Scene.begin(ports => ({
    ...ports, machines: new Proxy(ports.machines, {
      get: (target, key) => key !== 'ensure' ? (Reflect.get(target, key) as unknown) : async (order: MachineOrder) => {
        if (late) return await target.ensure(order)
        late = order
        scene.world.machines.stock = 0
        throw new Error('RunInstances: timeout')
      },
    }),
  }))
  const { world, users } = scene
  const cluster = await scene.runningCluster()
  world.machines.stock = 1
  const nodePoolId = await users.createPool(cluster, { name: 'pool', type: 'edge-machine-pool', scaling: WANTS_ONE })
  await world.until('its node was given back', async () => late !== undefined && (await world.store.findMachine(late.id)) === undefined, 20 * MINUTE)
  assert.ok(late)
  const given = late, kept = () => rows(scene, given.id)
  assert.deepEqual(await kept(), { owner: 'NodePool', states: ['NodePool Intended'] })
  world.machines.stock = 1
  world.machines.held.set(late.id, REFUSED)
  await world.machines.ensure(late)
  await world.pass(1_000)
  assert.deepEqual([await told(scene, late.id), await kept()], [[[['pool', true, `The machine pool (${late.id}) could not be removed: ensureGone failed: ${REFUSED.message}`]], ['Releasing']], { owner: 'NodePool', states: ['Machine Releasing', 'NodePool Intended'] }])
  world.machines.held.clear()
  await world.until('its pool has another', async () => (await world.store.nodesOf({ nodePoolId })).map(shows).join() === 'Running Ok', 60 * MINUTE)
  assert.deepEqual([world.machines.made.has(late.id), await world.store.findMachine(late.id), await kept()], [false, undefined, { owner: 'NodePool', states: ['Machine Released', 'Node Held', 'NodePool Released'] }])
  await scene.end()
})

for (const dies of [true, false]) test(`a machine that was given back by another process while it was being made goes, and its claim waits on, where whoever made it ${dies ? 'is killed' : 'lives'}`, async () => {
  let id = ''
  const scene: Scene = await Scene.begin(ports => {
    const { store, kill } = killable(ports.store)
    const machines = new Proxy(ports.machines, {
      get: (target, key) => key !== 'ensure' ? (Reflect.get(target, key) as unknown) : async (order: MachineOrder) => {
        const { store: others, clock } = scene.world
        const nodeId = id === '' && order.name.startsWith('pool') ? (await others.findMachine(order.id))?.ownedBy?.nodeId : undefined
        if (nodeId === undefined) return await target.ensure(order)
        id = order.id
        await others.write(clock.now(), tx => tx.changeMachine(id, { refused: { as: 'StockOut', because: 'sold out', at: clock.now() } }))
        const node = await others.findNode(nodeId)
        assert.ok(node)
        await giveBack(node, { store: others, regionOf: () => ({ clock, machines: scene.world.machines }) } as unknown as NodePorts)
        if (dies) kill()
        scene.world.machines.held.set(id, REFUSED)
        return await target.ensure(order)
      },
    })
    return { ...ports, store, machines }
  })
  const { world, users } = scene
  const cluster = await scene.runningCluster()
  const nodePoolId = await users.createPool(cluster, { name: 'pool', type: 'edge-machine-pool', scaling: WANTS_ONE })
  await world.until('it is being taken down', async () => id !== '' && (await world.store.findMachine(id))?.deletionRequestedAt !== undefined, MINUTE)
  assert.equal((await rows(scene, id)).owner, 'NodePool')
  if (dies) await world.restart()
  world.machines.held.clear()
  await world.until('its pool has another', async () => (await world.store.nodesOf({ nodePoolId })).map(shows).join() === 'Running Ok', 60 * MINUTE)
  await world.until('it is gone', async () => (await world.store.findMachine(id)) === undefined, MINUTE)
  assert.deepEqual([world.machines.made.has(id), await rows(scene, id)], [false, { owner: 'NodePool', states: ['Machine Released', 'Node Held', 'NodePool Released'] }])
  await scene.end()
})

for (const { how, answer } of [
  { how: 'is refused', answer: () => Promise.reject(new Error('DescribeInstances: no permission for this one')) },
  { how: 'is never answered', answer: () => new Promise<never>(() => {}) },
]) test(`where the look at a machine that nobody knows ${how} the powers of all others are told, and it goes once somebody can look`, async () => {
  const scene = await Scene.begin(), { world, users } = scene, { machines, store } = world
  const lostId = await users.addMachine('lost'), otherId = await users.addMachine('other')
  await world.pass(MINUTE)
  await store.write(world.clock.now(), async tx => {
    await tx.changeMachine(lostId, { deletionRequestedAt: world.clock.now() })
    await tx.enqueue({ kind: 'machine', id: lostId, region: REGION })
  })
  await world.until('it is gone', async () => (await store.findMachine(lostId)) === undefined, MINUTE)
  // First in the list of whoever watches anew.
  const others = [...machines.made]
  machines.made.clear()
  await machines.ensure({ id: lostId, name: 'lost', address: '', power: 'on', link: 'up' })
  for (const [id, seen] of others) machines.made.set(id, seen)
  const look = machines.look.bind(machines)
  let isMended = false
  machines.look = async id => (id === lostId && !isMended ? await answer() : await look(id))
  await world.restart()
  await machines.ensure({ id: otherId, name: 'other', address: '', power: 'off', link: 'up' })
  await world.pass(5 * MINUTE)
  const [sight] = await store.sights('MachinePower', [otherId])
  assert.deepEqual([(sight?.fact as { readonly state?: string } | undefined)?.state, machines.made.has(lostId)], ['off', true])
  isMended = true
  await world.until('it is gone again', async () => !machines.made.has(lostId) && (await store.findMachine(lostId)) === undefined, 60 * MINUTE)
  await scene.end()
})

test('a machine that its provider makes, and tells of, after it was looked for and before its node is given back goes', async () => {
  let late: MachineOrder | undefined, isTold = false
  const scene: Scene = await Scene.begin(ports => ({
    ...ports, machines: new Proxy(ports.machines, {
      get: (target, key) => {
        if (key === 'ensure') return async (order: MachineOrder) => {
          if (late) return await target.ensure(order)
          late = order
          scene.world.machines.stock = 0
          throw new Error('RunInstances: timeout')
        }
        if (key !== 'look') return Reflect.get(target, key) as unknown
        return async (id: string) => {
          const seen = await target.look(id)
          if (id !== late?.id || isTold) return seen
          isTold = true
          scene.world.machines.stock = 1
          await target.ensure(late)
          for (let turn = 0; turn < 5; turn++) await turnOfTheLoop()
          return seen
        }
      },
    }),
  }))
  const { world, users } = scene
  const cluster = await scene.runningCluster()
  await users.createPool(cluster, { name: 'pool', type: 'edge-machine-pool', scaling: WANTS_ONE })
  await world.until('its node was given back', async () => isTold && (await world.store.findMachine(late?.id ?? '')) === undefined, 20 * MINUTE)
  assert.equal(world.machines.made.has(late?.id ?? ''), true)
  await world.until('it is gone', async () => !world.machines.made.has(late?.id ?? '') && (await world.store.findMachine(late?.id ?? '')) === undefined, 5 * MINUTE)
  await scene.end()
})
