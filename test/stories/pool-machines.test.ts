/** Stories of pools that make their machines; over three hundred lines, since each begins from the same scene and crashes at the same ports. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { NodePoolSpec, Scaling } from '#model/node-pool/record.ts'
import type { NodeRecord } from '#model/node/record.ts'
import { MachineHeld } from '#ports/machines.ts'
import { Scene } from '../harness/world/scene.ts'
import { shows } from '../harness/world/users.ts'
import { ACCOUNT, REGION, type WorldPorts } from '../harness/world.ts'
import { machinesOwnedBy } from '#test/harness/owned-machines.ts'

const SECOND = 1_000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE
const SCOPE = { accountId: ACCOUNT, region: REGION }, ALL = { number: 1, size: 1_000 }

function sized(desired: number, more: Partial<Scaling> = {}): Partial<NodePoolSpec> {
  return { type: 'edge-machine-pool', scaling: { enabled: false, minReplicas: 0, maxReplicas: 10, desiredReplicas: desired, sentDesiredReplicas: desired, priority: 10, ...more } }
}

/** A Running cluster with a pool that makes its own machines. */
async function begin(desired: number, more: Partial<Scaling> = {}, wrap?: (ports: WorldPorts) => WorldPorts, before: (scene: Scene) => void = () => {}): Promise<Scene & { clusterId: string; poolId: string }> {
  const scene = await Scene.begin(wrap)
  before(scene)
  const cluster = await scene.runningCluster()
  return Object.assign(scene, { clusterId: cluster, poolId: await scene.users.createPool(cluster, sized(desired, more)) })
}

async function nodesOf(scene: Scene & { poolId: string }): Promise<readonly NodeRecord[]> {
  return scene.world.store.nodesOf({ nodePoolId: scene.poolId })
}

async function members(scene: Scene & { poolId: string }): Promise<string[]> {
  return (await nodesOf(scene)).map(shows).sort()
}

async function come(scene: Scene & { poolId: string }, to: readonly string[], withinMs = 2 * MINUTE): Promise<void> {
  const wanted = [...to].sort().join()
  await scene.world.until(`members ${wanted}`, async () => (await members(scene)).join() === wanted, withinMs)
}

/** What is not released, as `state of owner`. */
async function ledger({ world }: Scene): Promise<string[]> {
  const { items } = await world.store.listLedger(SCOPE, { kinds: ['Machine'] }, ALL)
  return items.map(({ state, owner }) => `${state} ${owner.kind}`).sort()
}

async function resize(scene: Scene & { poolId: string }, change: Partial<Scaling>): Promise<void> {
  const { spec } = (await scene.world.store.findNodePool(scene.poolId))!
  await scene.users.updatePool(scene.poolId, { scaling: { ...spec.scaling!, ...change } })
}

const running = (count: number): string[] => Array.from({ length: count }, () => 'Running Ok')

