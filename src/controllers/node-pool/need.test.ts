import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Scaling } from '#model/node-pool/record.ts'
import type { NodeRoom, PodNeed, RoomSeen } from '#ports/tenant-cluster.ts'
import { keptFor, needIn, type Taker } from './need.ts'

const SCALING: Scaling = { enabled: true, minReplicas: 0, maxReplicas: 5, desiredReplicas: 0, sentDesiredReplicas: 0, priority: 10 }
const EMPTY: RoomSeen = { waiting: [], perNode: { cpuMillis: 4_000, memoryMiB: 8_192 }, busy: [], light: [], free: [] }
const pod = (name: string, cpuMillis = 100, more: Partial<PodNeed> = {}): PodNeed => ({ name, cpuMillis, memoryMiB: 64, ...more })
const DNS = pod('kube-system/coredns', 100, { base: true }), INGRESS = pod('kube-system/ingress'), WEB = pod('web/web', 1_000)
const free = (name: string, cpuMillis = 4_000, more: Partial<NodeRoom> = {}): NodeRoom => ({ name, cpuMillis, memoryMiB: 8_192, pods: 64, labels: {}, taints: [], ...more })
const pool = (more: Partial<Taker['spec']> = {}): Taker => ({ spec: { labels: [], taints: [], scaling: SCALING, ...more }, facts: {} })
const names = ({ waiting }: RoomSeen) => waiting.map(({ name }) => name)

describe('need', () => {
  test('is no base alone, whether nodes are there or not', () => {
    assert.deepEqual(names(needIn({ ...EMPTY, waiting: [DNS] }, [pool()])), [])
    assert.deepEqual(names(needIn({ ...EMPTY, waiting: [DNS], light: [{ name: 'a', pods: [DNS] }] }, [pool()])), [])
  })

  test('is the base beside users\' pods or add-ons\', be they placed or not', () => {
    assert.deepEqual(names(needIn({ ...EMPTY, waiting: [DNS, INGRESS, WEB] }, [pool()])), [INGRESS.name, WEB.name, DNS.name])
    assert.deepEqual(names(needIn({ ...EMPTY, waiting: [DNS], busy: ['a'] }, [pool()])), [DNS.name])
    assert.deepEqual(names(needIn({ ...EMPTY, waiting: [DNS], light: [{ name: 'a', pods: [INGRESS] }] }, [pool()])), [DNS.name])
  })

  test('is nothing that no pool which scales by itself would take', () => {
    const tainted = pool({ taints: [{ key: 'only/tills', value: 'yes', effect: 'NoSchedule' }] })
    assert.deepEqual(names(needIn({ ...EMPTY, waiting: [WEB, DNS] }, [tainted, pool({ scaling: { ...SCALING, enabled: false } }), { ...pool(), facts: { deletion: { requestedAt: 0, by: 'call', cascading: [], retain: [] } } }])), [])
    const gpu = pod('kube-system/gpu', 100, { nodeSelector: { gpu: 'yes' } })
    assert.deepEqual(names(needIn({ ...EMPTY, waiting: [gpu, DNS] }, [pool()])), [], 'and the base is not, for what brings no node')
    assert.deepEqual(names(needIn({ ...EMPTY, waiting: [gpu] }, [pool({ labels: [{ key: 'gpu', value: 'yes' }] })])), [gpu.name])
  })
})

