import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { NO_NODES } from '#model/counts.ts'
import type { NodePoolFacts, NodePoolSpec, Scaling } from '#model/node-pool/record.ts'
import type { NodeRoom, PodNeed, RoomSeen } from '#ports/tenant-cluster.ts'
import { keptFor, needIn, untakenText, type NeedSeen, type Taker } from './need.ts'
import { hashOf, offersOf } from './offers.ts'
import { shareOf } from './share-need.ts'

const SCALING: Scaling = { enabled: true, minReplicas: 0, maxReplicas: 5, desiredReplicas: 0, sentDesiredReplicas: 0, priority: 10 }
const EMPTY: RoomSeen = { waiting: [], perNode: { cpuMillis: 4_000, memoryMiB: 8_192 }, busy: [], light: [], free: [] }
const pod = (name: string, cpuMillis = 100, more: Partial<PodNeed> = {}): PodNeed => ({ name, cpuMillis, memoryMiB: 64, ...more })
const DNS = pod('kube-system/coredns', 100, { base: true }), INGRESS = pod('kube-system/ingress'), WEB = pod('web/web', 1_000)
const free = (name: string, cpuMillis = 4_000, more: Partial<NodeRoom> = {}): NodeRoom => ({ name, cpuMillis, memoryMiB: 8_192, pods: 64, labels: {}, taints: [], ...more })
const pool = (more: Partial<Taker['spec']> = {}): Taker => ({ id: 'p', spec: { labels: [], taints: [], scaling: SCALING, ...more }, facts: {} })
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

  test('is reckoned with nodes as they come, which get no key that is ours: their pool may have one from before', () => {
    const key = 'edgehold/mine', asks = pod('web/asks', 100, { nodeSelector: { [key]: 'x' } }), daemon = pod('kube-system/agent', 3_500)
    const labelled = pool({ labels: [{ key, value: 'x' }] }), tainted = pool({ taints: [{ key, value: '', effect: 'NoSchedule' }] })
    const needed = needIn({ ...EMPTY, waiting: [asks] }, [labelled])
    assert.deepEqual(names(needed), [])
    assert.equal(untakenText(needed, labelled), 'the pod web/asks waits, and a new node would not take it: its node selector or node affinity asks for other labels')
    assert.deepEqual(names(needIn({ ...EMPTY, waiting: [WEB] }, [tainted])), [WEB.name])
    assert.deepEqual(names(needIn({ ...EMPTY, perNode: { cpuMillis: 4_000, memoryMiB: 8_192, known: true }, waiting: [WEB], daemons: [daemon] }, [tainted])), [], 'and daemons go there that do not tolerate it')
  })
})

const HOSTNAME = 'kubernetes.io/hostname', ZONE = 'topology.kubernetes.io/zone'
const near = (app: string, topologyKey = HOSTNAME) => [{ topologyKey, labelSelector: { matchLabels: { app } } }]
const host = (name: string, more: Partial<NodeRoom> = {}) => free(name, 4_000, { labels: { [HOSTNAME]: name, ...more.labels }, ...Object.fromEntries(Object.entries(more).filter(([key]) => key !== 'labels')) })
const share = (one: Taker, waiting: readonly PodNeed[], room: Partial<RoomSeen> = {}) => {
  const needed = needIn({ ...EMPTY, ...room, waiting }, [one])
  return [names(needed).length, shareOf('p', [{ ...one, facts: { ready: true, ...one.facts }, counts: NO_NODES }], needed)]
}
const many = (count: number, more: Partial<PodNeed>) => Array.from({ length: count }, (_, index) => pod(`web/web-${index}`, 100, { labels: { app: 'web' }, ...more }))

const heldBy = ({ held }: NeedSeen) => Object.entries(held).map(([name, { node = 'nowhere', since, lost }]) => `${name} ${node} ${since}${lost === undefined ? '' : ` ${lost}`}`)