describe('a pool that makes its own machines', () => {
  test('has them claimed, made, joined and Running, each once, and is Scaling from its first pass on', async () => {
    const scene = await begin(3), { world, poolId: pool } = scene
    await come(scene, running(3))
    await scene.pool(pool, 'Running Ok')
    assert.equal(world.machines.made.size, 3)
    assert.deepEqual(await ledger(scene), ['Held Node', 'Held Node', 'Held Node'])
    const { items } = await world.store.listHistory(SCOPE, { ids: [pool] }, ALL)
    assert.deepEqual(items.map(row => row.status?.phase).toReversed(), ['Creating', 'Scaling', 'Running'], 'never Running before its machines are there')
    for (const node of await nodesOf(scene)) {
      const machine = await world.store.findMachine(node.spec.machine!)
      assert.deepEqual([machine?.ownedBy?.nodeId, machine?.name, node.spec.machineId], [node.id, node.spec.name, `machine-id-of-${machine?.id}`])
      assert.match(node.spec.name, /^counters-[0-9a-v]{10}$/)
    }
    assert.deepEqual([world.errors, world.firstBoots.refusals], [[], []])
    await scene.end()
  })

  test('needs few passes for each of them, and none once all is quiet', async () => {
    const scene = await begin(10), { world } = scene
    const before = world.passes
    await come(scene, running(10))
    const perNode = (world.passes - before) / 10
    assert.ok(perNode <= 6, `${perNode} passes a node, machine and pool among them`)
    await world.pass(5 * SECOND)
    const quiet = world.passes
    await world.pass(10 * MINUTE)
    assert.ok(world.passes - quiet <= 21, `${world.passes - quiet} passes in ten minutes: only the probe of the cluster`)
    await scene.end()
  })

  test('whose machine never joins says so after its time, and the machine may still come', async () => {
    const scene = await begin(1, {}, undefined, ({ world }) => world.firstBoots.broken.add('*')), { world, poolId: pool } = scene
    await come(scene, ['Creating Progressing'])
    await world.pass(15 * MINUTE - 10 * SECOND)
    await come(scene, ['Creating Progressing'], 0)
    await come(scene, ['Failed InitializeFailed'], 20 * SECOND)
    await scene.pool(pool, 'Running Ok', 0)
    world.firstBoots.broken.clear()
    await come(scene, running(1), 20 * SECOND)
    await scene.end()
  })

  test('gives up a machine that its provider only fails to make, and says why', async () => {
    const scene = await begin(1, {}, undefined, ({ world }) => { world.machines.makingFails = new Error('RunInstances: internal error') }), { world, users } = scene
    await come(scene, ['Creating Progressing'])
    await world.pass(4 * MINUTE)
    await come(scene, ['Creating Progressing'], 0)
    await come(scene, ['Failed Unknown'], 3 * MINUTE)
    const [node] = await nodesOf(scene)
    assert.match(node!.said.because, /could not be made in 5 min: RunInstances: internal error/)
    assert.ok(world.errors.every(error => (error as Error).message === 'RunInstances: internal error'))
    world.machines.makingFails = undefined
    await world.pass(10 * MINUTE)
    await come(scene, ['Failed Unknown'], 0)
    await resize(scene, { desiredReplicas: 0 })
    await users.deleteNodes([node!.id])
    await come(scene, [])
    assert.deepEqual([world.machines.made.size, await ledger(scene)], [0, []])
    await scene.end()
  })

  test('that made errors for a while only comes to its machines', async () => {
    const scene = await begin(2, {}, undefined, ({ world }) => { world.machines.makingFails = new Error('timeout') }), { world } = scene
    await world.pass(MINUTE)
    world.machines.makingFails = undefined
    await come(scene, running(2), 3 * MINUTE)
    assert.equal(world.machines.made.size, 2)
    await scene.end()
  })

  test('shrinks to what is desired, and an update of something else never resizes it', async () => {
    const scene = await begin(3), { world, users, poolId: pool } = scene
    await come(scene, running(3))
    await users.updatePool(pool, { labels: [{ key: 'site', value: 'front' }] })
    await world.pass(MINUTE)
    await come(scene, running(3), 0)
    assert.equal(world.machines.made.size, 3)
    await resize(scene, { desiredReplicas: 1 })
    await come(scene, running(1))
    await world.until('the machines are gone', async () => world.machines.made.size === 1)
    assert.deepEqual(await ledger(scene), ['Held Node'])
    await scene.end()
  })

  test('whose user switches a machine off has a NotReady node, which comes back', async () => {
    const scene = await begin(1), { users } = scene
    await come(scene, running(1))
    const [node] = await nodesOf(scene)
    await users.orderMachine(node!.spec.machine!, { power: 'off' })
    await come(scene, ['Failed NotReady'], SECOND)
    await users.orderMachine(node!.spec.machine!, { power: 'on' })
    await come(scene, running(1), 10 * SECOND)
    await scene.end()
  })
})

