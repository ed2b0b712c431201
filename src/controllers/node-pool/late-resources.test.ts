import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { NO_NODES } from '#model/counts.ts'
import type { NodePoolFacts, NodePoolSpec } from '#model/node-pool/record.ts'
import type { NodeRoom, PodNeed, RoomSeen } from '#ports/tenant-cluster.ts'
import { needOfPool } from './need-of-pool.ts'
import { hashOf } from './offers.ts'
import { shareOf } from './share-need.ts'

const MINUTE = 60_000, START = 1_000 * MINUTE, GPU = 'example.com/gpu'
const spec = { labels: [], taints: [], scaling: { enabled: true, minReplicas: 0, maxReplicas: 5, desiredReplicas: 0, sentDesiredReplicas: 0, priority: 10 } } as unknown as NodePoolSpec
const facts: NodePoolFacts = { ready: true, obstacles: [], openClaims: 0 }
const pod = (name: string, gpus = 1): PodNeed => ({ name: `web/${name}`, cpuMillis: 100, memoryMiB: 64, more: { [GPU]: gpus } })
const whole = { cpuMillis: 4_000, memoryMiB: 8_192, pods: 64 }
/** With so many devices reported, of which so many are taken. */
const node = (name: string, minute: number, gpus = 0, taken = 0): NodeRoom => ({
  ...whole, name, labels: {}, taints: [], more: { [GPU]: gpus - taken }, readyAt: START + minute * MINUTE, whole: { ...whole, at: START + minute * MINUTE, ...gpus > 0 && { more: { [GPU]: gpus } } },
})
const shut = ({ whole: _untold, readyAt: _none, ...one }: NodeRoom): NodeRoom => ({ ...one, shut: true })
/** What a pool of those members makes of it after so many minutes; members that take no pods are on their way. `alien`: nodes of no pool. */
function look(before: NodePoolFacts, waiting: readonly PodNeed[], members: readonly NodeRoom[], minute: number, alien: readonly NodeRoom[] = [], daemons: readonly PodNeed[] = []) {
  const pool = { id: 'p', spec, facts: before }, creating = members.filter(one => one.shut).length, room: RoomSeen = { waiting, perNode: undefined, busy: [], light: [], free: [...members, ...alien], daemons }
  const { needed, facts: next } = needOfPool(pool, { room, pools: [pool], nodes: new Map([['p', members.map(({ name }) => ({ spec: { name, template: hashOf(undefined) }, facts: {} }))]]) }, START + minute * MINUTE)
  return { next, share: shareOf('p', [{ ...pool, facts: next, counts: { ...NO_NODES, total: members.length, running: members.length - creating, creating } }], needed!), has: next.offers?.more?.[GPU] }
}