describe('need of those that mind their neighbours', () => {
  test('is a node for each pod that wants to be alone, or has the same host port', () => {
    assert.deepEqual(share(pool(), many(3, { antiAffinity: near('web') })), [3, 3])
    assert.deepEqual(share(pool(), many(2, { hostPorts: [{ port: 80, protocol: 'TCP' }] })), [2, 2])
    assert.deepEqual(share(pool(), many(2, {})), [2, 1])
  })

  test('is a node where those that are there keep it away, and none where they would on each node of the pool', () => {
    const taken = { busy: ['a'], free: [host('a', { labels: { [ZONE]: 'z1' }, carries: [{ name: 'web/old', labels: { app: 'web' } }] })] }
    assert.deepEqual(share(pool(), many(1, { antiAffinity: near('web') }), taken), [1, 1])
    assert.deepEqual(share(pool({ labels: [{ key: ZONE, value: 'z1' }] }), many(1, { antiAffinity: near('web', ZONE) }), taken), [0, 0])
    assert.deepEqual(share(pool({ labels: [{ key: ZONE, value: 'z2' }] }), many(1, { antiAffinity: near('web', ZONE) }), taken), [1, 1])
    assert.deepEqual(share(pool({ labels: [{ key: ZONE, value: 'z2' }] }), many(1, { affinity: near('web', ZONE) }), { ...taken, free: taken.free.map(one => ({ ...one, cpuMillis: 0 })) }), [0, 0], 'it has to be near')
  })

  test('is a node for what spreads over nodes, and for both of two that want to be together', () => {
    const spread = [{ topologyKey: HOSTNAME, maxSkew: 1, labelSelector: { matchLabels: { app: 'web' } } }]
    const taken = { busy: ['a', 'b'], free: [host('a', { carries: many(2, {}) }), host('b', { cpuMillis: 0, carries: many(1, {}) })] }
    assert.deepEqual(share(pool(), many(1, { spread }), taken), [1, 1])
    assert.deepEqual(share(pool(), [pod('web/front', 100, { affinity: near('back') }), pod('web/back', 100, { labels: { app: 'back' } })]), [2, 1])
    assert.deepEqual(share(pool(), [pod('web/front', 100, { affinity: near('back') })]), [0, 0])
  })

  test('is none of what already has a place, by all that is known; that place is kept', () => {
    const stuck = many(1, { unweighed: true }), needed = needIn({ ...EMPTY, waiting: stuck, free: [host('a'), host('b')] }, [pool()])
    assert.deepEqual([names(needed), [...keptFor(needed, ['a', 'b'])], heldBy(needed)], [[], ['a'], ['web/web-0 a 0']])
    const later = needIn({ ...EMPTY, waiting: stuck, busy: ['a'], free: [host('a', { cpuMillis: 0 })] }, [pool()], { before: needed.held, now: 600_000 })
    assert.deepEqual([names(later), heldBy(later)], [['web/web-0'], ['web/web-0 nowhere 600000 1']], 'others took its place')
    assert.deepEqual(names(needIn({ ...EMPTY, waiting: stuck, busy: ['a'], free: [host('a', { cpuMillis: 0 })] }, [pool()], { before: needed.held, now: 60_000 })), ['web/web-0'])
  })
})