describe('machines that are refused', () => {
  test('two of three machines, then StockOut, then stock again', async () => {
    const scene = await begin(3, {}, undefined, ({ world }) => { world.machines.stock = 2 }), { world, poolId: pool } = scene
    await come(scene, running(2))
    await scene.pool(pool, 'Running StockOut')
    const { said } = (await world.store.findNodePool(pool))!
    assert.match(said.because, /^RunInstances: counters-.* is sold out$/)
    assert.deepEqual(await ledger(scene), ['Held Node', 'Held Node', 'Intended NodePool'])
    const gone = (await world.store.listHistory(SCOPE, { kinds: ['Node'] }, ALL)).items.filter(row => row.status === undefined)
    assert.equal(gone.length, 1)
    assert.match(gone[0]!.because, /^The machine was refused: RunInstances/)
    await world.pass(5 * MINUTE)
    await scene.pool(pool, 'Running StockOut', 0)
    const { refused } = (await world.store.findNodePool(pool))!.facts
    assert.equal(refused?.times, 4, 'at 0, 30, 90, 210 s')
    assert.deepEqual([(await nodesOf(scene)).length, await ledger(scene)], [2, ['Held Node', 'Held Node', 'Intended NodePool']])
    world.machines.stock = 5
    await come(scene, running(3), 5 * MINUTE)
    await scene.pool(pool, 'Running Ok')
    assert.deepEqual([world.machines.made.size, await ledger(scene)], [3, ['Held Node', 'Held Node', 'Held Node']])
    assert.deepEqual(world.errors, [])
    await scene.end()
  })

  test('for hours are asked for once an hour, one at a time, and all come when there is stock', async () => {
    const scene = await begin(8, {}, undefined, ({ world }) => { world.machines.stock = 0 }), { world, poolId: pool } = scene
    await scene.pool(pool, 'Running StockOut')
    assert.equal((await world.store.findNodePool(pool))!.facts.refused?.times, 1, 'claims that were made together count once')
    await world.pass(3 * HOUR)
    const { refused } = (await world.store.findNodePool(pool))!.facts
    assert.ok(refused!.times! >= 8 && refused!.times! <= 10, `${refused!.times} tries`)
    assert.deepEqual([(await ledger(scene)).length, (await machinesOwnedBy(world.store, REGION, { nodePoolId: pool })).length], [8, 0])
    world.machines.stock = 100
    await come(scene, running(8), 2 * HOUR)
    assert.deepEqual(await ledger(scene), Array.from({ length: 8 }, () => 'Held Node'))
    await scene.end()
  })

  test('are no longer wanted when the target falls, and nothing waits', async () => {
    const scene = await begin(3, {}, undefined, ({ world }) => { world.machines.stock = 1 }), { world, poolId: pool } = scene
    await scene.pool(pool, 'Running StockOut')
    await resize(scene, { desiredReplicas: 1 })
    await scene.pool(pool, 'Running Ok', 10 * SECOND)
    assert.deepEqual([await ledger(scene), (await world.store.findNodePool(pool))!.facts.refused], [['Held Node'], undefined])
    await scene.end()
  })

  test('because the account is in arrears come when they are paid', async () => {
    const scene = await begin(1), { world, poolId: pool } = scene
    await come(scene, running(1))
    await world.store.write(world.clock.now(), tx => tx.putAccount({ ...SCOPE, arrearsSince: world.clock.now() }))
    await resize(scene, { desiredReplicas: 2 })
    await scene.pool(pool, 'Running Balance', MINUTE)
    assert.match((await world.store.findNodePool(pool))!.said.because, /^The account is in arrears since /)
    await world.store.write(world.clock.now(), async tx => {
      await tx.putAccount({ ...SCOPE })
      await tx.enqueue({ kind: 'node-pool', id: pool, region: REGION })
    })
    await come(scene, running(2), 20 * SECOND)
    await scene.end()
  })

  test('for a reason that nobody knows are tried again, and what an error left behind is taken away', async () => {
    const scene = await begin(2, {}, undefined, ({ world }) => { world.machines.stock = 1 }), { world, poolId: pool } = scene
    await scene.pool(pool, 'Running StockOut')
    world.machines.stock = 5
    world.machines.halfMade = new Error('RunInstances: the connection was cut')
    await scene.pool(pool, 'Running ScalingFailed', MINUTE)
    world.machines.halfMade = undefined
    await come(scene, running(2), 3 * MINUTE)
    assert.deepEqual([world.machines.made.size, await ledger(scene)], [2, ['Held Node', 'Held Node']])
    await scene.end()
  })

  test('leave nothing behind when their pool is deleted while one is tried', async () => {
    const scene = await begin(2, {}, undefined, ({ world }) => { world.machines.stock = 0 }), { world, users, poolId: pool } = scene
    await scene.pool(pool, 'Running StockOut')
    await users.deletePool(pool, 'Destroy')
    await scene.pool(pool, 'gone', MINUTE)
    assert.deepEqual([await ledger(scene), world.machines.made.size, (await world.store.machinesOfRegion(REGION)).length], [[], 0, 0])
    await scene.end()
  })
})

