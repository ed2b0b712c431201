import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { NO_NODES } from '#model/counts.ts'
import type { Scaling } from '#model/node-pool/record.ts'
import type { RoomSeen } from '#ports/tenant-cluster.ts'
import { planScaling, type ScalingSeen } from './plan-scaling.ts'
import { activeOf, shareOf } from './share-need.ts'

const MINUTE = 60_000, NOW = 1_000_000_000
const SCALING: Scaling = { enabled: false, minReplicas: 0, maxReplicas: 5, desiredReplicas: 3, sentDesiredReplicas: 3, priority: 10 }
const calm: RoomSeen = { waiting: [], perNode: { cpuMillis: 2000, memoryMiB: 4096 }, busy: [], light: [], free: [] }
const members = (...names: string[]) => names.map(name => ({ id: name, name }))
const addonOn = (name: string) => ({ name, pods: [{ name: 'kube-system/ingress', cpuMillis: 100, memoryMiB: 64 }] })
const roomOn = (name: string) => ({ name, cpuMillis: 500, memoryMiB: 512, pods: 10, labels: {}, taints: [] })
const auto = { ...SCALING, enabled: true, desiredReplicas: 1 }

type Row = Partial<Omit<ScalingSeen, 'counts' | 'spec'>> & { scaling?: Scaling; counts?: Partial<ScalingSeen['counts']> }
function seenOf({ scaling = SCALING, counts, ...row }: Row): ScalingSeen {
  return { now: NOW, spec: { scaling }, facts: {}, counts: { ...NO_NODES, ...counts }, room: undefined, share: 0, members: [], ...row }
}

