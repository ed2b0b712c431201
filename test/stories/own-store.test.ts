/** A provider's call may end in an error of our own store, which says nothing of what was asked for: nothing is noted, and it is tried again. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addonId } from '#model/addon/record.ts'
import { noteObstacle } from '#controllers/node/note-obstacle.ts'
import type { NodePorts } from '#controllers/node/ports.ts'
import { isOfOurStore } from '#ports/of-our-store.ts'
import { StaleRevision, StoreUnavailable } from '#ports/store.ts'
import { MemoryOutside } from '../harness/world/outside-things.ts'
import { Scene } from '../harness/world/scene.ts'
import { ACCOUNT, REGION } from '../harness/world.ts'

const SECOND = 1_000, MINUTE = 60 * SECOND
const AWAY = new StoreUnavailable('The database cannot be reached at the moment; try again')
const NAME = 'ingress-nginx'

test('it is told by its kind, however it is wrapped', () => {
  for (const error of [AWAY, new StaleRevision('moved on'), new Error('Looking', { cause: new Error('listing', { cause: AWAY }) }), new AggregateError([new Error('one'), new Error('other', { cause: AWAY })])]) assert.equal(isOfOurStore(error), true)
  for (const error of [undefined, 'text', new Error('timeout'), new Error('Looking', { cause: 'timeout' }), new AggregateError([new Error('one')])]) assert.equal(isOfOurStore(error), false)
})

test('a machine that a user removes has no obstacle by it', async () => {
  const scene = await Scene.begin(), { world, users } = scene
  const id = await users.addMachine('shop-1')
  await world.until('it is there', async () => (await world.store.findMachine(id))?.machineId !== undefined)
  world.machines.held.set(id, AWAY)
  await users.orderMachine(id, { deletionRequestedAt: world.clock.now() })
  await world.pass(SECOND)
  assert.equal((await world.store.findMachine(id))?.obstacle, undefined)
  assert.ok(world.errors.length > 0)
  world.machines.held.delete(id)
  await world.until('it is gone', async () => await world.store.findMachine(id) === undefined)
  await scene.end()
})

test('the machine of a pool is not given up by it, also after the deadline of its removal', async () => {
  const scene = await Scene.begin(), { world, users } = scene, cluster = await scene.runningCluster()
  const pool = await users.createPool(cluster, { name: 'counters', type: 'edge-machine-pool', scaling: { enabled: false, minReplicas: 0, maxReplicas: 10, desiredReplicas: 1, sentDesiredReplicas: 1, priority: 10 } })
  const member = async () => (await world.store.nodesOf({ nodePoolId: pool }))[0]
  await world.until('its member', async () => (await member())?.said.status.phase === 'Running')
  const { id } = (await member())!
  const ofNode = async () => (await world.store.machinesOfRegion(REGION)).filter(({ ownedBy }) => ownedBy?.nodeId === id)
  const [machine] = await ofNode()
  world.machines.held.set(machine!.id, AWAY)
  await users.deleteNodes([id], 'Destroy')
  await world.pass(60 * MINUTE)
  assert.deepEqual((await ofNode()).map(({ obstacle }) => obstacle), [undefined])
  world.machines.held.delete(machine!.id)
  await scene.node(id, 'gone', 10 * MINUTE)
  await scene.end()
})

test('an add-on is neither failed nor left by it', async () => {
  const scene = await Scene.begin(), { world } = scene
  const cluster = await scene.runningCluster(), id = addonId(cluster, NAME)
  const facts = async () => (await world.store.findAddon(id))?.facts
  world.addons.fails = AWAY
  await world.store.write(world.clock.now(), async tx => {
    await tx.insertAddon({ id, accountId: ACCOUNT, region: REGION, clusterId: cluster, spec: { name: NAME, version: 'v1.1.0', deployMode: 'Unmanaged', deployNodeType: 'Node' }, facts: { operation: { action: 'CreateAddon', since: world.clock.now() }, reasons: {}, obstacles: [] } }, { evidence: [] })
    await tx.enqueue({ kind: 'addon', id, region: REGION })
  })
  await world.pass(SECOND)
  assert.deepEqual([(await facts())?.installer, (await facts())?.applied], [undefined, undefined])
  world.addons.fails = undefined
  await world.until('it is installed', async () => (await facts())?.applied !== undefined)
  const ensureGone = world.addons.ensureGone.bind(world.addons)
  world.addons.ensureGone = () => Promise.reject(AWAY)
  await world.store.write(world.clock.now(), async tx => {
    const addon = (await tx.lockAddon(id))!
    await tx.changeAddon(id, { facts: { ...addon.facts, deletion: { requestedAt: world.clock.now(), by: 'call', crds: 'Retain' } } }, { evidence: [] })
    await tx.enqueue({ kind: 'addon', id, region: REGION })
  })
  await world.pass(30 * MINUTE)
  assert.deepEqual([(await facts())?.left, (await facts())?.obstacles], [undefined, []])
  world.addons.ensureGone = ensureGone
  await world.until('it is gone', async () => await facts() === undefined, 10 * MINUTE)
  await scene.end()
})

test('a cluster that goes is not held up by it for good', async () => {
  const scene = await Scene.begin(), { world } = scene
  const outside = world.outside = new MemoryOutside(world.clock)
  await world.restart()
  const cluster = await scene.runningCluster(), plane = world.host.made.get(cluster)!
  const says = async () => {
    const { facts } = (await world.store.findCluster(cluster))!
    return [facts.controlPlaneSays, facts.obstacles]
  }
  plane.obstacle = AWAY
  await scene.users.deleteCluster(cluster, { cascading: ['All'] })
  await world.pass(60 * MINUTE)
  assert.deepEqual(await says(), [undefined, []])
  delete plane.obstacle
  outside.breaks = AWAY
  await world.pass(60 * MINUTE)
  assert.deepEqual(await says(), [undefined, []])
  outside.breaks = undefined
  await scene.cluster(cluster, 'gone', 10 * MINUTE)
  await scene.end()
})

test('a cluster that goes, and whose host was not looked at for it, is not stale', async () => {
  const scene = await Scene.begin(), { world } = scene
  const cluster = await scene.runningCluster()
  world.host.blindness = AWAY
  await scene.users.deleteCluster(cluster)
  await world.pass(60 * MINUTE)
  assert.equal((await world.store.findCluster(cluster))?.facts.staleSince, undefined)
  world.host.blindness = undefined
  await scene.cluster(cluster, 'gone', 10 * MINUTE)
  await scene.end()
})

test('a node that goes has no obstacle by it, wrapped as it is', async () => {
  const ports = { store: { findNode: async () => assert.fail('nothing is looked up for it') } } as unknown as NodePorts
  await noteObstacle('n1', { error: new Error('getNode failed', { cause: AWAY }), step: undefined }, new Map(), ports)
})
