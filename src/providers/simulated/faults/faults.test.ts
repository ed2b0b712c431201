/** Each effect of a fault at each port, what it strikes and when it ends; over three hundred lines, as it is one table of them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ControlPlaneFailure } from '#ports/control-plane-host.ts'
import { MachineHeld, MachineRefused } from '#ports/machines.ts'
import { OutsideHeld, OutsideRefused } from '#ports/outside.ts'
import type { FaultOrder } from '#ports/region-world.ts'
import { TenantClusterUnreachable } from '#ports/tenant-cluster.ts'
import { MemoryWorldStore } from '../store/memory-world-store.ts'
import { NOON, TinyRegion } from '../testing/tiny-region.harness.ts'
import { regionsWithFaults } from './kept-faults.ts'

const CLUSTER = { clusterId: 'c1', name: 'shop', version: 'v1.35.4', address: '10.213.4.7', podCidr: '10.0.0.0/16', serviceCidr: '10.1.0.0/16', maxPodsPerNode: 64 }
const PEM = 'k'
const PKI = { caCert: PEM, caKey: PEM, frontProxyCaCert: PEM, frontProxyCaKey: PEM, etcdCaCert: PEM, etcdCaKey: PEM, serviceAccountKey: PEM, serviceAccountPublicKey: PEM }
const BOX = { id: 'm1', name: 'shop-1', address: '10.213.4.9', power: 'on', link: 'up' } as const
const BALANCER = { token: 'c1/LoadBalancer', kind: 'LoadBalancer', accountId: '21', clusterId: 'c1', name: 'shop-LoadBalancer' } as const

let faults = 0
async function opened(...orders: FaultOrder[]): Promise<TinyRegion> {
  const tiny = await TinyRegion.open()
  for (const order of orders) await inject(tiny, order)
  return tiny
}

async function inject(tiny: TinyRegion, order: FaultOrder): Promise<string> {
  assert.equal(tiny.region.faults.complaint(order), undefined)
  const id = `f${++faults}`
  await tiny.region.faults.inject(id, order)
  return id
}

const hits = (tiny: TinyRegion) => tiny.region.faults.list().map(fault => fault.hits).join()

test('each port fails with its own error, in the words of the order, as often as the order says', async () => {
  const tiny = await opened(
    { port: 'control-plane-host', call: 'ensure', effect: { type: 'fail', code: 'never', message: 'the disk is full' }, times: 1 },
    { port: 'machines', call: 'ensure', effect: { type: 'fail', code: 'StockOut', message: 'none left' }, times: 1 },
    { port: 'outside', call: 'ensure', effect: { type: 'fail', code: 'LimitedByQuota', message: 'five at most' }, times: 1 },
    { port: 'tenant-cluster', call: 'probe', effect: { type: 'fail', message: 'i/o timeout' }, times: 1 },
  )
  const { host, machines, outside, tenant } = tiny.region
  await assert.rejects(host.ensure({ ...CLUSTER, pki: PKI }), (error: unknown) => error instanceof ControlPlaneFailure && error.retry === 'never' && error.message === 'the disk is full')
  assert.equal((await host.look('c1')).network, false, 'nothing was made')
  await assert.rejects(machines.ensure(BOX), (error: unknown) => error instanceof MachineRefused && error.as === 'StockOut' && error.message === 'none left')
  await assert.rejects(outside.ensure(BALANCER), (error: unknown) => error instanceof OutsideRefused && error.as === 'LimitedByQuota')
  await assert.rejects(tenant.probe({ clusterId: 'c1', address: '', pki: PKI }), TenantClusterUnreachable)
  assert.equal(hits(tiny), '1,1,1,1')
  await host.ensure({ ...CLUSTER, pki: PKI })
  await machines.ensure(BOX)
  await outside.ensure(BALANCER)
  assert.equal((await host.look('c1')).network, true)
})

test('a stutter fails three times and then works', async () => {
  const tiny = await opened({ port: 'machines', call: 'ensure', effect: { type: 'stutter' } })
  for (let time = 0; time < 3; time++) await assert.rejects(tiny.region.machines.ensure(BOX))
  await tiny.region.machines.ensure(BOX)
})

test('a target is met by kind, id, name, label and the how manieth it is, and nothing else is', async () => {
  const tiny = await opened(
    { port: 'machines', call: 'ensure', target: { kind: 'Node', name: 'shop-2' }, effect: { type: 'fail', message: 'by name' } },
    { port: 'machines', call: 'ensure', target: { kind: 'Node', id: 'n3' }, effect: { type: 'fail', message: 'by the id of its node' } },
    { port: 'machines', call: 'ensure', target: { kind: 'Machine', nth: 2 }, effect: { type: 'fail', message: 'the second' } },
  )
  const said = async (id: string, name: string) => await tiny.region.machines.ensure({ ...BOX, id, name }).then(() => 'made', (error: unknown) => (error as Error).message)
  assert.deepEqual([await said('m1', 'shop-1'), await said('m2', 'shop-2'), await said('m3', 'shop-3'), await said('m4', 'shop-4'), await said('m5', 'shop-5')], ['made', 'by name', 'by the id of its node', 'the second', 'made'])
})

// oxfmt-ignore
const howManieth: [what: string, more: Partial<FaultOrder>][] = [
  ['a failure',                 { effect: { type: 'fail' } }],
  ['a stutter',                 { effect: { type: 'stutter' } }],
  ['one with a count of its own', { effect: { type: 'fail' }, times: 5 }],
]
for (const [what, more] of howManieth) {
  test(`a fault that is for the how manieth alone ends with it, and its end is told: ${what}`, async () => {
    const store = new MemoryWorldStore(), tiny = await TinyRegion.open({ store })
    await inject(tiny, { port: 'machines', call: 'look', target: { nth: 2 }, effect: { type: 'fail' }, ...more })
    let told = 0
    tiny.region.faults.onChange(() => told++)
    await tiny.region.machines.look('m1')
    await tiny.pass(1)
    assert.equal(told, 0)
    await assert.rejects(tiny.region.machines.look('m1'))
    await tiny.pass(1)
    assert.deepEqual([told, hits(tiny)], [1, '1'])
    assert.deepEqual(await regionsWithFaults(store, ['sim-1'], 'machines'), new Set())
  })
}

test('of what falls silent the how manieth does alone, and stays so', async () => {
  const tiny = await TinyRegion.open()
  const cluster = await tiny.cluster()
  for (const number of [1, 2, 3]) await tiny.node(cluster, `shop-${number}`, `m${number}`)
  const all = () => Promise.all([1, 2, 3].map(number => tiny.ready(cluster, `shop-${number}`)))
  await inject(tiny, { port: 'machines', call: 'kubelet', target: { nth: 2 }, effect: { type: 'silent' } })
  await tiny.pass(60_000)
  const silent = await all()
  assert.deepEqual([silent.toSorted(), hits(tiny)], [['True', 'True', 'Unknown'], '1'])
  await tiny.restart()
  await tiny.pass(600_000)
  assert.deepEqual([await all(), hits(tiny)], [silent, '1'])
  await tiny.region.faults.clearAll()
  await tiny.pass(1_000)
  assert.deepEqual(await all(), ['True', 'True', 'True'])
})

for (const more of [{ times: 1 }, { target: { nth: 1 } }]) for (const when of ['before it starts', 'while it runs']) {
  test(`an API server that falls silent once stays so for as long as its fault stands: ${JSON.stringify(more)}, ${when}`, async () => {
    const tiny = await TinyRegion.open()
    const fallsSilent = () => inject(tiny, { port: 'control-plane-host', call: 'kube-apiserver', effect: { type: 'silent' }, ...more })
    if (when === 'before it starts') await fallsSilent()
    await tiny.region.host.ensure({ ...CLUSTER, pki: TinyRegion.pki })
    await tiny.pass(60_000)
    const isReady = () => tiny.region.tenant.probe({ clusterId: 'c1', address: '10.213.4.7', pki: TinyRegion.pki }).then(({ ready }) => ready, () => false)
    if (when === 'while it runs') {
      assert.equal(await isReady(), true)
      await fallsSilent()
      await tiny.pass(60_000)
    }
    assert.equal(await isReady(), false)
    await tiny.region.faults.clearAll()
    await tiny.pass(60_000)
    assert.equal(await isReady(), true)
  })
}

test('a fault may be at all machines of a pool, and at every call at which it means something', async () => {
  const tiny = await opened(
    { port: 'machines', call: 'ensure', target: { kind: 'NodePool', id: 'p1' }, effect: { type: 'fail', message: 'not this pool' } }, { port: 'outside', effect: { type: 'protected' } },
  )
  await assert.rejects(tiny.region.machines.ensure({ ...BOX, nodePoolId: 'p1' }), /not this pool/)
  await tiny.region.machines.ensure({ ...BOX, nodePoolId: 'p2' })
  await tiny.region.outside.ensure(BALANCER)
  await assert.rejects(tiny.region.outside.ensureGone(BALANCER.token), OutsideHeld)
})

test('a fault by label meets nodes that carry it', async () => {
  const tiny = await TinyRegion.open()
  const cluster = await tiny.cluster()
  await tiny.node(cluster)
  await tiny.region.tenant.ensureNodeConfig(cluster, 'shop-1', { labels: [{ key: 'zone', value: 'a' }], taints: [] })
  await inject(tiny, { port: 'tenant-cluster', call: 'getNode', target: { label: 'zone=b' }, effect: { type: 'fail' } })
  assert.equal(await tiny.ready(cluster), 'True')
  await inject(tiny, { port: 'tenant-cluster', call: 'getNode', target: { label: 'zone=a' }, effect: { type: 'fail' } })
  await assert.rejects(tiny.ready(cluster))
})

test('a call that hangs is held in the region\'s time and holds nobody; then it goes its way', async () => {
  const tiny = await opened({ port: 'outside', call: 'ensure', effect: { type: 'hang', for: 60_000 } })
  const tried = async () => await tiny.region.outside.ensure(BALANCER).then(() => 'done', (error: unknown) => (error as Error).message)
  assert.equal(await tried(), 'ensure: no answer')
  await tiny.pass(59_000)
  assert.equal(await tried(), 'ensure: no answer')
  await tiny.pass(1_000)
  assert.equal(await tried(), 'done')
  assert.equal(await tried(), 'done')
})

test('half: the thing is made and the call fails; double: the request arrives twice and makes one thing', async () => {
  const tiny = await opened(
    { port: 'outside', call: 'ensure', effect: { type: 'half' }, times: 1 }, { port: 'control-plane-host', call: 'ensure', effect: { type: 'double' } },
  )
  await assert.rejects(tiny.region.outside.ensure(BALANCER))
  const made = await tiny.region.outside.look(BALANCER.token)
  assert.equal((await tiny.region.outside.ensure(BALANCER)).providerId, made?.providerId)
  await tiny.region.host.ensure({ ...CLUSTER, pki: PKI })
  assert.equal((await tiny.region.host.look('c1')).components[0]?.recentStarts, 1)
})

for (const { ends, order, end } of [
  { ends: 'when it is cleared', order: {}, end: async (tiny: TinyRegion, id: string) => { await tiny.region.faults.clear(id) } },
  { ends: 'when all are cleared', order: {}, end: (tiny: TinyRegion) => tiny.region.faults.clearAll() },
  { ends: 'at its time', order: { until: NOON + 60_000 }, end: (tiny: TinyRegion) => tiny.pass(60_000) },
  { ends: 'after so many looks', order: { times: 2 }, end: async () => {} },
]) {
  test(`a machine that is there after all is told of once, when the look that hid it lies no more: ${ends}`, async () => {
    const tiny = await TinyRegion.open()
    const id = await inject(tiny, { port: 'machines', call: 'look', effect: { type: 'lie' }, ...order })
    for (const each of ['m1', 'm2']) assert.equal(await tiny.region.machines.look(each), undefined)
    await tiny.region.machines.ensure(BOX)
    await end(tiny, id)
    await tiny.pass(1_000)
    await tiny.region.faults.clearAll()
    await tiny.pass(1_000)
    assert.deepEqual(tiny.told.flatMap(({ change }) => (change.kind === 'MachineAfterAll' ? change.seen.id : [])), ['m1'])
  })
}

test('a look that lies tells what it told at first, also after the process died', async () => {
  const tiny = await opened({ port: 'control-plane-host', call: 'look', effect: { type: 'lie' } })
  assert.equal((await tiny.region.host.look('c1')).network, false)
  await tiny.region.host.ensure({ ...CLUSTER, pki: PKI })
  await tiny.restart()
  assert.equal((await tiny.region.host.look('c1')).network, false)
  await tiny.region.faults.clearAll()
  assert.equal((await tiny.region.host.look('c1')).network, true)
})

test('what is protected is named with the call that was refused, and goes when it is protected no more', async () => {
  const tiny = await TinyRegion.open()
  await tiny.region.outside.ensure(BALANCER)
  await tiny.region.machines.ensure(BOX)
  await tiny.region.host.ensure({ ...CLUSTER, pki: PKI })
  for (const port of ['outside', 'machines', 'control-plane-host']) await inject(tiny, { port, call: 'ensureGone', effect: { type: 'protected' } })
  await assert.rejects(tiny.region.outside.ensureGone(BALANCER.token), (error: unknown) => error instanceof OutsideHeld && /^The load balancer shop-LoadBalancer \(clb-[0-9a-f]{20}\) is protected against deletion: DeleteLoadBalancer was refused$/.test(error.message))
  await assert.rejects(tiny.region.machines.ensureGone('m1'), (error: unknown) => error instanceof MachineHeld && /shop-1 \(m1\) is protected against deletion: ReleaseMachine was refused/.test(error.message))
  await assert.rejects(tiny.region.host.ensureGone('c1'), (error: unknown) => error instanceof AggregateError && (error.errors[0] as ControlPlaneFailure).retry === 'never')
  await tiny.region.faults.clearAll()
  await tiny.region.outside.ensureGone(BALANCER.token)
  assert.equal(await tiny.region.outside.look(BALANCER.token), undefined)
  const { providerId } = await tiny.region.outside.ensure(BALANCER)
  assert.equal(await tiny.region.outside.protect(providerId, true), true)
  await assert.rejects(tiny.region.outside.ensureGone(BALANCER.token), OutsideHeld)
})

test('an API server that cannot start ends again and again with its last words, and starts by itself when the cause is gone', async () => {
  const tiny = await opened({ port: 'control-plane-host', call: 'kube-apiserver', effect: { type: 'fail', message: 'E1125 bind: address already in use' } })
  await tiny.region.host.ensure({ ...CLUSTER, pki: PKI })
  const api = async () => (await tiny.region.host.look('c1')).components.find(({ name }) => name === 'kube-apiserver')
  await tiny.pass(20_000)
  assert.deepEqual([(await api())?.state, (await api())?.lastExit?.lastLines, (await api())?.lastExit?.code], ['exited', ['E1125 bind: address already in use'], 1])
  await tiny.pass(100_000)
  assert.ok((await api())!.recentStarts >= 6, 'five restarts in ten minutes')
  await tiny.region.faults.clearAll()
  await tiny.pass(10_000)
  assert.equal((await api())?.state, 'running')
  assert.equal((await tiny.region.tenant.probe({ clusterId: 'c1', address: '', pki: PKI })).ready, true)
})

test('a fault at a component ends the one that runs, within its time, and its cluster\'s nodes are judged by nobody meanwhile', async () => {
  const tiny = await TinyRegion.open()
  const cluster = await tiny.cluster()
  await tiny.node(cluster)
  await inject(tiny, { port: 'control-plane-host', call: 'etcd', effect: { type: 'fail', message: 'panic: no space left' }, from: tiny.now + 10_000, until: tiny.now + 200_000 })
  await tiny.pass(5_000)
  assert.equal((await tiny.region.tenant.probe(cluster)).ready, true)
  await tiny.pass(100_000)
  assert.equal((await tiny.region.tenant.probe(cluster)).ready, false)
  await assert.rejects(tiny.ready(cluster), TenantClusterUnreachable)
  await tiny.pass(110_000)
  assert.equal(await tiny.ready(cluster), 'True')
})

test('a dead scheduler leaves the API ready and pods without a place', async () => {
  const tiny = await TinyRegion.open()
  const cluster = await tiny.cluster()
  await inject(tiny, { port: 'control-plane-host', call: 'kube-scheduler', effect: { type: 'fail' } })
  const { ready, scheduler, controllerManager } = await tiny.region.tenant.probe(cluster)
  assert.deepEqual([ready, scheduler, controllerManager], [true, false, true])
  await tiny.node(cluster)
  assert.equal((await tiny.region.tenant.probe(cluster)).dns.available, 0)
})

test('a silent kubelet makes its node Unknown, and one that says it is not ready makes it that', async () => {
  const tiny = await TinyRegion.open()
  const cluster = await tiny.cluster()
  await tiny.node(cluster)
  const id = await inject(tiny, { port: 'machines', call: 'kubelet', target: { kind: 'Node', name: 'shop-1' }, effect: { type: 'silent' } })
  await tiny.pass(46_000)
  assert.equal(await tiny.ready(cluster), 'Unknown')
  await tiny.region.faults.clear(id)
  await tiny.pass(1_000)
  assert.equal(await tiny.ready(cluster), 'True')
  await inject(tiny, { port: 'machines', call: 'kubelet', effect: { type: 'fail', message: 'PLEG is not healthy' } })
  await tiny.pass(1_000)
  const ready = (await tiny.region.tenant.getNode(cluster, 'shop-1'))?.ready
  assert.deepEqual([ready?.status, ready?.reason, ready?.message], ['False', 'KubeletNotReady', 'PLEG is not healthy'])
})

for (const [step, text] of [['preflight', 'nft is missing'], ['download', 'curl: (28) timed out'], ['start', 'exit status 1']] as const) {
  test(`a join whose ${step} fails reports the step and never gets its node`, async () => {
    const tiny = await opened({ port: 'machines', call: step, effect: { type: 'fail', message: text } })
    const cluster = await tiny.cluster()
    await tiny.node(cluster)
    assert.match(tiny.kinds(), new RegExp(`Report failed ${step}$`))
    const { change } = tiny.told.at(-1)!
    assert.ok(change.kind === 'Report' && change.text === text)
    await tiny.pass(600_000)
    assert.equal(await tiny.ready(cluster), 'gone')
  })
}

test('a machine that does not come up, or whose script ends before it is admitted, is never heard of; its console tells', async () => {
  for (const call of ['boot', 'contact'] as const) {
    const tiny = await opened({ port: 'machines', call, effect: { type: 'fail' } })
    await tiny.node(await tiny.cluster())
    assert.doesNotMatch(tiny.kinds(), /Join/, call)
    const stuck = (await tiny.region.machines.look('m1'))?.stuck
    assert.deepEqual([stuck?.step, stuck?.failed], [call, true])
  }
})

test('a fault under which something goes on counts each thing once, and takes no more of them than it may', async () => {
  const tiny = await TinyRegion.open()
  const cluster = await tiny.cluster()
  await tiny.node(cluster, 'shop-1', 'm1')
  await tiny.node(cluster, 'shop-2', 'm2')
  await inject(tiny, { port: 'machines', call: 'kubelet', effect: { type: 'silent' }, times: 1 })
  await tiny.pass(60_000)
  assert.deepEqual([await tiny.ready(cluster, 'shop-1'), await tiny.ready(cluster, 'shop-2')], ['Unknown', 'True'])
  assert.equal(hits(tiny), '1')
  await tiny.region.faults.clearAll()
  await inject(tiny, { port: 'machines', call: 'kubelet', effect: { type: 'silent' } })
  await tiny.pass(60_000)
  assert.equal(hits(tiny), '2')
})

test('a slow happening takes so much longer', async () => {
  const tiny = await opened({ port: 'machines', call: 'download', effect: { type: 'slow', for: 300_000 } })
  const cluster = await tiny.cluster()
  await tiny.node(cluster)
  assert.equal(await tiny.ready(cluster), 'gone')
  await tiny.pass(300_000)
  assert.equal(await tiny.ready(cluster), 'True')
})

test('lost data of a control plane is said and its API does not come back', async () => {
  const tiny = await TinyRegion.open()
  const cluster = await tiny.cluster()
  await inject(tiny, { port: 'control-plane-host', call: 'data', effect: { type: 'fail', message: 'the write-ahead log is gone' }, times: 1 })
  await tiny.pass(600_000)
  assert.equal((await tiny.region.host.look('c1')).dataLost, 'the write-ahead log is gone')
  assert.equal((await tiny.region.tenant.probe(cluster)).ready, false)
})

test('a cause that can never be cured costs ever less: ten years of a component that dies are few events', async () => {
  const tiny = await opened({ port: 'control-plane-host', call: 'etcd', effect: { type: 'fail' } })
  await tiny.region.host.ensure({ ...CLUSTER, pki: PKI })
  await tiny.pass(10 * 365 * 86_400_000)
  assert.ok(tiny.told.length < 1_000, String(tiny.told.length))
})

// oxfmt-ignore
const complaints: [order: FaultOrder, member: string][] = [
  [{ port: 'nothing', effect: { type: 'fail' } },                                                            'Port'],
  [{ port: 'machines', call: 'explode', effect: { type: 'fail' } },                                          'Call'],
  [{ port: 'machines', effect: { type: 'silent' } },                                                         'Call'],
  [{ port: 'machines', call: 'look', effect: { type: 'double' } },                                           'Effect.Type'],
  [{ port: 'machines', call: 'ensure', effect: { type: 'protected' } },                                      'Effect.Type'],
  [{ port: 'machines', call: 'ensure', effect: { type: 'lie' } },                                            'Effect.Type'],
  [{ port: 'machines', call: 'kubelet', effect: { type: 'lie' } },                                           'Effect.Type'],
  [{ port: 'machines', call: 'ensure', effect: { type: 'slow' } },                                           'Effect.For'],
  [{ port: 'machines', effect: { type: 'hang', for: -1 } },                                                  'Effect.For'],
  [{ port: 'machines', call: 'ensure', effect: { type: 'fail', for: 60_000 } },                              'Effect.For'],
  [{ port: 'machines', call: 'look', effect: { type: 'lie', for: 60_000 } },                                 'Effect.For'],
  [{ port: 'machines', call: 'ensure', effect: { type: 'hang', message: 'no' } },                            'Effect.Message'],
  [{ port: 'machines', call: 'ensure', effect: { type: 'double', code: '500' } },                            'Effect.Code'],
  [{ port: 'machines', target: {}, effect: { type: 'fail' } },                                               'Target'],
  [{ port: 'machines', target: { kind: 'Planet' }, effect: { type: 'fail' } },                               'Target.Kind'],
  [{ port: 'machines', target: { nth: 0 }, effect: { type: 'fail' } },                                       'Target.Nth'],
  [{ port: 'machines', target: { name: '' }, effect: { type: 'fail' } },                                     'Target.Name'],
  [{ port: 'machines', effect: { type: 'fail' }, times: 0 },                                                 'Times'],
  [{ port: 'machines', effect: { type: 'fail' }, until: 5 },                                                 'Until'],
]
test('what can fall silent is told of the port that was named', async () => {
  const { faults } = (await opened()).region
  const told = (port: string, call?: string) => faults.complaint({ port, ...call !== undefined && { call }, effect: { type: 'silent' } })
  assert.deepEqual([told('api'), told('machines'), told('machines', 'look'), told('addon-installer'), told('outside'), told('tenant-cluster', 'probe')], [
    { member: 'Call', why: 'what falls silent is named: the action, such as CreateCluster' },
    { member: 'Call', why: 'only what happens by itself falls silent, and it is named: of machines boot, preflight, contact, download, start, kubelet, login' },
    { member: 'Effect.Type', why: 'only what happens by itself falls silent, and it is named: of machines boot, preflight, contact, download, start, kubelet, login' },
    { member: 'Call', why: 'only what happens by itself falls silent, and it is named: of addon-installer container' },
    { member: 'Effect.Type', why: 'only what happens by itself falls silent, and nothing of outside does so; machines have kubelet, and control-plane-host has kube-apiserver' },
    { member: 'Effect.Type', why: 'only what happens by itself falls silent, and nothing of tenant-cluster does so; machines have kubelet, and control-plane-host has kube-apiserver' },
  ])
})
for (const [order, member] of complaints) {
  test(`a fault that could never strike is refused by its ${member}: ${JSON.stringify(order)}`, async () => {
    assert.equal((await opened()).region.faults.complaint(order)?.member, member)
  })
}
