/** What an add-on says of its pods is so: it is shown as working, in so many words, while they are available, and as failed from the first reason on until they are again. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { PodSeen } from '#model/addon/health.ts'
import type { ClusterFacts } from '#model/cluster/record.ts'
import { withFacts } from '#model/with-facts.ts'
import { FreshRegions, machineOf } from '#test/harness/fresh-regions.ts'
import type { History } from '#test/harness/simulated-server.ts'
import { AddonScene, NAME } from '#test/harness/world/addon-scene.ts'
import { REGION } from '#test/harness/world.ts'

const SECOND = 1_000, MINUTE = 60 * SECOND
const WORKS = 'Running Ok', NO_NODE = 'Failed SchedulingFailed', FEWER = 'Failed Degraded', UNKNOWN = 'Failed Unknown'
const HAS_NO_NODE: Partial<PodSeen> = { ready: false, unschedulable: '0/3 nodes are available: 3 Insufficient cpu.' }
const STARTS: Partial<PodSeen> = { ready: false, node: 'shop-1', waiting: { reason: 'ContainerCreating', message: '' } }
const HAS_NO_IMAGE: Partial<PodSeen> = { ready: false, node: 'shop-1', waiting: { reason: 'ImagePullBackOff', message: 'back-off' } }

async function installed(): Promise<AddonScene> {
  const scene = await AddonScene.begin()
  await scene.create()
  await scene.shows(WORKS, SECOND)
  return scene
}

const evidenceOf = async (scene: AddonScene) => (await scene.said()).evidence.map(({ fact }) => fact)

test('a pod that has its node and has not started yet has cured nothing: the reason stays until one is available', async () => {
  const scene = await installed()
  await scene.pods(HAS_NO_NODE)
  await scene.shows(NO_NODE, SECOND)
  await scene.pods(STARTS)
  await scene.world.pass(SECOND)
  await scene.shows(NO_NODE)
  assert.equal(await scene.because(), `No pod of Deployment/${NAME} is available now: pod pod-1 has the node shop-1 and waits there with ContainerCreating`)
  await scene.pods({})
  await scene.shows(WORKS, SECOND)
  assert.deepEqual(await evidenceOf(scene), [`Deployment/${NAME}: 1 of 1 pods available.`])
  assert.deepEqual(await scene.history(), ['Creating Progressing', WORKS, NO_NODE, WORKS])
  await scene.scene.end()
})

test('a pod that has its node and cannot start goes from one reason to the other', async () => {
  const scene = await installed()
  for (const pod of [HAS_NO_NODE, STARTS, HAS_NO_IMAGE, STARTS, HAS_NO_NODE, STARTS, {}]) {
    await scene.pods(pod)
    await scene.world.pass(SECOND)
  }
  assert.deepEqual((await scene.history()).slice(1), [WORKS, NO_NODE, 'Failed ImagePullBackOff', NO_NODE, WORKS])
  await scene.scene.end()
})

test('a pod that only does not become ready, a minute after its node was found, fails for an unknown cause', async () => {
  const scene = await installed()
  await scene.pods(HAS_NO_NODE)
  await scene.shows(NO_NODE, SECOND)
  await scene.pods({ ready: false, node: 'shop-1' })
  await scene.world.pass(MINUTE - SECOND)
  await scene.shows(NO_NODE)
  await scene.shows(UNKNOWN, 2 * SECOND)
  assert.match(await scene.because(), /^No pod of Deployment\/ingress-nginx is available, and neither kubelet nor scheduler says why, since /)
  await scene.pods({})
  await scene.shows(WORKS, SECOND)
  assert.deepEqual((await scene.history()).slice(1), [WORKS, NO_NODE, UNKNOWN, WORKS])
  await scene.scene.end()
})

test('a container that has run for two minutes and never became ready fails for an unknown cause at once', async () => {
  const scene = await installed()
  await scene.pods({ ready: false, node: 'shop-1', restarts: 3, waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } })
  await scene.shows('Failed CrashLoopBackOff', SECOND)
  await scene.pods({ ready: false, node: 'shop-1', restarts: 4 })
  await scene.shows(UNKNOWN, 3 * MINUTE)
  assert.deepEqual((await scene.history()).slice(1), [WORKS, 'Failed CrashLoopBackOff', UNKNOWN])
  await scene.scene.end()
})

test('what worked with fewer pods than asked for does not work when the last of them goes, too', async () => {
  const scene = await installed()
  await scene.pods({}, { ready: false })
  await scene.shows(FEWER, SECOND)
  await scene.pods({ ready: false }, { ready: false })
  await scene.world.pass(SECOND)
  await scene.shows(FEWER)
  assert.equal(await scene.because(), `No pod of Deployment/${NAME} is available now`)
  await scene.shows(UNKNOWN, MINUTE)
  await scene.pods({}, { ready: false })
  await scene.shows(FEWER, SECOND)
  await scene.pods({}, {})
  await scene.shows(WORKS, SECOND)
  assert.deepEqual((await scene.history()).slice(1), [WORKS, FEWER, UNKNOWN, FEWER, WORKS])
  await scene.scene.end()
})

test('while it is not yet failed it says that no pod is available, and since when; and what is seen when one is again', async () => {
  const scene = await installed()
  await scene.pods({ ready: false })
  await scene.world.pass(SECOND)
  await scene.shows(WORKS)
  assert.match(await scene.because(), /^No pod of Deployment\/ingress-nginx is available, and neither kubelet nor scheduler says why, since \S+T12:00:(\d\dZ); it is shown as failed at \S+T12:01:\1 if that is still so$/)
  assert.deepEqual(await evidenceOf(scene), [`Deployment/${NAME}: 0 of 1 pods available.`])
  await scene.pods({})
  await scene.world.pass(SECOND)
  assert.deepEqual([await scene.because(), await evidenceOf(scene)], ['All its workloads are available in version v1.1.0', [`Deployment/${NAME}: 1 of 1 pods available.`]])
  assert.deepEqual((await scene.history()).slice(1), [WORKS])
  await scene.scene.end()
})

test('of several workloads each has a minute of its own, and what is so of one is not cured by another', async t => {
  const scene = await installed(), { addons } = scene.world
  const look = addons.look.bind(addons), pods = new Map<string, Partial<PodSeen>>([['web', {}], ['worker', {}]])
  t.mock.method(addons, 'look', async (...about: Parameters<typeof look>) => {
    const seen = await look(...about)
    return seen && { ...seen, workloads: [...pods].map(([name, pod]) => {
      const one = addons.pod({ name: `${name}-1`, ...pod })
      return { name: `Deployment/${name}`, desired: 1, available: one.ready ? 1 : 0, updated: 1, pods: [one] }
    }) }
  })
  const become = async (web: Partial<PodSeen>, worker: Partial<PodSeen>, after = SECOND) => {
    pods.set('web', web).set('worker', worker)
    await scene.pods({})
    await scene.world.pass(after)
  }
  await become(HAS_NO_NODE, HAS_NO_NODE)
  await become({}, STARTS)
  await scene.shows(NO_NODE)
  assert.match(await scene.because(), /^No pod of Deployment\/worker is available now: pod worker-1 has the node shop-1 /)
  await become({}, {})
  await scene.shows(WORKS)
  await become({ ready: false }, {}, 30 * SECOND)
  await become({ ready: false }, { ready: false }, 40 * SECOND)
  await scene.shows(UNKNOWN)
  assert.match(await scene.because(), /^No pod of Deployment\/web /)
  await become({}, { ready: false })
  await scene.shows(WORKS)
  assert.match(await scene.because(), /^No pod of Deployment\/worker .* is shown as failed at /)
  await scene.shows(UNKNOWN, 20 * SECOND)
  await scene.scene.end()
})

test('a stop of its cluster is no part of the minute: that begins anew when it was looked at again, unless it was over', async () => {
  for (const [silentFor, afterwards] of [[30 * SECOND, WORKS], [90 * SECOND, UNKNOWN]] as const) {
    const scene = await installed(), { store, clock } = scene.world
    const cluster = async (facts: Partial<ClusterFacts>) => {
      await store.write(clock.now(), async tx => {
        const known = await tx.lockCluster(scene.cluster)
        if (known) await tx.changeCluster(scene.cluster, { facts: withFacts(known.facts, facts) }, { evidence: [] })
        for (const kind of ['addon', 'cluster'] as const) await tx.enqueue({ kind, id: kind === 'addon' ? scene.id : scene.cluster, region: REGION })
      })
    }
    await scene.pods({ ready: false })
    await scene.world.pass(silentFor)
    await cluster({ unpaid: true })
    await scene.world.pass(10 * MINUTE)
    await scene.shows('Failed ClusterNotRunning')
    await cluster({ unpaid: false, startingSince: clock.now() })
    await scene.world.until('the cluster runs again', async () => (await store.findCluster(scene.cluster))?.said.status.phase === 'Running', 10 * MINUTE)
    await scene.shows(afterwards)
    await scene.world.pass(50 * SECOND)
    await scene.shows(afterwards)
    await scene.shows(UNKNOWN, 20 * SECOND)
    await scene.scene.end()
  }
})

test('an API that is away for a second again and again does not keep a silent add-on from being told', async () => {
  const scene = await installed(), { store, clock } = scene.world
  const cluster = async (controlPlane: ClusterFacts['controlPlane']) => {
    await store.write(clock.now(), async tx => {
      const known = await tx.lockCluster(scene.cluster)
      if (known) await tx.changeCluster(scene.cluster, { facts: withFacts(known.facts, { controlPlane }) }, { evidence: [] })
      await tx.enqueue({ kind: 'addon', id: scene.id, region: REGION })
    })
  }
  await scene.pods({ ready: false })
  for (let times = 0; times < 3; times++) {
    await scene.world.pass(50 * SECOND)
    await cluster('starting')
    await scene.world.pass(SECOND)
    await cluster('usable')
  }
  await scene.shows(UNKNOWN, SECOND)
  await scene.scene.end()
})

test('what somebody took away does not work until it is there again', async () => {
  const scene = await installed(), { addons } = scene.world
  addons.fails = new Error('the chart could not be read')
  addons.installed.delete(`${scene.cluster}/${NAME}`)
  await scene.world.store.queue.enqueue({ kind: 'addon', id: scene.id, region: REGION })
  await scene.world.pass(SECOND)
  await scene.shows(WORKS)
  assert.match(await scene.because(), /^Nothing of it is there, since \S+; it is shown as failed at \S+ if that is still so$/)
  addons.newPods = [{ ready: false }]
  addons.fails = undefined
  await scene.shows(UNKNOWN, MINUTE)
  await scene.pods({})
  await scene.shows(WORKS, SECOND)
  await scene.scene.end()
})

describe('in a simulated region', () => {
  const regions = new FreshRegions('available')
  const OF = /(\d+) of (\d+) pods available/g
  const saysSo = ({ Because, Evidence }: { readonly Because: string; readonly Evidence: readonly { readonly Fact: string }[] }) => {
    if (!Because.startsWith('All its workloads are available')) return
    for (const { Fact } of Evidence) for (const [, available, desired] of Fact.matchAll(OF)) assert.ok(Number(available) >= Number(desired), `${Because}: ${Fact}`)
  }

  test('cluster DNS that loses its node is not shown as working before its pod runs on another one', async () => {
    const { ClusterId, to } = await regions.machinePool(), Id = `${ClusterId}:core-dns`
    const why = async () => await regions.done('ExplainStatus', { Id }) as unknown as Parameters<typeof saysSo>[0]
    await to(1)
    await regions.step('5m')
    await regions.done('SetMachine', { Id: machineOf((await regions.nodes())[0]), Power: 'off' })
    // As long as Kubernetes waits for a node's word.
    await regions.step('50s')
    assert.match((await why()).Because, /^No pod of Deployment\/core-dns is available, .* it is shown as failed at /)
    await regions.step('10m')
    await to(2)
    for (let half = 0; half < 240; half++) {
      await regions.step('500ms')
      saysSo(await why())
    }
    const told = (await regions.done('ListStatusHistory', { PageSize: 100, Filter: { Ids: [Id] } })).Items as unknown as (History & Parameters<typeof saysSo>[0])[]
    for (const row of told) saysSo(row)
    assert.deepEqual(told.map(row => `${row.Status?.Phase} ${row.Status?.Conditions.map(({ Type }) => Type).join('+')}`).toReversed().slice(-4), [WORKS, UNKNOWN, NO_NODE, WORKS])
    assert.match((await why()).Evidence[0]?.Fact ?? '', /^Deployment\/core-dns: 1 of 1 pods available/)
  })
})