describe('the size of a pool', () => {
  // oxfmt-ignore
  const rows: [what: string, row: Row, plan: [start: number, claim: number, surplus: number, drop: number]][] = [
    ['what is missing is claimed',                                { counts: { total: 1, running: 1 } },                                                            [0, 2, 0, 0]],
    ['nodes that leave are not counted',                          { counts: { total: 3, running: 1, deleting: 2 } },                                                [0, 2, 0, 0]],
    ['nodes that failed are: they are not replaced unasked',      { counts: { total: 3, running: 1, failed: 2 } },                                                  [0, 0, 0, 0]],
    ['stopped ones are started first',                            { counts: { total: 3, running: 1, stopped: 2 } },                                                 [2, 0, 0, 0]],
    ['and others are claimed for the rest',                       { counts: { total: 2, running: 1, stopped: 1 } },                                                 [1, 1, 0, 0]],
    ['ones that are being stopped have their place, too',         { scaling: { ...SCALING, maxReplicas: 3 }, counts: { total: 3, running: 1, stopping: 2 } },       [0, 0, 0, 0]],
    ['and are had again where they are on all the same',          { scaling: { ...SCALING, maxReplicas: 3 }, counts: { total: 3, running: 1, stopping: 2 }, stillOn: 1 }, [1, 0, 0, 0]],
    ['before stopped ones',                                       { scaling: { ...SCALING, maxReplicas: 2 }, counts: { total: 4, running: 1, stopping: 1, stopped: 2 }, stillOn: 1 }, [1, 0, 0, 2]],
    ['too many are given back',                                   { counts: { total: 5, running: 5 } },                                                             [0, 0, 2, 0]],
    ['stopped ones for which there is no place are, too',         { scaling: { ...SCALING, maxReplicas: 3 }, counts: { total: 5, running: 3, stopped: 2 } },        [0, 0, 0, 2]],
    ['the least holds against what is desired',                   { scaling: { ...SCALING, minReplicas: 4 } },                                                      [0, 4, 0, 0]],
    ['the most holds against what is desired',                    { scaling: { ...SCALING, desiredReplicas: 9 } },                                                  [0, 5, 0, 0]],
    ['an autoscaler that cannot look keeps its target',           { scaling: auto, counts: { total: 4, running: 4 }, facts: { autoscaler: { target: 4, because: '', since: 0 } } }, [0, 0, 0, 0]],
    ['one that sees its share of the need takes it',              { scaling: auto, counts: { total: 1, running: 1 }, room: { ...calm, waiting: [{ name: 'web', cpuMillis: 1, memoryMiB: 1 }] }, share: 2 }, [0, 2, 0, 0]],
    ['gives nothing back before the dwell is over',               { scaling: auto, counts: { total: 2, running: 2 }, room: calm, members: members('a', 'b'), facts: { idle: { a: NOW - 9 * MINUTE } } }, [0, 0, 0, 0]],
    ['and then what has been empty for so long',                  { scaling: auto, counts: { total: 3, running: 3 }, room: calm, members: members('a', 'b', 'c'), facts: { idle: { a: NOW - 10 * MINUTE } } }, [0, 0, 1, 0]],
    ['but not what carries something again',                      { scaling: auto, counts: { total: 2, running: 2 }, room: { ...calm, busy: ['a'] }, members: members('a', 'b'), facts: { idle: { a: NOW - 20 * MINUTE } } }, [0, 0, 0, 0]],
    ['nor what add-ons on it keep there',                         { scaling: auto, counts: { total: 2, running: 2 }, room: { ...calm, light: [addonOn('a')] }, members: members('a', 'b'), facts: { idle: { a: NOW - 20 * MINUTE, b: NOW } } }, [0, 0, 0, 0]],
    ['unless they find room on what stays',                       { scaling: auto, counts: { total: 2, running: 2 }, room: { ...calm, light: [addonOn('a')], free: [roomOn('c')] }, members: members('a', 'b'), facts: { idle: { a: NOW - 20 * MINUTE, b: NOW } } }, [0, 0, 1, 0]],
    ['which another pool may not be about to give back',          { scaling: auto, counts: { total: 2, running: 2 }, room: { ...calm, light: [addonOn('a')], free: [roomOn('c')] }, others: ['c'], members: members('a', 'b'), facts: { idle: { a: NOW - 20 * MINUTE, b: NOW } } }, [0, 0, 0, 0]],
  ]
  for (const [what, row, expected] of rows) {
    test(what, () => {
      const plan = planScaling(seenOf(row))!
      assert.deepEqual([plan.start, plan.claim, plan.surplus, plan.drop], expected)
    })
  }

  test('it looks again when one that is to go off counts as on, where it can have no other', () => {
    const row = { counts: { total: 3, running: 2, stopping: 1 }, goingOff: { node: 'n3', until: NOW + MINUTE } }
    assert.deepEqual([3, 4].map(maxReplicas => planScaling(seenOf({ ...row, scaling: { ...SCALING, maxReplicas } }))?.lookAgainAt), [NOW + MINUTE, undefined])
  })

  test('and where it can have another one but for a refusal', () => {
    const row = { counts: { total: 3, running: 2, stopping: 1 }, goingOff: { node: 'n3', until: NOW + MINUTE } }
    const plan = planScaling(seenOf({ ...row, scaling: { ...SCALING, maxReplicas: 4 }, facts: { refused: { as: 'StockOut', because: '', retryAt: NOW + 5 * MINUTE } } }))
    assert.deepEqual([plan?.lookAgainAt, plan?.awaits], [NOW + MINUTE, row.goingOff])
  })

  test('one that broke a moment ago may go, if nothing is known to run on it any more', () => {
    const counts = { total: 3, running: 2, failed: 1 }, facts = { idle: { a: NOW - 20 * MINUTE } }
    const idleWith = (busy: readonly string[]) => planScaling(seenOf({ scaling: auto, counts, room: { ...calm, busy }, members: members('a', 'b', 'broken'), facts }))
    assert.deepEqual(idleWith(['b'])?.idle, { a: NOW - 20 * MINUTE, broken: NOW })
    assert.deepEqual(idleWith(['b', 'broken'])?.idle, { a: NOW - 20 * MINUTE })
    assert.deepEqual([idleWith(['b'])?.surplus, idleWith(['b', 'broken'])?.surplus], [1, 1])
  })

  test('at its most is one less where add-ons on one find room on others, for what waits', () => {
    const large = { name: 'web/large', cpuMillis: 1_900, memoryMiB: 64 }, room = { ...calm, waiting: [large], light: [addonOn('a'), addonOn('b')], free: [roomOn('a'), roomOn('b')] }
    const row: Row = { scaling: { ...auto, maxReplicas: 2 }, counts: { total: 2, running: 2 }, room, members: members('a', 'b'), facts: { idle: { a: NOW - 10 * MINUTE } } }
    const sized = (more: Row = {}) => {
      const { idle, surplus, claim, makesRoom } = planScaling(seenOf({ ...row, ...more }))!
      return [Object.keys(idle ?? {}), surplus, claim, makesRoom]
    }
    assert.deepEqual(sized(), [['a'], 1, 0, NOW])
    assert.deepEqual(sized({ scaling: { ...auto, maxReplicas: 3 }, share: 1 }), [[], 0, 1, undefined], 'where it may have another one that one comes')
    const none = [[], 0, 0, undefined]
    assert.deepEqual(sized({ facts: { ...row.facts, refused: { as: 'StockOut', because: 'sold out' } } }), none)
    assert.deepEqual(sized({ counts: { total: 2, running: 1, failed: 1 } }), none)
    assert.deepEqual(sized({ room: { ...room, waiting: [{ ...large, hostPorts: [{ port: 80, protocol: 'TCP' }] }] } }), none, 'it might take the place of what moves')
    assert.deepEqual(sized({ room: { ...room, light: [addonOn('a')], busy: ['b'], free: [{ ...roomOn('a'), shut: true }, roomOn('b')] } }), none)
    // Until it is gone none comes: what was on it would be there before what waits.
    const goes = { counts: { total: 2, running: 1, deleting: 1 }, share: 1 }
    assert.deepEqual(sized({ ...goes, facts: { makesRoom: NOW - MINUTE } }), [[], 0, 0, NOW - MINUTE])
    assert.deepEqual(sized({ ...goes, facts: { makesRoom: NOW - 60 * MINUTE } }), [[], 0, 1, undefined])
    assert.deepEqual(sized({ counts: { total: 1, running: 1 }, share: 1, facts: { makesRoom: NOW - MINUTE } }), [[], 0, 1, undefined])
  })

  test('whatever there is, ends within the bounds, and a second look finds nothing to do', () => {
    const counts = fc.record({ running: fc.nat(6), creating: fc.nat(3), failed: fc.nat(3), deleting: fc.nat(3), stopped: fc.nat(4), stopping: fc.nat(2), starting: fc.nat(2) })
    const bounds = fc.record({ minReplicas: fc.nat(4), more: fc.nat(4), desiredReplicas: fc.nat(12), enabled: fc.boolean(), share: fc.nat(5), waits: fc.boolean() })
    fc.assert(fc.property(counts, bounds, (some, { more, share, waits, ...given }) => {
      const scaling = { ...SCALING, ...given, maxReplicas: given.minReplicas + more }
      const before = { ...NO_NODES, ...some, total: Object.values(some).reduce((sum, count) => sum + count, 0) }
      const room = waits ? { ...calm, waiting: [{ name: 'web', cpuMillis: 1, memoryMiB: 1 }] } : calm
      const plan = planScaling(seenOf({ scaling, counts: before, room, share: waits ? share : 0 }))!
      assert.ok(plan.target <= scaling.maxReplicas && plan.target >= Math.min(scaling.minReplicas, scaling.maxReplicas))
      assert.ok(Math.min(plan.claim + plan.start, plan.surplus) === 0, 'never both ways at once')
      assert.ok(plan.claim === 0 || before.total - before.deleting + plan.claim <= scaling.maxReplicas, 'never more than the most, stopped ones counted')
      const after = { ...before, total: before.total + plan.claim - plan.drop, creating: before.creating + plan.claim, stopped: before.stopped - plan.start - plan.drop, starting: before.starting + plan.start }
      const again = planScaling(seenOf({ scaling, counts: after, room, facts: plan.autoscaler ? { autoscaler: plan.autoscaler } : {} }))!
      if (plan.surplus === 0) assert.deepEqual([again.start, again.claim], [0, 0])
      assert.ok(activeOf(after) <= Math.max(plan.target, activeOf(before)))
    }))
  })
})