describe('the machine of a node that is removed', () => {
  test('goes with it where it was asked to, and is kept where it was not', async () => {
    const scene = await begin(2), { world, users } = scene
    await come(scene, running(2))
    const [first, second] = await nodesOf(scene)
    await resize(scene, { desiredReplicas: 0 })
    await users.deleteNodes([first!.id], 'Destroy')
    await users.deleteNodes([second!.id], 'Retain')
    await come(scene, [])
    assert.deepEqual([[...world.machines.made.keys()], await ledger(scene)], [[second!.spec.machine], ['Retained Machine']])
    const { items } = await world.store.listLedger(SCOPE, { states: ['Retained'] }, ALL)
    assert.match(items[0]!.because ?? '', /DeleteEdgeNodes did not ask for its machine to go/)
    assert.equal((await world.store.findMachine(second!.spec.machine!))?.ownedBy, undefined)
    await users.orderMachine(second!.spec.machine!, { deletionRequestedAt: world.clock.now() })
    await world.until('it is gone', async () => world.machines.made.size === 0)
    assert.deepEqual(await ledger(scene), [])
    await scene.end()
  })

  test('is named when it cannot be removed, and goes at the next call when it can', async () => {
    const scene = await begin(1), { world, users } = scene
    await come(scene, running(1))
    const [node] = await nodesOf(scene), machine = node!.spec.machine!
    world.machines.held.set(machine, new MachineHeld(`DeleteInstance: ${machine} is protected`))
    await resize(scene, { desiredReplicas: 0 })
    await users.deleteNodes([node!.id], 'Destroy')
    await come(scene, ['Failed ResourceCleanupFailed'])
    assert.match((await nodesOf(scene))[0]!.said.because, /^The machine counters-\w+ \(m\w+\) could not be removed: ensureGone failed: DeleteInstance: m.* is protected$/)
    await users.deleteNodes([node!.id], 'Destroy')
    await come(scene, ['Failed ResourceCleanupFailed'])
    world.machines.held.clear()
    await world.pass(MINUTE)
    await come(scene, ['Failed ResourceCleanupFailed'], 0)
    await users.deleteNodes([node!.id], 'Destroy')
    await come(scene, [], 10 * SECOND)
    assert.deepEqual([world.machines.made.size, await ledger(scene)], [0, []])
    await scene.end()
  })

  test('that meets only errors is named at the deadline', async () => {
    const scene = await begin(1), { world, users } = scene
    await come(scene, running(1))
    const [node] = await nodesOf(scene), machine = node!.spec.machine!
    world.machines.held.set(machine, new Error('DeleteInstance: 503'))
    await resize(scene, { desiredReplicas: 0 })
    await users.deleteNodes([node!.id], 'Destroy')
    await world.pass(7 * MINUTE)
    await come(scene, ['Deleting Progressing'], 0)
    await world.until('the node has failed', async () => (await members(scene)).includes('Failed ResourceCleanupFailed'), 2 * MINUTE)
    await world.until('the error is named', async () => /The machine .* could not be removed: ensureGone failed: DeleteInstance: 503/.test((await world.store.findNode(node!.id))!.said.because), 2 * MINUTE)
    await scene.end()
  })

  test('is not made again for arrears once nobody sees it any more', async () => {
    const scene = await begin(2), { world, users, clusterId: cluster } = scene
    await come(scene, running(2))
    const nodes = await nodesOf(scene), [refused, failed] = nodes.map(node => node.spec.machine!)
    world.machines.held.set(refused!, new MachineHeld('DeleteInstance: it is locked')).set(failed!, new Error('DeleteInstance: 503'))
    await resize(scene, { desiredReplicas: 0 })
    await users.deleteNodes(nodes.map(({ id }) => id), 'Destroy')
    await world.until('both are named', async () => (await nodesOf(scene)).every(node => node.facts.obstacles.length > 0), 10 * MINUTE)
    for (const id of [refused!, failed!]) world.machines.made.delete(id)
    world.machines.held.clear()
    await setUnpaid(scene, cluster, true)
    await come(scene, [])
    assert.deepEqual([world.machines.made.size, await ledger(scene)], [0, []])
    await scene.end()
  })

  test('shows in its pool, too, and everything else of it goes', async () => {
    const scene = await begin(3), { world, users, poolId: pool } = scene
    await come(scene, running(3))
    const [stuck] = await nodesOf(scene)
    world.machines.held.set(stuck!.spec.machine!, new MachineHeld('DeleteInstance: it is locked'))
    await users.deletePool(pool, 'Destroy')
    await come(scene, ['Failed ResourceCleanupFailed'])
    await scene.pool(pool, 'Failed ResourceCleanupFailed', 30 * SECOND)
    assert.match((await world.store.findNodePool(pool))!.said.because, new RegExp(`Node ${stuck!.spec.name} is still there: The machine ${stuck!.spec.name} \\(m\\w+\\) could not be removed: ensureGone failed: DeleteInstance: it is locked`))
    assert.equal(world.machines.made.size, 1)
    world.machines.held.clear()
    await users.deletePool(pool, 'Destroy')
    await scene.pool(pool, 'gone', 30 * SECOND)
    assert.deepEqual([world.machines.made.size, await ledger(scene)], [0, []])
    await scene.end()
  })

  test('is no obstacle while it is half made', async () => {
    const scene = await begin(2, {}, undefined, ({ world }) => world.firstBoots.broken.add('*')), { world, users, poolId: pool } = scene
    await world.until('the nodes are claimed', async () => (await nodesOf(scene)).length === 2)
    await users.deletePool(pool, 'Retain')
    await scene.pool(pool, 'gone', 30 * SECOND)
    assert.ok((await ledger(scene)).every(row => row === 'Retained Machine'))
    assert.equal(world.machines.made.size, (await ledger(scene)).length)
    await scene.end()
  })

  test('goes with its cluster', async () => {
    const scene = await begin(2), { world, users, clusterId: cluster } = scene
    await come(scene, running(2))
    await users.deleteCluster(cluster, { machine: 'Destroy' })
    await scene.cluster(cluster, 'gone', 4 * MINUTE)
    assert.deepEqual([world.machines.made.size, await ledger(scene)], [0, []])
    await scene.end()
  })
})

