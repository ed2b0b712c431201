import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AddonConflict, AddonHeld } from '#ports/addon-installer.ts'
import { TenantClusterUnreachable, type TenantClusterAddress } from '#ports/tenant-cluster.ts'
import { TinyRegion } from '../testing/tiny-region.harness.ts'

const INGRESS = { name: 'ingress-nginx', version: 'v1.11.5' }

async function begin(withNode = true): Promise<{ tiny: TinyRegion; cluster: TenantClusterAddress; available: () => Promise<number[]> }> {
  const tiny = await TinyRegion.open()
  const cluster = await tiny.cluster()
  if (withNode) await tiny.node(cluster)
  return { tiny, cluster, available: async () => (await tiny.region.addons.look(cluster, INGRESS.name))?.workloads.map(workload => workload.available) ?? [] }
}

test('an add-on is applied, its pods come up, it is changed as a roll-out, and nothing of it is left', async () => {
  const { tiny, cluster, available } = await begin()
  const { addons } = tiny.region
  assert.equal(await addons.look(cluster, INGRESS.name), undefined)
  await addons.ensure(cluster, INGRESS)
  await addons.ensure(cluster, INGRESS)
  assert.deepEqual(await available(), [0])
  await tiny.pass(60_000)
  assert.deepEqual(await available(), [2])
  assert.ok(tiny.told.some(({ change }) => change.kind === 'Workload' && change.addon === INGRESS.name))
  await addons.ensure(cluster, { ...INGRESS, version: 'v1.12.3' })
  assert.equal((await addons.look(cluster, INGRESS.name))?.version, 'v1.12.3')
  assert.ok(((await addons.look(cluster, INGRESS.name))?.workloads[0]?.updated ?? 2) < 2)
  await tiny.pass(120_000)
  assert.equal((await addons.look(cluster, INGRESS.name))?.workloads[0]?.updated, 2)
  await addons.ensure(cluster, { ...INGRESS, version: 'v1.12.3', config: '{"replicas":1}' })
  await tiny.pass(60_000)
  assert.equal((await addons.look(cluster, INGRESS.name))?.workloads[0]?.desired, 1)
  await addons.ensureGone(cluster, INGRESS.name, { crds: 'Delete' })
  await addons.ensureGone(cluster, INGRESS.name, { crds: 'Delete' })
  assert.equal(await addons.look(cluster, INGRESS.name), undefined)
  assert.deepEqual(tiny.region.ground.objects.of('c1'), [])
})

test('without a node the scheduler says why, and there are 0 schedulable ones', async () => {
  const { tiny, cluster } = await begin(false)
  await tiny.region.addons.ensure(cluster, INGRESS)
  await tiny.pass(1_000)
  const seen = await tiny.region.addons.look(cluster, INGRESS.name)
  assert.equal(seen?.schedulableNodes, 0)
  assert.match(seen?.workloads[0]?.pods[0]?.unschedulable ?? '', /no nodes available|0\/0 nodes/)
})

test('an object of its name that a user made is a conflict, and nothing is touched', async () => {
  const { tiny, cluster } = await begin()
  tiny.region.ground.objects.put({ clusterId: 'c1', kind: 'Deployment', namespace: 'kube-system', name: 'ingress-nginx-controller', finalizers: [] })
  await assert.rejects(tiny.region.addons.ensure(cluster, INGRESS), AddonConflict)
  assert.equal(await tiny.region.addons.look(cluster, INGRESS.name), undefined)
})

test('a custom resource whose finalizer nobody serves keeps its definition, and is named; without being asked for, definitions stay', async () => {
  const { tiny, cluster } = await begin()
  const { addons, ground: { objects } } = tiny.region
  await addons.ensure(cluster, INGRESS)
  objects.put({ clusterId: 'c1', kind: 'IngressPolicy', namespace: 'web', name: 'edge', finalizers: ['ingress.example.com/cleanup'] })
  await assert.rejects(addons.ensureGone(cluster, INGRESS.name, { crds: 'Delete' }), (error: unknown) => error instanceof AggregateError && /IngressPolicy web\/edge waits for ingress\.example\.com\/cleanup/.test(String(error.errors[0])) && !(error.errors[0] instanceof AddonHeld))
  objects.put({ clusterId: 'c1', kind: 'IngressPolicy', namespace: 'web', name: 'edge', finalizers: [] })
  await addons.ensureGone(cluster, INGRESS.name, { crds: 'Delete' })
  assert.deepEqual(objects.of('c1'), [])
  await addons.ensure(cluster, INGRESS)
  await addons.ensureGone(cluster, INGRESS.name, { crds: 'Retain' })
  assert.deepEqual(objects.of('c1').map(({ kind }) => kind), ['CustomResourceDefinition'])
})

test('what is protected cannot be removed, and an API that is away cannot be asked', async () => {
  const { tiny, cluster } = await begin()
  await tiny.region.addons.ensure(cluster, INGRESS)
  await tiny.region.faults.inject('f1', { port: 'addon-installer', call: 'ensureGone', effect: { type: 'protected' } })
  await assert.rejects(tiny.region.addons.ensureGone(cluster, INGRESS.name, { crds: 'Retain' }), (error: unknown) => error instanceof AggregateError && error.errors[0] instanceof AddonHeld)
  await tiny.region.host.ensureStopped('c1')
  await assert.rejects(tiny.region.addons.look(cluster, INGRESS.name), TenantClusterUnreachable)
})
