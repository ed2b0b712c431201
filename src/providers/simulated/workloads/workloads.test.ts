import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TenantClusterAddress } from '#ports/tenant-cluster.ts'
import { TinyRegion } from '../testing/tiny-region.harness.ts'
import type { WorkloadOrder } from './workload.ts'

const WEB: WorkloadOrder = { kind: 'Deployment', namespace: 'web', name: 'web', replicas: 2, cpuMillis: 500, memoryMiB: 256, image: 'web:v1' }

async function withNode(): Promise<{ tiny: TinyRegion; cluster: TenantClusterAddress; see: () => { available: number; updated: number; waits: string[]; words: string } }> {
  const tiny = await TinyRegion.open()
  const cluster = await tiny.cluster()
  await tiny.node(cluster)
  return {
    tiny, cluster,
    see() {
      const { workloads } = tiny.region.ground
      const seen = workloads.see(workloads.of('c1', 'web')[0]!)
      const pods = seen.pods.map(pod => pod.unschedulable !== undefined ? 'unschedulable' : pod.waiting?.reason ?? (pod.ready ? 'ready' : 'not ready'))
      return { available: seen.available, updated: seen.updated, waits: pods, words: seen.pods.map(pod => pod.unschedulable ?? pod.waiting?.message).join() }
    },
  }
}

const apply = (tiny: TinyRegion, change: Partial<WorkloadOrder> = {}) => { tiny.region.ground.workloads.apply('c1', 'web', { ...WEB, ...change }) }

test('pods are placed, pull their image, run, and whoever owns them is told', async () => {
  const { tiny, see } = await withNode()
  apply(tiny)
  assert.deepEqual(see().waits, ['ContainerCreating', 'ContainerCreating'])
  tiny.told.length = 0
  await tiny.pass(5_000)
  assert.deepEqual(see().waits, ['ready', 'ready'])
  assert.ok(tiny.told.some(({ change }) => change.kind === 'Workload' && change.addon === 'web'))
  assert.equal(tiny.region.events.nextAt(), undefined)
})

test('without a node pods wait in the scheduler\'s words, and run soon after one joined', async () => {
  const tiny = await TinyRegion.open()
  const cluster = await tiny.cluster()
  apply(tiny)
  const { workloads } = tiny.region.ground
  const look = () => workloads.see(workloads.of('c1', 'web')[0]!)
  assert.equal(look().pods[0]?.unschedulable, 'no nodes available to schedule pods')
  await tiny.node(cluster)
  await tiny.pass(5_000)
  assert.equal(look().available, 2)
})

test('what asks for more than a node has waits for room, and a cordoned or tainted node is none', async () => {
  const { tiny, cluster, see } = await withNode()
  apply(tiny, { replicas: 3, cpuMillis: 1_800 })
  await tiny.pass(5_000)
  assert.deepEqual(see().waits.toSorted(), ['ready', 'ready', 'unschedulable'])
  assert.match(see().words, /0\/1 nodes are available: 1 Insufficient cpu\./)
  const room = await tiny.region.tenant.room!(cluster)
  assert.deepEqual([room.waiting.map(one => one.cpuMillis), room.busy, room.perNode], [[1_800], ['shop-1'], { cpuMillis: 4_000, memoryMiB: 8_192, pods: 64, known: true }])
  await tiny.region.tenant.setSchedulable(cluster, 'shop-1', false)
  apply(tiny, { replicas: 4, cpuMillis: 1_800 })
  assert.match(see().words, /1 node\(s\) were unschedulable/)
  await tiny.region.tenant.setSchedulable(cluster, 'shop-1', true)
  await tiny.region.tenant.ensureNodeConfig(cluster, 'shop-1', { labels: [], taints: [{ key: 'gpu', value: 'yes', effect: 'NoSchedule' }] })
  await tiny.pass(0)
  assert.match(see().words, /1 node\(s\) had untolerated taint \{gpu: yes\}/)
  assert.equal((await tiny.region.tenant.room!(cluster)).waiting.length, 2, 'whether another node would help is not said here')
})