describe('arrears', () => {
  test('switch a pool\'s machines off, and payment switches them on again', async () => {
    const scene = await begin(2), { world, clusterId: cluster } = scene
    await come(scene, running(2))
    await setUnpaid(scene, cluster, true)
    await come(scene, ['Failed Balance', 'Failed Balance'])
    assert.ok([...world.machines.made.values()].every(machine => machine.power === 'off'))
    await setUnpaid(scene, cluster, false)
    await come(scene, running(2), 3 * MINUTE)
    assert.equal(world.machines.made.size, 2)
    await scene.end()
  })
})

/** As the account's controller does it. */
async function setUnpaid({ world }: Scene, id: string, unpaid: boolean): Promise<void> {
  const now = world.clock.now()
  await world.store.write(now, async tx => {
    const cluster = (await tx.lockCluster(id))!
    await tx.changeCluster(id, { facts: { ...cluster.facts, unpaid, ...!unpaid && { startingSince: now } } }, { evidence: [] })
    await tx.enqueue({ kind: 'cluster', id, region: REGION })
    for (const node of await tx.nodesOf({ clusterId: id })) await tx.enqueue({ kind: 'node', id: node.id, region: REGION })
    for (const pool of await tx.nodePoolsOf(id)) await tx.enqueue({ kind: 'node-pool', id: pool.id, region: REGION })
  })
}