test('how many nodes pods would fill is told by what they ask for most', () => {
  const pods = (count: number, cpuMillis: number, memoryMiB: number) => Array.from({ length: count }, (_, index) => ({ name: `web/web-${index}`, cpuMillis, memoryMiB }))
  const pool = { id: 'p', spec: { scaling: { ...SCALING, enabled: true, desiredReplicas: 0 }, labels: [], taints: [] }, facts: { ready: true }, counts: NO_NODES }
  const nodesFor = (waiting: RoomSeen['waiting'], perNode: RoomSeen['perNode'] = { cpuMillis: 2000, memoryMiB: 4096 }) => shareOf('p', [pool], { waiting, perNode, free: [] })
  assert.equal(nodesFor([]), 0)
  assert.equal(shareOf('p', [pool], { waiting: pods(40, 500, 64), perNode: undefined, free: [] }), 1, 'one where nobody knows what a node offers')
  assert.equal(nodesFor(pods(9, 500, 64)), 3)
  assert.equal(nodesFor(pods(3, 10, 3000)), 3)
  assert.equal(nodesFor(pods(1, 0, 0)), 1)
  assert.equal(nodesFor([...pods(2, 1200, 64), ...pods(2, 800, 64)]), 2, 'as they fit together')
  assert.equal(nodesFor(pods(4, 10, 10), { cpuMillis: 2000, memoryMiB: 4096, pods: 2 }), 2, 'places for pods are counted as well')
})