test('an image that is missing is waited for as the kubelet does, and pulled at the next try once it is there', async () => {
  const { tiny, see } = await withNode()
  await tiny.region.users.setImage('web', false)
  apply(tiny)
  assert.deepEqual(see().waits, ['ErrImagePull', 'ErrImagePull'])
  await tiny.pass(60_000)
  assert.deepEqual(see().waits, ['ImagePullBackOff', 'ImagePullBackOff'])
  assert.match(see().words, /^Back-off pulling image "registry\.sim-1:5000\/web:v1": ErrImagePull: .* not found/)
  await tiny.region.users.setImage('web', true)
  await tiny.pass(1)
  assert.equal(see().available, 0)
  await tiny.pass(81_000)
  assert.equal(see().available, 2)
})

test('containers that end start ever more seldom; a roll-out to an order that runs replaces them', async () => {
  const { tiny, see } = await withNode()
  apply(tiny, { exits: { code: 2, words: 'panic: no configuration' } })
  await tiny.pass(1_000_000)
  assert.deepEqual(see().waits, ['CrashLoopBackOff', 'CrashLoopBackOff'])
  assert.match(see().words, /^back-off 5m0s restarting failed container=web pod=web-[0-9a-f]{5}_web; it ended with exit code 2: panic: no configuration/)
  apply(tiny)
  await tiny.pass(10_000)
  assert.deepEqual([see().available, see().updated], [2, 2])
})

/** A roll-out to an image that nobody pushed, a minute on. */
async function halfWay() {
  const { tiny, see } = await withNode()
  apply(tiny)
  await tiny.pass(5_000)
  await tiny.region.users.setImage('web:v2', false)
  apply(tiny, { image: 'web:v2' })
  await tiny.pass(60_000)
  return { tiny, see }
}

test('a roll-out to an image that is not there stops half-way, and what served before serves on', async () => {
  const { see } = await halfWay()
  assert.deepEqual([see().available, see().updated, see().waits.toSorted()], [2, 1, ['ImagePullBackOff', 'ready', 'ready']])
})

test('a roll-out whose image is pushed after all comes to its end: no pod of the old order is left', async () => {
  const { tiny, see } = await halfWay()
  await tiny.region.users.setImage('web:v2', true)
  await tiny.pass(3_600_000)
  assert.deepEqual([see().updated, see().waits], [2, ['ready', 'ready']])
})

test('pods of a silent node are not ready with it, and go to another node after five minutes', async () => {
  const { tiny, cluster, see } = await withNode()
  apply(tiny)
  await tiny.pass(5_000)
  await tiny.node(cluster, 'shop-2', 'm2')
  await tiny.region.machines.crash('m1')
  await tiny.pass(60_000)
  assert.equal(see().available, 0)
  await tiny.pass(300_000)
  assert.equal(see().available, 2)
})

test('cluster DNS is counted for a node that can take it, and its loss is told as the cluster\'s', async () => {
  const { tiny, cluster } = await withNode()
  await tiny.pass(5_000)
  assert.deepEqual((await tiny.region.tenant.probe(cluster)).dns, { available: 1, wanted: 1, schedulableNodes: 1 })
  tiny.told.length = 0
  await tiny.region.faults.inject('f1', { port: 'addon-installer', call: 'container', target: { name: 'core-dns' }, effect: { type: 'fail' } })
  await tiny.pass(1_000)
  assert.deepEqual((await tiny.region.tenant.probe(cluster)).dns, { available: 0, wanted: 1, schedulableNodes: 1 })
  assert.ok(tiny.told.some(({ change }) => change.kind === 'ControlPlane'))
  await tiny.region.faults.clear('f1')
  await tiny.pass(20_000)
  assert.equal((await tiny.region.tenant.probe(cluster)).dns.available, 1)
})

test('a user\'s workload is the need that pools scale by, and its change is told', async () => {
  const { tiny, cluster } = await withNode()
  tiny.told.length = 0
  await tiny.region.users.setWorkload({ clusterId: 'c1', name: 'batch', pods: 5, cpuMillis: 2_000, memoryMiB: 100 })
  await tiny.pass(0)
  assert.ok(tiny.told.some(({ change }) => change.kind === 'Room'))
  assert.deepEqual((await tiny.region.tenant.room!(cluster)).waiting.map(one => one.cpuMillis), [2_000, 2_000, 2_000, 2_000], 'DNS takes of the room as well')
  await tiny.region.users.setWorkload({ clusterId: 'c1', name: 'batch', pods: 0, cpuMillis: 0, memoryMiB: 0 })
  assert.deepEqual((await tiny.region.tenant.room!(cluster)).waiting, [])
})