describe('nodes that stay for what they carry', () => {
  const kept = (room: Partial<RoomSeen>, ...takeable: string[]) => [...keptFor({ ...EMPTY, ...room }, takeable)].toSorted()

  test('are none for the base alone', () => {
    assert.deepEqual(kept({ light: [{ name: 'a', pods: [DNS] }], free: [free('a')] }, 'a'), [])
  })

  test('are those of an add-on that would find no room elsewhere, or of the base beside users\' pods', () => {
    assert.deepEqual(kept({ light: [{ name: 'a', pods: [INGRESS] }], free: [free('a')] }, 'a'), ['a'])
    assert.deepEqual(kept({ light: [{ name: 'a', pods: [DNS] }], busy: ['b'], free: [free('a'), free('b', 50)] }, 'a', 'b'), ['a'])
    assert.deepEqual(kept({ light: [{ name: 'a', pods: [DNS] }], busy: ['b'], free: [free('a'), free('b', 100)] }, 'a', 'b'), [])
  })

  test('are counted without nodes that may go empty', () => {
    const room = { light: [{ name: 'a', pods: [INGRESS] }], free: [free('a'), free('b')] }
    assert.deepEqual(kept(room, 'a', 'b'), ['a'])
    assert.deepEqual(kept(room, 'a'), [], 'b stays whatever happens')
  })

  test('are as few as the others leave', () => {
    const light = ['a', 'b', 'c'].map((name, index) => ({ name, pods: Array.from({ length: index + 1 }, () => INGRESS) }))
    assert.deepEqual(kept({ light, free: light.map(({ name }) => free(name)) }, 'a', 'b', 'c'), ['c'])
    assert.deepEqual(kept({ light, free: light.map(({ name }) => free(name, 100)) }, 'a', 'b', 'c'), ['b', 'c'])
  })

  test('are those to which pods of others that go would have moved', () => {
    const light = ['a', 'b'].map(name => ({ name, pods: [INGRESS] }))
    assert.deepEqual(kept({ light, free: [free('a', 0), free('b', 4_000)] }, 'a', 'b'), ['b'])
    assert.deepEqual(kept({ light, busy: ['c'], free: [free('b', 4_000), free('c', 150)] }, 'a', 'b'), ['b'], 'c takes one of them alone')
  })

  test('are also those to whose pods no other node is open', () => {
    const gpu = pod('kube-system/gpu', 100, { nodeSelector: { gpu: 'yes' } }), room = { light: [{ name: 'a', pods: [gpu] }], free: [free('a', 4_000, { labels: { gpu: 'yes' } }), free('b')] }
    assert.deepEqual(kept(room, 'a'), ['a'])
    assert.deepEqual(kept({ ...room, free: [free('b', 4_000, { labels: { gpu: 'yes' }, taints: [{ key: 'k', value: '', effect: 'NoExecute' }] })] }, 'a'), ['a'])
    assert.deepEqual(kept({ ...room, free: [free('b', 4_000, { labels: { gpu: 'yes' }, pods: 0 })] }, 'a'), ['a'])
    assert.deepEqual(kept({ ...room, free: [free('b', 4_000, { labels: { gpu: 'yes' } })] }, 'a'), [])
  })

  test('are the same to every pool, and all others may go at once, whatever there is', () => {
    const node = fc.record({ left: fc.nat(8), pods: fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 3 }), busy: fc.boolean(), takeable: fc.boolean(), open: fc.boolean() })
    fc.assert(fc.property(fc.array(node, { maxLength: 5 }), given => {
      const nodes = given.map((one, index) => ({ ...one, name: `n${index}` })), takeable = nodes.flatMap(one => (one.takeable ? one.name : []))
      const room = {
        ...EMPTY, waiting: [], busy: nodes.flatMap(one => (one.busy ? one.name : [])), free: nodes.flatMap(one => (one.open ? free(one.name, one.left) : [])),
        light: nodes.flatMap(({ name, pods, busy }) => (busy || pods.length === 0 ? [] : [{ name, pods: pods.map((cpu, index) => pod(`${name}-${index}`, cpu)) }])),
      }
      const stays = keptFor(room, takeable)
      assert.deepEqual([...keptFor(room, takeable.toReversed())], [...stays])
      const goes = new Set(takeable.filter(name => !stays.has(name) && !room.busy.includes(name)))
      const moving = room.light.flatMap(({ name, pods }) => (goes.has(name) ? pods.map(({ cpuMillis }) => cpuMillis) : []))
      assert.ok(findsRoom(moving, room.free.flatMap(one => (goes.has(one.name) ? [] : one.cpuMillis))), JSON.stringify({ moving, goes: [...goes] }))
    }), { numRuns: 2_000 })
  })
})

/** Tries every place for each of them. */
function findsRoom([first, ...rest]: readonly number[], places: readonly number[]): boolean {
  return first === undefined || places.some((left, index) => left >= first && findsRoom(rest, places.with(index, left - first)))
}
