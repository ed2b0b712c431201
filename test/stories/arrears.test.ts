import assert from 'node:assert/strict'
import { test } from 'node:test'
import { spentUntil } from '#model/account/arrears.ts'
import { ControlPlaneFailure } from '#ports/control-plane-host.ts'
import { Scene } from '../harness/world/scene.ts'
import { ACCOUNT, REGION } from '../harness/world.ts'

const SECOND = 1_000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE
const SCOPE = { accountId: ACCOUNT, region: REGION }

/** As SetBalance does it. */
async function setBalance({ world: { store, clock } }: Scene, amount: number | undefined): Promise<void> {
  const now = clock.now()
  await store.write(now, async tx => {
    const { balance: _balance, ...account } = await tx.lockAccount(SCOPE)
    await tx.putAccount({ ...account, ...(amount !== undefined && { balance: { amount, at: now, spentBefore: spentUntil(await tx.meterOf(SCOPE), now) } }) })
    await tx.enqueue({ kind: 'account', id: `${ACCOUNT}/${REGION}`, region: REGION })
  })
}

/** What a control plane costs in three hours, so that it is in arrears after them and stopped two hours later. */
const THREE_HOURS = 3_000_000

test('a balance runs out: two hours of grace, then the cluster is stopped; a payment starts it, and its children show what then holds', async () => {
  const scene = await Scene.begin()
  const { world, users } = scene
  const cluster = await scene.runningCluster()
  const pool = await users.createPool(cluster)
  await scene.pool(pool, 'Running Ok')
  await setBalance(scene, THREE_HOURS)
  await world.pass(5 * HOUR - MINUTE)
  await scene.cluster(cluster, 'Running Ok', SECOND)
  assert.ok((await world.store.findAccount(SCOPE)).arrearsSince !== undefined)

  await scene.cluster(cluster, 'Stopped Balance', 2 * MINUTE)
  await scene.pool(pool, 'Failed ClusterNotRunning', SECOND)
  const stopped = (await world.store.findCluster(cluster))!
  assert.match(stopped.said.evidence.map(one => one.fact).join(), /No process of the control plane runs/)
  const told = await world.store.listHistory(SCOPE, { ids: [cluster] }, { number: 1, size: 3 })
  assert.ok(told.totalCount > 0)

  await setBalance(scene, 100_000_000)
  await scene.cluster(cluster, 'Starting Progressing', SECOND)
  await scene.pool(pool, 'Failed ClusterNotRunning', SECOND)
  await scene.cluster(cluster, 'Running Ok', MINUTE)
  await scene.pool(pool, 'Running Ok', SECOND)
  assert.deepEqual(await world.store.findAccount(SCOPE).then(({ arrearsSince, stoppedSince }) => ({ arrearsSince, stoppedSince })), { arrearsSince: undefined, stoppedSince: undefined })
  assert.deepEqual(world.errors, [])
  await scene.end()
})

test('paying while the control plane is being stopped, and arrears again while it starts, always end right', async () => {
  const scene = await Scene.begin()
  const cluster = await scene.runningCluster()
  const spend = async () => {
    await setBalance(scene, 1)
    await scene.world.pass(2 * HOUR + SECOND)
  }
  await spend()
  await setBalance(scene, undefined)
  await scene.cluster(cluster, 'Running Ok', MINUTE)

  await spend()
  await scene.cluster(cluster, 'Stopped Balance', MINUTE)
  await setBalance(scene, 1)
  await scene.cluster(cluster, 'Starting Progressing', SECOND)
  // One that was never usable again when the money ended once more is never shown as Running on its way down.
  await setBalance(scene, -1_000_000_000)
  const account = await scene.world.store.findAccount(SCOPE)
  await scene.world.store.write(scene.world.clock.now(), tx => tx.putAccount({ ...account, arrearsSince: scene.world.clock.now() - 3 * HOUR }))
  await scene.cluster(cluster, 'Stopped Balance', MINUTE)
  const shown = (await scene.world.store.listHistory(SCOPE, { ids: [cluster] }, { number: 1, size: 2 })).items.map(row => row.status?.phase)
  assert.deepEqual(shown, ['Stopped', 'Starting'])
  await setBalance(scene, undefined)
  await scene.cluster(cluster, 'Running Ok', MINUTE)
  await scene.end()
})

test('arrears before it was ever usable end its creation; only deletion leads out', async () => {
  const scene = await Scene.begin()
  scene.world.components = { state: 'waiting', says: 'Components are being built' }
  const cluster = await scene.users.createCluster()
  await scene.cluster(cluster, 'Creating Progressing')
  await setBalance(scene, -1)
  await scene.world.pass(2 * HOUR + MINUTE)
  await scene.cluster(cluster, 'Failed Balance', MINUTE)
  await setBalance(scene, 1_000_000)
  await scene.world.pass(MINUTE)
  await scene.cluster(cluster, 'Failed Balance', SECOND)
  await scene.end()
})

test('a stopped cluster can be deleted, and a payment does not bring it back', async () => {
  const scene = await Scene.begin()
  const cluster = await scene.runningCluster()
  await setBalance(scene, 1)
  await scene.world.pass(2 * HOUR + MINUTE)
  await scene.cluster(cluster, 'Stopped Balance', MINUTE)
  await scene.users.deleteCluster(cluster)
  await setBalance(scene, undefined)
  await scene.world.until('the cluster is gone', async () => (await scene.world.store.findCluster(cluster)) === undefined, 10 * MINUTE)
  assert.equal((await scene.world.store.listLedger(SCOPE, {}, { number: 1, size: 10 })).totalCount, 0)
  await scene.end()
})

test('a control plane that cannot be removed is shut down, too, and its removal ends when it can', async () => {
  const scene = await Scene.begin(), { world: { host } } = scene
  const cluster = await scene.runningCluster()
  host.made.get(cluster)!.obstacle = new ControlPlaneFailure('The namespace is protected', 'never')
  await scene.users.deleteCluster(cluster)
  await scene.cluster(cluster, 'Failed ResourceCleanupFailed', MINUTE)
  assert.equal(host.made.get(cluster)!.components.size, 4)
  await setBalance(scene, 1)
  await scene.world.pass(2 * HOUR + MINUTE)
  await scene.cluster(cluster, 'Failed Balance+ResourceCleanupFailed', SECOND)
  assert.equal(host.made.get(cluster)!.components.size, 0)
  await setBalance(scene, undefined)
  await scene.cluster(cluster, 'Failed ResourceCleanupFailed', SECOND)
  delete host.made.get(cluster)!.obstacle
  await scene.users.deleteCluster(cluster)
  await scene.cluster(cluster, 'gone', MINUTE)
  await scene.end()
})
