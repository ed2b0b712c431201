import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PodSeen } from '#model/addon/health.ts'
import { AddonScene, NAME } from '../harness/world/addon-scene.ts'
import { shows } from '../harness/world/users.ts'
import { ACCOUNT, REGION } from '../harness/world.ts'

const SECOND = 1_000, MINUTE = 60 * SECOND
const WAITS = (reason: string): Partial<PodSeen> => { return { ready: false, waiting: { reason, message: 'back-off 5m0s' } } }

test('an add-on is installed, changed and removed; each status has its cause', async () => {
  const scene = await AddonScene.begin()
  await scene.create()
  assert.equal(shows(await scene.world.store.findAddon(scene.id)), 'Creating Progressing')
  await scene.shows('Running Ok', SECOND)
  await scene.update('v1.2.0')
  assert.equal(shows(await scene.world.store.findAddon(scene.id)), 'Updating Progressing')
  await scene.shows('Running Ok', SECOND)
  assert.match(await scene.because(), /available in version v1\.2\.0/)
  await scene.remove()
  assert.equal(shows(await scene.world.store.findAddon(scene.id)), 'Deleting Progressing')
  await scene.shows('gone', SECOND)
  assert.equal(scene.world.addons.installed.size, 0)
  assert.deepEqual(scene.world.errors, [])
  await scene.scene.end()
})

test('without a node that fits it shows SchedulingFailed within seconds, with the number of nodes, and heals when one joins', async () => {
  const scene = await AddonScene.begin()
  scene.world.addons.schedulableNodes = 0
  scene.world.addons.newPods = [{ ready: false, unschedulable: 'no nodes available to schedule pods' }]
  await scene.create()
  await scene.shows('Creating Progressing')
  await scene.shows('Failed SchedulingFailed', 4 * SECOND)
  assert.match(await scene.because(), /0 schedulable nodes \(no nodes available to schedule pods\)/)
  scene.world.addons.schedulableNodes = 1
  await scene.pods({})
  await scene.shows('Running Ok', SECOND)
  await scene.scene.end()
})

test('an image that is not there, and one that is back', async () => {
  const scene = await AddonScene.begin()
  await scene.create()
  await scene.shows('Running Ok', SECOND)
  await scene.pods(WAITS('ErrImagePull'))
  await scene.shows('Failed ImagePullBackOff', SECOND)
  await scene.pods({})
  await scene.shows('Running Ok', SECOND)
  await scene.scene.end()
})

test('a container that ends again and again keeps its condition until it has run for two minutes', async () => {
  const scene = await AddonScene.begin()
  await scene.create()
  await scene.shows('Running Ok', SECOND)
  await scene.pods({ ...WAITS('CrashLoopBackOff'), restarts: 3 })
  await scene.shows('Failed CrashLoopBackOff', SECOND)
  const told = await scene.because()
  assert.match(told, /^Pod pod-1 of Deployment\/ingress-nginx waits with CrashLoopBackOff: /)
  await scene.pods({ restarts: 4 })
  await scene.world.pass(MINUTE)
  await scene.shows('Failed CrashLoopBackOff', SECOND)
  const [, since = '', until = '', last = ''] = /^Its containers run since (\S+), and CrashLoopBackOff is over once they have run for 2 min, at (\S+); what was told last: (.*)$/.exec(await scene.because()) ?? []
  assert.deepEqual([Date.parse(until) - Date.parse(since), last], [2 * MINUTE, `p${told.slice(1)}`], await scene.because())
  // It ends once more.
  await scene.pods({ ...WAITS('CrashLoopBackOff'), restarts: 4 })
  await scene.world.pass(SECOND)
  assert.equal(await scene.because(), told)
  await scene.pods({ restarts: 5 })
  await scene.world.pass(SECOND)
  await scene.shows('Running Ok', 2 * MINUTE + SECOND)
  const rows = (await scene.world.store.listHistory({ accountId: ACCOUNT, region: REGION }, { ids: [scene.id] }, { number: 1, size: 10 })).items
  assert.deepEqual(rows.map(row => row.status?.phase), ['Running', 'Failed', 'Running', 'Creating'])
  await scene.scene.end()
})

test('two reasons at once are listed together', async () => {
  const scene = await AddonScene.begin()
  await scene.create()
  await scene.shows('Running Ok', SECOND)
  await scene.pods({ ...WAITS('CrashLoopBackOff'), restarts: 3 }, WAITS('ImagePullBackOff'))
  await scene.shows('Failed CrashLoopBackOff+ImagePullBackOff', SECOND)
  await scene.scene.end()
})

test('fewer pods than asked for, and a rollout that stopped half-way, are Degraded; a rollout that goes on is not', async () => {
  const scene = await AddonScene.begin()
  await scene.create()
  await scene.shows('Running Ok', SECOND)
  await scene.pods({}, { ready: false })
  await scene.shows('Failed Degraded', SECOND)
  assert.match(await scene.because(), /1 of 2 pods of Deployment\/ingress-nginx are available/)
  await scene.pods({}, {})
  await scene.shows('Running Ok', SECOND)
  await scene.update('v1.2.0')
  await scene.pods({ current: false }, { ready: false })
  await scene.world.pass(MINUTE)
  await scene.shows('Updating Progressing', SECOND)
  await scene.pods({ current: false }, WAITS('ImagePullBackOff'))
  await scene.shows('Failed Degraded', SECOND)
  assert.match(await scene.because(), /stopped half-way/)
  await scene.pods({}, {})
  await scene.shows('Running Ok', SECOND)
  await scene.scene.end()
})