describe('a resource that a device plugin reports', () => {
  test('is waited for on a node that is Ready, and no other one is asked for meanwhile', () => {
    const first = look(facts, [pod('a')], [], 0)
    assert.equal(first.share, 1)
    const coming = look(first.next, [pod('a')], [shut(node('n1', 1))], 1), ready = look(coming.next, [pod('a')], [node('n1', 1)], 2), late = look(ready.next, [pod('a')], [node('n1', 1)], 10)
    for (const { share, has, next } of [coming, ready, late]) assert.deepEqual([share, has, next.untaken], [0, undefined, undefined])
    const known = look(late.next, [pod('a'), pod('b')], [node('n1', 1, 1)], 10.5)
    assert.deepEqual([known.share, known.has], [1, 1], 'and once it is known, what else waits needs another node')
  })

  test('is offered by none once one was Ready without it for long; what waited for it there waits there no more, and the pool says so', () => {
    const seen = look(facts, [pod('a')], [node('n1', 0)], 0)
    assert.deepEqual([seen.next.held?.['web/a']?.node, seen.next.held?.['web/a']?.since], ['n1', START])
    const none = look(seen.next, [pod('a')], [node('n1', 0)], 10)
    assert.deepEqual([none.share, none.has, none.next.held], [0, 0, undefined])
    assert.match(none.next.untaken ?? '', /the pod web\/a waits, and a new node would not take it: it asks for more than such a node has/)
    assert.deepEqual([look(none.next, [pod('a')], [], 100).share, look(none.next, [pod('a')], [node('n2', 99)], 100).share], [0, 0], 'and no node comes again')
    const after = look(none.next, [pod('a')], [node('n1', 0, 1)], 15)
    assert.deepEqual([after.has, after.next.untaken], [1, undefined], 'a plugin that came later is seen')
  })

  test('is known still where a younger node was lost before it had it', () => {
    const known = look(facts, [pod('a')], [node('n1', 0, 1)], 0)
    const younger = look(known.next, [pod('a')], [node('n1', 0, 1, 1), shut(node('n2', 1))], 1), ready = look(younger.next, [pod('a')], [node('n1', 0, 1, 1), node('n2', 1)], 2), gone = look(ready.next, [pod('a')], [], 20)
    assert.deepEqual([younger.share, ready.share, gone.share, younger.has, ready.has, gone.has], [0, 0, 1, 1, 1, 1])
    assert.equal(look(younger.next, [pod('a'), pod('b')], [node('n1', 0, 1, 1), node('n2', 1)], 2).share, 1, 'a young one is expected to have as much as others, and no more')
  })

  test('is known still where the node that had it has it no more, as its device broke', () => {
    const known = look(facts, [pod('a')], [node('n1', 0, 1)], 0), broken = look(known.next, [pod('a')], [node('n1', 0)], 100)
    assert.deepEqual([broken.share, broken.has], [1, 1])
    const next = look(broken.next, [pod('a')], [node('n1', 0), node('n2', 101)], 102), none = look(next.next, [pod('a')], [node('n1', 0), node('n2', 101)], 111)
    assert.deepEqual([next.share, next.has, none.share, none.has], [0, 1, 0, 0], 'until the next one never had it')
    assert.deepEqual([look(broken.next, [pod('a')], [], 120).share, look(none.next, [pod('a')], [node('n1', 0)], 120).share], [1, 0])
  })

  test('is not waited for on nodes of no pool, nor of one that is known to have none', () => {
    assert.equal(look(facts, [pod('a')], [], 1, [node('other', 0)]).share, 1)
    const none = look(facts, [pod('a')], [node('n1', 0)], 10)
    assert.deepEqual([none.has, look(none.next, [pod('a')], [node('n1', 0), node('n2', 10)], 11).next.held], [0, undefined])
  })

  test('may be there once another DaemonSet is, of which one node shows it', () => {
    const none = look(look(facts, [pod('a')], [node('n1', 0)], 0).next, [pod('a')], [node('n1', 0)], 10), agent = { name: 'kube-system/agent', cpuMillis: 10, memoryMiB: 10 }, plugin = { ...agent, name: 'kube-system/plugin' }
    const after = (before: NodePoolFacts, members: readonly NodeRoom[], minute: number, ...daemons: readonly PodNeed[]) => look(before, [pod('a')], members, minute, [], daemons)
    assert.equal(after(none.next, [node('n1', 0)], 30, plugin).share, 0, 'while one is there that shows it')
    const gone = after(none.next, [], 60), installed = after(gone.next, [], 61, plugin)
    assert.deepEqual([gone.share, installed.share], [0, 1])
    const seen = after(after(installed.next, [node('n2', 62)], 63, plugin).next, [node('n2', 62)], 80, plugin)
    assert.deepEqual([seen.share, after(seen.next, [], 1_000, plugin).share], [0, 0], 'once')
    assert.equal(after(seen.next, [], 1_000, { ...plugin, nodeSelector: { disk: 'fast' } }).share, 1, 'and where it goes elsewhere')
    const found = after(installed.next, [node('n2', 62, 1)], 63, plugin)
    assert.equal(after(found.next, [], 1_000, agent).has, 1, 'what there is, is there still')
  })
})