test('what add-ons and the base have on a node is told apart from what users have, and its change is told once somebody needs nodes', async () => {
  const { tiny, cluster } = await withNode()
  const room = () => tiny.region.tenant.room!(cluster), rooms = () => tiny.told.filter(({ change }) => change.kind === 'Room').length
  assert.deepEqual([(await room()).light.map(({ name, pods }) => [name, pods.map(pod => pod.base)]), rooms()], [[['shop-1', [true]]], 0], 'DNS alone is told to no pool')
  await tiny.region.addons.ensure(cluster, { name: 'ingress-nginx', version: 'v1.11.5' })
  await tiny.pass(5_000)
  assert.deepEqual([(await room()).light.map(({ pods }) => pods.map(pod => pod.base)), (await room()).free.map(({ name, cpuMillis, pods }) => [name, cpuMillis, pods])], [[[true, undefined, undefined]], [['shop-1', 3_700, 61]]])
  const before = rooms()
  assert.ok(before > 0)
  await tiny.region.tenant.setSchedulable(cluster, 'shop-1', false)
  await tiny.pass(0)
  assert.ok(rooms() > before, 'where they could go changes with each node')
  assert.deepEqual((await room()).free.map(({ name, shut }) => [name, shut]), [['shop-1', true]])
  await tiny.region.users.setWorkload({ clusterId: 'c1', name: 'batch', pods: 1, cpuMillis: 100, memoryMiB: 100 })
  await tiny.region.tenant.setSchedulable(cluster, 'shop-1', true)
  await tiny.pass(0)
  assert.deepEqual([(await room()).busy, (await room()).light], [['shop-1'], []])
})

test('pods keep away from each other, keep near, and spread as they ask to, in the scheduler\'s words', async () => {
  const { tiny, cluster, see } = await withNode()
  const topologyKey = 'kubernetes.io/hostname', labels = { app: 'web' }, labelSelector = { matchLabels: labels }
  const cases = [
    ['didn\'t match pod anti-affinity rules', 1, { antiAffinity: [{ topologyKey, labelSelector }] }], ['didn\'t have free ports', 1, { hostPorts: [{ port: 80, protocol: 'TCP' }] }],
    ['didn\'t match pod affinity rules', 0, { affinity: [{ topologyKey, labelSelector: { matchLabels: { app: 'other' } } }] }],
    ['didn\'t match pod topology spread constraints', 0, { spread: [{ topologyKey: 'zone', maxSkew: 1, labelSelector }] }], ['didn\'t match Pod\'s node affinity', 0, { nodeAffinity: [{ matchExpressions: [{ key: 'gpu', operator: 'Exists' }] }] }],
  ] as const
  for (const [words, placed, terms] of cases) {
    apply(tiny, { replicas: 0 })
    apply(tiny, { replicas: 2, labels, ...terms })
    await tiny.pass(5_000)
    assert.equal(see().available, placed, words)
    assert.ok(see().words.includes(words), `${words}: ${see().words}`)
  }
  await tiny.node(cluster, 'shop-2', 'm-2')
  apply(tiny, { replicas: 0 })
  apply(tiny, { replicas: 3, labels, spread: [{ topologyKey, maxSkew: 1, labelSelector }], affinity: [{ topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'none' } } }] })
  await tiny.pass(5_000)
  assert.equal(see().available, 0)
})

test('evictions empty a node, and what was on it waits for another', async () => {
  const { tiny, cluster, see } = await withNode()
  apply(tiny)
  await tiny.pass(5_000)
  await tiny.region.tenant.setSchedulable(cluster, 'shop-1', false)
  assert.equal(await tiny.region.tenant.evict(cluster, 'shop-1'), 0)
  assert.deepEqual(see().waits, ['unschedulable', 'unschedulable'])
})

test('pods are the same after the process died', async () => {
  const { tiny, see } = await withNode()
  apply(tiny)
  await tiny.pass(5_000)
  const before = JSON.stringify(see())
  await tiny.restart()
  assert.equal(JSON.stringify(see()), before)
})