test('a pool takes of the need what its nodes would take, and leaves the rest to others', () => {
  const scaling = { ...SCALING, enabled: true, desiredReplicas: 0 }, facts = { ready: true }, counts = NO_NODES
  const plain = { id: 'plain', spec: { scaling, labels: [], taints: [] }, facts, counts }, gpu = { ...plain, id: 'gpu', spec: { ...plain.spec, labels: [{ key: 'gpu', value: 'yes' }], scaling: { ...scaling, priority: 1 } } }
  const web = { name: 'web', cpuMillis: 1000, memoryMiB: 64 }, learner = { ...web, name: 'learner', nodeSelector: { gpu: 'yes' } }
  const shares = (...waiting: RoomSeen['waiting']) => [plain, gpu].map(({ id }) => shareOf(id, [plain, gpu], { ...calm, waiting }))
  assert.deepEqual(shares(web, web, web), [2, 0])
  assert.deepEqual(shares(learner, learner, learner), [0, 2])
  assert.deepEqual(shares(web, web, learner, learner), [1, 1])
})

test('a pool that is refused machines takes of the need as much as it has stopped nodes to start, or others whose stop failed, beside those that callers want back', () => {
  const web = { name: 'web', cpuMillis: 2000, memoryMiB: 64 }, room = { ...calm, waiting: Array.from({ length: 4 }, () => web) }
  const shares = (stopped: number, desiredReplicas = 0, stillOn = 0) => {
    const one = { id: 'one', spec: { scaling: { ...SCALING, enabled: true, maxReplicas: 9, desiredReplicas, priority: 9 }, labels: [], taints: [] }, facts: { ready: true, refused: { as: 'StockOut' as const, because: 'They are sold out' } }, counts: { ...NO_NODES, total: stopped + stillOn, stopped, stopping: stillOn }, stillOn }
    const other = { ...one, stillOn: 0, id: 'other', spec: { ...one.spec, scaling: { ...one.spec.scaling, desiredReplicas: 0, priority: 1 } }, facts: { ready: true }, counts: NO_NODES }
    return [one, other].map(({ id }) => shareOf(id, [one, other], room))
  }
  const [, all = 0] = shares(0)
  assert.ok(all > 2)
  assert.deepEqual([shares(0), shares(1), shares(2)], [[0, all], [1, all - 1], [2, all - 2]])
  assert.deepEqual([shares(0, 0, 1), shares(1, 0, 1)], [[1, all - 1], [2, all - 2]])
  // What callers want meets the need as well, as far as it can be had.
  assert.deepEqual([shares(2, 1), shares(2, 5)], [[1, all - 2], [0, all - 2]])
})