describe('a pod that waits for long though it has a place', () => {
  const LATE = 600_000, full = { busy: ['a'], free: [host('a', { cpuMillis: 0 })] }
  const { held } = needIn({ ...EMPTY, waiting: many(1, {}), free: [host('a')] }, [pool()])
  const later = (waiting: readonly PodNeed[], room: Partial<RoomSeen>) => needIn({ ...EMPTY, ...room, waiting }, [pool()], { before: held, now: LATE })

  test('is need once its node is closed to it, or others have taken the place', () => {
    assert.deepEqual(names(later(many(1, {}), { free: [host('a')] })), [])
    assert.deepEqual(names(later(many(1, {}), full)), ['web/web-0'], 'its scheduler may be back, or its volume there')
    assert.deepEqual(names(later(many(1, {}), { busy: ['a'], free: [host('a', { cpuMillis: 0, shut: true })] })), ['web/web-0'], 'cordoned, or not Ready')
    assert.deepEqual(names(later(many(1, {}), { free: [host('a', { shut: true })] })), ['web/web-0'])
    assert.deepEqual(names(later(many(1, {}), { free: [host('a', { taints: [{ key: 'only', value: '', effect: 'NoSchedule' }] })] })), ['web/web-0'])
    const closed = later(many(1, {}), { free: [host('a', { shut: true }), host('b')] })
    assert.deepEqual([names(closed), heldBy(closed)], [[], [`web/web-0 b ${LATE}`]], 'unless another one has room')
  })

  test('and whose place others take each time is need ever more seldom', () => {
    let before: NeedSeen['held'] = {}, made = 0
    const times: number[] = []
    for (let minute = 0; minute <= 30 * 24 * 60; minute += 5) {
      // It is never placed, and each node but the newest one is full of others.
      const nodes = Array.from({ length: made + 1 }, (_, index) => host(`n${index}`, { cpuMillis: minute - (times.at(-1) ?? 0) < 11 && index === made ? 4_000 : 0 }))
      const needed = needIn({ ...EMPTY, waiting: many(1, {}), busy: nodes.map(({ name }) => name), free: nodes }, [pool()], { before, now: minute * 60_000 })
      before = needed.held
      if (needed.waiting.length === 0) continue
      made += 1
      times.push(minute)
    }
    assert.deepEqual(times.map(minute => Math.round(minute / 60)), [0, 1, 7, 44, 260])
  })

  test('is another one if it asks for something else by now', () => {
    const pinned = { 'web/web-0': { ...held['web/web-0']!, lost: 1 } }, then = (waiting: readonly PodNeed[], room: Partial<RoomSeen>) => needIn({ ...EMPTY, ...room, waiting }, [pool()], { before: pinned, now: LATE })
    assert.deepEqual(names(then(many(1, {}), full)), [])
    assert.deepEqual(names(then(many(1, { cpuMillis: 200 }), full)), ['web/web-0'])
    assert.deepEqual(names(then(many(1, { more: { gpu: 1 } }), full)), ['web/web-0'])
    assert.deepEqual(heldBy(then(many(1, { cpuMillis: 200 }), { free: [host('a')] })), [`web/web-0 a ${LATE}`])
    assert.deepEqual(names(then(many(1, { labels: {} }), full)), [], 'labels are told only where they matter to somebody')
  })

  test('is told of by its pool, once that has been for long', () => {
    const said = (needed: NeedSeen, now = LATE) => untakenText(needed, pool(), now)
    assert.equal(said(later(many(1, {}), { free: [host('a')] })), 'the pod web/web-0 waits, and no node is made for it: the node a had a place for it for at least 10 min from 1970-01-01T00:00:00Z on')
    assert.equal(said(later(many(1, {}), full)), undefined)
    assert.equal(said(needIn({ ...EMPTY, waiting: many(1, {}), free: [host('a')] }, [pool()], { before: held, now: 60_000 }), 60_000), undefined)
  })
})

describe('what no node of a pool could take', () => {
  const offers = { of: 'that', at: 0, cpuMillis: 4_000, memoryMiB: 8_192, pods: 110, labels: { 'kubernetes.io/arch': 'amd64' } }
  const said = (more: Partial<PodNeed>, room: Partial<RoomSeen> = {}, one: Taker = { ...pool(), facts: { offers } }) => {
    const needed = needIn({ ...EMPTY, ...room, waiting: many(1, more) }, [one])
    return [...share(one, many(1, more), room), untakenText(needed, one)?.replace('the pod web/web-0 waits, and a new node would not take it: ', '')]
  }

  test('is no need, and its pool says why', () => {
    assert.deepEqual(said({ cpuMillis: 4_000 }), [1, 1, undefined])
    assert.deepEqual(said({ cpuMillis: 4_001 }), [0, 0, 'it asks for more than such a node has'])
    assert.deepEqual(said({ cpuMillis: 4_000 }, { daemons: [pod('kube-system/agent')] }), [0, 0, 'it asks for more than such a node has'], 'less what each node carries')
    assert.deepEqual(said({ nodeSelector: { 'kubernetes.io/arch': 'arm64' } }), [0, 0, 'its node selector or node affinity asks for other labels'])
    assert.deepEqual(said({ nodeAffinity: [{ matchExpressions: [{ key: 'gpu', operator: 'Exists' }] }] }), [0, 0, 'its node selector or node affinity asks for other labels'])
    assert.deepEqual(said({}, {}, { ...pool({ taints: [{ key: 'only', value: '', effect: 'NoSchedule' }] }), facts: { offers } }), [0, 0, 'it does not tolerate the taints'])
    assert.deepEqual(said({ hostPorts: [{ port: 9_100, protocol: 'TCP' }] }, { daemons: [pod('kube-system/agent', 10, { hostPorts: [{ port: 9_100, protocol: 'TCP' }] })] }), [0, 0, 'pods that are on each node have its host ports'])
    assert.deepEqual(said({ more: { gpu: 1 } }, {}, { ...pool(), facts: { offers: { ...offers, more: { gpu: 0 } } } }), [0, 0, 'it asks for more than such a node has'])
  })

  test('is tried once where nobody knows what its nodes are like', () => {
    const bigger = many(3, { cpuMillis: 9_000 })
    assert.deepEqual(share(pool(), bigger), [3, 1])
    const needed = needIn({ ...EMPTY, waiting: bigger }, [pool()])
    assert.equal(shareOf('p', [{ ...pool(), facts: { ready: true }, counts: { ...NO_NODES, total: 1, creating: 1 } }], needed), 0, 'and while that one comes no more is asked for')
    assert.deepEqual(share(pool(), bigger, { perNode: { cpuMillis: 4_000, memoryMiB: 8_192, known: true } }), [0, 0])
  })
})

