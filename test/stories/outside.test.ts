import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OutsideRefused } from '#ports/outside.ts'
import { MemoryOutside } from '../harness/world/outside-things.ts'
import { Scene } from '../harness/world/scene.ts'
import { ACCOUNT, REGION } from '../harness/world.ts'

const MINUTE = 60_000
const SCOPE = { accountId: ACCOUNT, region: REGION }

async function beginWithOutside(): Promise<{ scene: Scene; outside: MemoryOutside }> {
  const scene = await Scene.begin()
  const outside = scene.world.outside = new MemoryOutside(scene.world.clock)
  await scene.world.restart()
  return { scene, outside }
}

const ledger = async ({ world }: Scene) => (await world.store.listLedger(SCOPE, {}, { number: 1, size: 100 })).items.map(({ kind, state }) => `${kind} ${state}`).toSorted()

test('a cluster has its load balancer and security group made, a NAT gateway if it asked for one, and all of it goes when everything is asked to', async () => {
  const { scene, outside } = await beginWithOutside()
  const cluster = await scene.users.createCluster({ resourcePublicAccessDefaultEnabled: true })
  await scene.cluster(cluster, 'Running Ok')
  assert.deepEqual(await ledger(scene), ['Address Held', 'ControlPlane Held', 'LoadBalancer Held', 'Nat Held', 'Network Held', 'SecurityGroup Held'])
  assert.equal(outside.made.size, 3)
  await scene.users.deleteCluster(cluster, { cascading: ['All'] })
  await scene.cluster(cluster, 'gone', MINUTE)
  assert.equal(outside.made.size, 0)
  assert.deepEqual(await ledger(scene), [])
  assert.deepEqual(scene.world.errors, [])
  await scene.end()
})

test('what was not asked to go is retained, listed, and says who kept it; what was asked to stay stays whatever else was asked', async () => {
  for (const how of [{ cascading: [] }, { cascading: ['All'], retain: ['All'] }]) {
    const { scene, outside } = await beginWithOutside()
    const cluster = await scene.runningCluster()
    await scene.users.deleteCluster(cluster, how)
    await scene.cluster(cluster, 'gone', MINUTE)
    assert.deepEqual(await ledger(scene), ['LoadBalancer Retained', 'SecurityGroup Retained'])
    assert.equal(outside.made.size, 2)
    const [entry] = (await scene.world.store.listLedger(SCOPE, { kinds: ['LoadBalancer'] }, { number: 1, size: 1 })).items
    assert.equal(entry?.because, 'DeleteCluster did not ask for the load balancer of shop to go; it is kept, and costs what it cost, until it is removed at its provider or its region is deleted')
    await scene.end()
  }
})

test('a protected load balancer: everything else goes, it is named with the call, and the deletion ends when it is asked again after the protection is off', async () => {
  const { scene, outside } = await beginWithOutside()
  const cluster = await scene.runningCluster()
  const balancer = outside.made.get(`${cluster}/LoadBalancer`)!
  balancer.deleteProtected = true
  await scene.users.deleteCluster(cluster, { cascading: ['All'] })
  await scene.cluster(cluster, 'Failed ResourceCleanupFailed', MINUTE)
  assert.match((await scene.world.store.findCluster(cluster))!.said.because, /LoadBalancer has deletion protection, and DeleteLoadBalancer refused/)
  assert.deepEqual([...outside.made.keys()], [`${cluster}/LoadBalancer`])
  assert.equal(scene.world.host.made.size, 0)
  balancer.deleteProtected = false
  await scene.users.deleteCluster(cluster, { cascading: ['All'] })
  await scene.cluster(cluster, 'gone', MINUTE)
  assert.deepEqual(await ledger(scene), [])
  await scene.end()
})

test('TryBest leaves what is protected in the ledger and lets the cluster go', async () => {
  const { scene, outside } = await beginWithOutside()
  const cluster = await scene.runningCluster()
  outside.made.get(`${cluster}/LoadBalancer`)!.deleteProtected = true
  await scene.users.deleteCluster(cluster, { cascading: ['All', 'TryBest'] })
  await scene.cluster(cluster, 'gone', MINUTE)
  assert.deepEqual(await ledger(scene), ['LoadBalancer Retained'])
  await scene.end()
})

test('a protected load balancer that a second call does not ask for stays, and the ledger says so', async () => {
  const { scene, outside } = await beginWithOutside()
  const cluster = await scene.runningCluster()
  outside.made.get(`${cluster}/LoadBalancer`)!.deleteProtected = true
  await scene.users.deleteCluster(cluster, { cascading: ['All'] })
  await scene.cluster(cluster, 'Failed ResourceCleanupFailed', MINUTE)
  await scene.users.deleteCluster(cluster, { cascading: [] })
  await scene.cluster(cluster, 'gone', MINUTE)
  assert.deepEqual([...outside.made.keys()], [`${cluster}/LoadBalancer`])
  assert.deepEqual(await ledger(scene), ['LoadBalancer Retained'])
  await scene.end()
})

test('TryBest leaves what its provider refuses to remove, also where no look shows why', async () => {
  const { scene, outside } = await beginWithOutside()
  const cluster = await scene.runningCluster()
  outside.holds.add(`${cluster}/LoadBalancer`)
  await scene.users.deleteCluster(cluster, { cascading: ['All', 'TryBest'] })
  await scene.cluster(cluster, 'gone', MINUTE)
  assert.deepEqual(await ledger(scene), ['LoadBalancer Retained'])
  await scene.end()
})

