/** The process may die at any moment: a world that is opened again from what was kept is the same one, now and in all that comes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { FaultOrder } from '#ports/region-world.ts'
import { MemoryWorldStore } from './store/memory-world-store.ts'
import { TinyRegion } from './testing/tiny-region.harness.ts'

const CLUSTERS = ['c1', 'c2'], NODES = ['m1', 'm2', 'm3']
// oxfmt-ignore
const FAULTS: readonly FaultOrder[] = [
  { port: 'machines', call: 'kubelet', target: { kind: 'Machine', id: 'm1' }, effect: { type: 'silent' } },
  { port: 'machines', call: 'kubelet', effect: { type: 'fail', message: 'PLEG is not healthy' } },
  { port: 'control-plane-host', call: 'kube-apiserver', target: { id: 'c1' }, effect: { type: 'fail' } },
  { port: 'control-plane-host', call: 'etcd', effect: { type: 'fail' }, times: 2 },
  { port: 'control-plane-host', call: 'kube-controller-manager', effect: { type: 'fail' } },
  { port: 'machines', call: 'download', effect: { type: 'slow', for: 20_000 } },
  { port: 'addon-installer', call: 'container', effect: { type: 'fail' } },
]

type Step = (tiny: TinyRegion) => Promise<unknown>
const step = (text: string, act: Step): readonly [string, Step] => [text, act]
const order = (id: string, power: 'on' | 'off', link: 'up' | 'cut') => ({ id, name: `shop-${id}`, address: `10.213.4.${id.slice(1)}`, power, link, firstBoot: 'sh /join/script/token-1' })
const cluster = (clusterId: string) => ({ clusterId, name: `shop-${clusterId}`, version: 'v1', address: '10.1.1.1', podCidr: '10.0.0.0/16', serviceCidr: '10.1.0.0/16', maxPodsPerNode: 64, pki: TinyRegion.pki })
/** What a controller would try again is of no interest here. */
const tried = (act: Promise<unknown>): Promise<unknown> => act.catch(() => undefined)

const steps: fc.Arbitrary<readonly [string, Step]> = fc.oneof(
  fc.constantFrom(...CLUSTERS).map(id => step(`ensure ${id}`, tiny => tried(tiny.region.host.ensure(cluster(id))))),
  fc.constantFrom(...CLUSTERS).map(id => step(`base of ${id}`, tiny => tried(tiny.region.tenant.ensureBase(cluster(id), { serviceCidr: '', podCidr: '', registry: '' })))),
  fc.constantFrom(...CLUSTERS).map(id => step(`stop ${id}`, tiny => tiny.region.host.ensureStopped(id))),
  fc.constantFrom(...CLUSTERS).map(id => step(`remove ${id}`, tiny => tiny.region.host.ensureGone(id))),
  fc.tuple(fc.constantFrom(...CLUSTERS), fc.subarray(NODES)).map(([id, names]) => step(`members of ${id}: ${names.join()}`, tiny => tried(tiny.region.tenant.ensureMembers(cluster(id), names.map(one => `shop-${one}`))))),
  fc.tuple(fc.constantFrom(...NODES), fc.constantFrom('on', 'off'), fc.constantFrom('up', 'cut')).map(([id, power, link]) => step(`${id} ${power} ${link}`, tiny => tiny.region.machines.ensure(order(id, power as 'on', link as 'up')))),
  fc.constantFrom(...NODES).map(id => step(`crash ${id}`, tiny => tiny.region.machines.crash(id))),
  fc.constantFrom(...NODES).map(id => step(`remove ${id}`, tiny => tiny.region.machines.ensureGone(id))),
  fc.tuple(fc.constantFrom(...CLUSTERS), fc.constantFrom(...NODES)).map(([id, name]) => step(`take ${name} off ${id}`, tiny => tried(tiny.region.tenant.ensureNodeGone(cluster(id), `shop-${name}`)))),
  fc.tuple(fc.constantFrom(...CLUSTERS), fc.nat(4)).map(([id, pods]) => step(`${pods} pods in ${id}`, tiny => tried(tiny.region.users.setWorkload({ clusterId: id, name: 'web', pods, cpuMillis: 900, memoryMiB: 100 })))),
  fc.tuple(fc.nat(FAULTS.length - 1), fc.nat(99)).map(([which, id]) => step(`fault ${which}`, tiny => tiny.region.faults.inject(`f${which}-${id}`, FAULTS[which]!))),
  fc.constant(step('clear all faults', tiny => tiny.region.faults.clearAll())),
  fc.constantFrom(100, 3_000, 12_000, 47_000, 400_000).map(ms => step(`pass ${ms} ms`, tiny => tiny.pass(ms))),
)

/** Two clusters that are usable, one of them with two nodes and pods, so that much can go wrong at once. */
async function settle(tiny: TinyRegion): Promise<void> {
  for (const id of CLUSTERS) await tiny.cluster(id)
  await tiny.region.tenant.ensureMembers(cluster('c1'), NODES.map(name => `shop-${name}`))
  for (const id of NODES.slice(0, 2)) await tiny.region.machines.ensure(order(id, 'on', 'up'))
  await tiny.pass(30_000)
  await tiny.region.users.setWorkload({ clusterId: 'c1', name: 'web', pods: 2, cpuMillis: 900, memoryMiB: 100 })
  assert.equal((await tiny.region.events.everything()).filter(({ kind }) => kind === 'Node').length, 2)
}

/** Everything that can be seen of the world, in an order of its own. */
async function seen({ region }: TinyRegion): Promise<string> {
  const looks = await Promise.all(CLUSTERS.map(async id => [await region.host.look(id), await tried(region.tenant.probe(cluster(id))), await tried(region.tenant.room!(cluster(id)))]))
  const all = (await region.events.everything()).map(change => JSON.stringify(change)).toSorted()
  const pods = CLUSTERS.map(id => region.ground.workloads.of(id).map(one => region.ground.workloads.see(one)))
  return JSON.stringify([looks, all, pods, region.faults.list().map(({ id, hits }) => [id, hits])], undefined, 1)
}

test('a world opened again is the same world, and goes the same way', async () => {
  await fc.assert(fc.asyncProperty(fc.array(steps, { minLength: 5, maxLength: 40 }), async story => {
    const store = new MemoryWorldStore()
    const tiny = await TinyRegion.open({ store })
    tiny.admitsTo = 'c1'
    await settle(tiny)
    for (const [, act] of story) await act(tiny)
    // What was told and not yet heard of dies with a process; whoever comes next is told everything.
    await tiny.pass(0)
    const copy = new MemoryWorldStore(), claim = await copy.claim('sim-1')
    for await (const thing of store.load('sim-1')) await copy.write('sim-1', claim, [thing])
    const heir = await TinyRegion.open({ store: copy })
    heir.now = tiny.now
    heir.admitsTo = tiny.admitsTo
    await heir.restart()
    // What happened by itself and was not kept happens again, at the same instants.
    await heir.pass(0)
    const what = (): string => `after ${story.map(([text]) => text).join('; ')}`
    assert.equal(await seen(heir), await seen(tiny), what())
    for (const ms of [1, 5_000, 60_000, 600_000]) {
      await tiny.pass(ms)
      await heir.pass(ms)
      assert.equal(await seen(heir), await seen(tiny), `${ms} ms ${what()}`)
    }
  }), { numRuns: Number(process.env['FUZZ_RUNS'] ?? 60), ...(process.env['FUZZ_SEED'] !== undefined && { seed: Number(process.env['FUZZ_SEED']) }), ...(process.env['FUZZ_PATH'] !== undefined && { path: process.env['FUZZ_PATH'] }) })
})