describe('what a pool remembers of its nodes', () => {
  const spec = { labels: [] } as unknown as NodePoolSpec, whole = { cpuMillis: 4_000, memoryMiB: 8_192, pods: 110 }
  const learned = (offers: Taker['facts']['offers'], ...some: readonly (readonly [name: string, at: number, cpuMillis: number])[]) => learnedOf(spec.template, offers, ...some)
  const learnedOf = (template: NodePoolSpec['template'], offers: Taker['facts']['offers'], ...some: readonly (readonly [name: string, at: number, cpuMillis: number])[]) => offersOf({ spec: { ...spec, ...template && { template } }, facts: { offers } as NodePoolFacts }, { ...EMPTY, free: some.map(([name, at, cpuMillis]) => host(name, { labels: { 'kubernetes.io/arch': 'amd64', 'side': 'north' }, whole: { ...whole, at, cpuMillis } })) }, ['a', 'b'].map(name => ({ spec: { name, template: hashOf(undefined) } })))

  test('is the newest one, also when it has gone and older ones are there', () => {
    const first = learned(undefined, ['a', 1, 4_000], ['b', 2, 3_000], ['other', 9, 1])
    assert.deepEqual([first?.cpuMillis, first?.labels], [3_000, { 'kubernetes.io/arch': 'amd64' }])
    assert.equal(learned(first, ['a', 1, 4_000])?.cpuMillis, 3_000)
    assert.equal(learned(first)?.cpuMillis, 3_000)
    assert.equal(learned(first, ['a', 3, 4_000])?.cpuMillis, 4_000)
  })

  test('is nothing once it has another template, until there is a node of that', () => {
    const first = learned(undefined, ['a', 1, 4_000]), small = { cloudServerIdentity: 'small' }
    assert.equal(learnedOf(small, first, ['a', 1, 4_000]), undefined, 'the old one is still there')
    const [one] = ['small-1'].map(name => ({ spec: { name, template: hashOf(small) } }))
    const room = { ...EMPTY, free: [host('a', { whole: { ...whole, at: 3 } }), host('small-1', { whole: { ...whole, at: 2, cpuMillis: 1_000 } })] }
    assert.equal(offersOf({ spec: { ...spec, template: small }, facts: {} as NodePoolFacts }, room, [one!, { spec: { name: 'a' } }])?.cpuMillis, 1_000, 'also where others are younger, and nobody knows of which template')
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

  test('are those of pods that may not be where the others are', () => {
    const two = ['x', 'y'].map(name => ({ name, pods: [pod(`kube-system/ingress-${name}`, 100, { labels: { app: 'ingress' }, antiAffinity: near('ingress') })] }))
    const nodes = two.map(({ name, pods }) => host(name, { carries: pods }))
    assert.deepEqual(kept({ light: two, free: nodes }, 'x', 'y'), ['x', 'y'])
    assert.deepEqual(kept({ light: two, free: [...nodes, host('z')] }, 'x', 'y'), ['y'])
    assert.deepEqual(kept({ light: two.map(({ name }) => ({ name, pods: [pod('kube-system/store', 100, { unweighed: true })] })), free: nodes }, 'x'), ['x'], 'nobody can tell where else it could be')
    const spread = [{ topologyKey: HOSTNAME, maxSkew: 1, labelSelector: { matchLabels: { app: 'ingress' } } }]
    const even = two.map(({ name, pods }) => ({ name, pods: pods.map(({ antiAffinity: _none, ...one }) => ({ ...one, spread })) }))
    assert.deepEqual(kept({ light: even, free: even.map(({ name, pods }) => host(name, { carries: pods })) }, 'x'), ['x'], 'a node that is only switched off still counts')
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