test('TryBest leaves what its provider refuses to remove also where the cluster left more than a hundred machines before', async () => {
  const { scene, outside } = await beginWithOutside()
  const cluster = await scene.runningCluster()
  outside.holds.add(`${cluster}/LoadBalancer`)
  const { store, clock } = scene.world
  await store.write(clock.now(), async tx => {
    for (let number = 0; number < 150; number++) {
      const id = `m0${String(number).padStart(20, '0')}`
      await tx.putLedger({ ...SCOPE, id: `l${id.slice(1)}`, kind: 'Machine', providerId: id, clusterId: cluster, owner: { kind: 'Machine', id, name: id }, state: 'Retained', deleteProtected: false, since: clock.now() })
    }
  })
  await scene.users.deleteCluster(cluster, { cascading: ['All', 'TryBest'] })
  await scene.cluster(cluster, 'gone', MINUTE)
  await scene.end()
})

test('a provider that fails for a while is asked again until it can; one that fails for ever is named after eight minutes', async () => {
  const { scene, outside } = await beginWithOutside()
  const cluster = await scene.runningCluster()
  outside.breaks = new Error('the load balancer service answers 503')
  await scene.users.deleteCluster(cluster, { cascading: ['All'] })
  await scene.world.pass(MINUTE)
  await scene.cluster(cluster, 'Deleting Progressing')
  await scene.cluster(cluster, 'Failed ResourceCleanupFailed', 8 * MINUTE)
  outside.breaks = undefined
  await scene.users.deleteCluster(cluster, { cascading: ['All'] })
  await scene.cluster(cluster, 'gone', MINUTE)
  await scene.end()
})

for (const { when, after } of [{ when: 'while it is tried again', after: 3 * MINUTE }, { when: 'just before the deadline', after: 8 * MINUTE - 5_000 }]) {
  test(`what goes at last is gone at once: a provider that is back ${when}`, async () => {
    const { scene, outside } = await beginWithOutside()
    const cluster = await scene.runningCluster()
    outside.breaks = new Error('connect ECONNREFUSED')
    await scene.users.deleteCluster(cluster, { cascading: ['All'] })
    await scene.world.pass(after)
    outside.breaks = undefined
    const said = await becausesUntilGone(scene, cluster)
    assert.deepEqual(said.filter(because => because.includes('still seen') || !because.startsWith('Deleting')), [])
    assert.deepEqual(await ledger(scene), [])
    await scene.end()
  })
}

test('what goes at last is gone at once: a protection that is off, and a second call', async () => {
  const { scene, outside } = await beginWithOutside()
  const cluster = await scene.runningCluster(), balancer = outside.made.get(`${cluster}/LoadBalancer`)!
  balancer.deleteProtected = true
  await scene.users.deleteCluster(cluster, { cascading: ['All'] })
  await scene.cluster(cluster, 'Failed ResourceCleanupFailed', MINUTE)
  balancer.deleteProtected = false
  await scene.users.deleteCluster(cluster, { cascading: ['All'] })
  assert.deepEqual((await becausesUntilGone(scene, cluster)).filter(because => because.includes('still seen')), [])
  await scene.end()
})

test('what was said to be gone and was not is named, and goes without a word of failure once it does, also at the deadline', async () => {
  const { scene, outside } = await beginWithOutside()
  const cluster = await scene.runningCluster()
  outside.lies = true
  await scene.users.deleteCluster(cluster, { cascading: ['All'] })
  await scene.world.pass(8 * MINUTE - 5_000)
  assert.match((await scene.world.store.findCluster(cluster))!.said.because, /is still seen, though ensureGone says that it is gone/)
  outside.lies = false
  assert.deepEqual((await becausesUntilGone(scene, cluster)).filter(because => !because.startsWith('Deleting')), [])
  await scene.end()
})

async function becausesUntilGone({ world }: Scene, cluster: string): Promise<string[]> {
  const said: string[] = [], until = world.clock.now() + 3 * MINUTE
  for (let record = await world.store.findCluster(cluster); record; record = await world.store.findCluster(cluster)) {
    assert.ok(world.clock.now() < until, said.at(-1) ?? cluster)
    said.push(`${record.said.status.phase} ${record.said.because}`)
    await world.pass(250)
  }
  return said
}

test('what could never be made is not held, and the end of the creation says that it was missing', async () => {
  const { scene, outside } = await beginWithOutside()
  outside.makes = new Error('the load balancer service answers 503')
  const cluster = await scene.users.createCluster()
  await scene.cluster(cluster, 'Failed CreateError', 20 * MINUTE)
  assert.match((await scene.world.store.findCluster(cluster))!.said.because, /its load balancer, its security group not yet/)
  assert.deepEqual(await ledger(scene), ['Address Held', 'ControlPlane Held', 'LoadBalancer Intended', 'Network Held', 'SecurityGroup Intended'])
  await scene.users.deleteCluster(cluster, { cascading: [] })
  await scene.cluster(cluster, 'gone', MINUTE)
  assert.deepEqual(await ledger(scene), [])
  await scene.end()
})

test('a refusal after acceptance ends the creation as what was refused, and nothing is left after its deletion', async () => {
  for (const as of ['LimitedByQuota', 'StockOut'] as const) {
    const { scene, outside } = await beginWithOutside()
    outside.refuses = new OutsideRefused(as, 'The quota of load balancers, 5, is used up')
    const cluster = await scene.users.createCluster()
    await scene.cluster(cluster, `Failed ${as}`, MINUTE)
    assert.match((await scene.world.store.findCluster(cluster))!.said.because, /quota of load balancers/)
    await scene.users.deleteCluster(cluster, { cascading: ['All'] })
    await scene.cluster(cluster, 'gone', MINUTE)
    assert.deepEqual(await ledger(scene), [])
    assert.equal(outside.made.size, 0)
    await scene.end()
  }
})