test('an object of its name that is another\'s is a NameConflict, and heals when it is taken away', async () => {
  const scene = await AddonScene.begin()
  scene.world.addons.conflicts.set(`${scene.cluster}/${NAME}`, 'Deployment ingress-nginx is in the namespace kube-system already and is not of this add-on')
  await scene.create()
  await scene.shows('Failed NameConflict', SECOND)
  scene.world.addons.conflicts.clear()
  await scene.shows('Running Ok', 10 * SECOND)
  await scene.scene.end()
})

test('an installer that fails three times is Unknown; it is asked again, and heals', async () => {
  const scene = await AddonScene.begin()
  scene.world.addons.fails = new Error('the chart could not be read')
  await scene.create()
  await scene.world.pass(SECOND)
  await scene.shows('Creating Progressing')
  await scene.shows('Failed Unknown', MINUTE)
  assert.match(await scene.because(), /failed 3 times.*the chart could not be read/)
  scene.world.addons.fails = undefined
  await scene.shows('Running Ok', MINUTE)
  await scene.scene.end()
})

test('what cannot be removed is named, and a new call ends it when the obstacle is gone', async () => {
  const scene = await AddonScene.begin()
  await scene.create()
  await scene.shows('Running Ok', SECOND)
  scene.world.addons.held.set(`${scene.cluster}/${NAME}`, 'CustomResourceDefinition ingresses.example.com is still in use')
  await scene.remove()
  await scene.shows('Failed ResourceCleanupFailed', SECOND)
  assert.match(await scene.because(), /ingresses\.example\.com is still in use/)
  scene.world.addons.held.clear()
  await scene.remove()
  await scene.shows('gone', SECOND)
  await scene.scene.end()
})

test('a removal that only meets errors is tried for eight minutes', async () => {
  const scene = await AddonScene.begin()
  await scene.create()
  await scene.shows('Running Ok', SECOND)
  scene.world.addons.fails = new Error('a custom resource waits for its finalizer')
  await scene.remove()
  await scene.world.pass(7 * MINUTE)
  await scene.shows('Deleting Progressing')
  await scene.shows('Failed ResourceCleanupFailed', 2 * MINUTE)
  assert.match(await scene.because(), /a custom resource waits for its finalizer/)
  scene.world.addons.fails = undefined
  await scene.shows('gone', 10 * MINUTE)
  await scene.scene.end()
})

test('it fails with a cluster that stops, shows what then holds when that runs again, and goes with it', async () => {
  const scene = await AddonScene.begin()
  await scene.create()
  await scene.shows('Running Ok', SECOND)
  const setUnpaid = async (unpaid: boolean) => {
    const { store, clock } = scene.world
    await store.write(clock.now(), async tx => {
      const cluster = (await tx.lockCluster(scene.cluster))!
      await tx.changeCluster(cluster.id, { facts: { ...cluster.facts, unpaid, ...(!unpaid && { startingSince: clock.now() }) } }, { evidence: [] })
      await tx.enqueue({ kind: 'cluster', id: cluster.id, region: REGION })
    })
  }
  await setUnpaid(true)
  await scene.shows('Failed ClusterNotRunning', 10 * SECOND)
  assert.equal((await scene.world.store.findAddon(scene.id))!.said.causedBy?.id, scene.cluster)
  await setUnpaid(false)
  await scene.shows('Running Ok', MINUTE)
  await scene.scene.users.deleteCluster(scene.cluster)
  await scene.shows('gone', MINUTE)
  await scene.scene.end()
})

test('a debt that is paid before the control plane was switched off keeps no removal waiting', async () => {
  const scene = await AddonScene.begin()
  await scene.create()
  await scene.shows('Running Ok', SECOND)
  const { store, clock } = scene.world
  await store.write(clock.now(), async tx => {
    const cluster = (await tx.lockCluster(scene.cluster))!
    await tx.changeCluster(cluster.id, { facts: { ...cluster.facts, startingSince: clock.now() } }, { evidence: [] })
  })
  await scene.remove()
  await scene.world.pass(SECOND)
  assert.match(await scene.because(), /ensureGone of the add-on waits: its cluster is not running$/)
  await store.queue.enqueue({ kind: 'cluster', id: scene.cluster, region: REGION })
  await scene.shows('gone', 10 * SECOND)
  await scene.scene.end()
})

test('what stands in the way of a removal is what did when it was last tried', async () => {
  const scene = await AddonScene.begin()
  await scene.create()
  await scene.shows('Running Ok', SECOND)
  scene.world.addons.held.set(`${scene.cluster}/${NAME}`, 'CustomResourceDefinition ingresses.example.com is still in use')
  await scene.remove()
  await scene.shows('Failed ResourceCleanupFailed', SECOND)
  scene.world.addons.held.clear()
  scene.world.addons.fails = new Error('a custom resource waits for its finalizer')
  await scene.shows('Deleting Progressing', MINUTE)
  assert.match(await scene.because(), /has not ended: The add-on ingress-nginx could not be removed: ensureGone failed: a custom resource waits for its finalizer$/)
  scene.world.addons.fails = undefined
  await scene.shows('gone', MINUTE)
  await scene.scene.end()
})
