import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ClusterRecord } from '#model/cluster/record.ts'
import { NO_NODES } from '#model/counts.ts'
import { configText } from '#model/node-pool/node-config.ts'
import type { NodePoolFacts, NodePoolRecord } from '#model/node-pool/record.ts'
import { NODE_POOL_RULES } from '#model/node-pool/rules.ts'
import type { NodeFacts, NodeRecord } from '#model/node/record.ts'
import { verdict } from '#model/status/rules.ts'
import { decideNodePool, type NodePoolPassSeen } from './decide.ts'

const SECOND = 1_000, MINUTE = 60 * SECOND
const START = 1_000_000_000
const labels = [{ key: 'site', value: 'shop-1' }]
const configured = configText({ labels, taints: [] })

const fresh: NodePoolFacts = { ready: false, obstacles: [], openClaims: 0 }
const works: NodePoolFacts = { ...fresh, ready: true }
const updating: NodePoolFacts = { ...works, updating: { since: START, waitsFor: [], off: [] } }
const going: NodePoolFacts = { ...works, deletion: { requestedAt: START, by: 'call', cascading: [], retain: [] } }
const usable = { facts: { controlPlane: 'usable', obstacles: [], unpaid: false } } as unknown as ClusterRecord
const away = { facts: { controlPlane: 'unkept', controlPlaneSays: 'The datastore is lost', obstacles: [], unpaid: false } } as unknown as ClusterRecord
const stopped = { facts: { controlPlane: 'absent', obstacles: [], unpaid: true } } as unknown as ClusterRecord

function node(name: string, facts: Partial<NodeFacts> = {}): NodePoolPassSeen['nodes'][number] {
  return { id: `id-of-${name}`, spec: { name }, said: { because: 'Its API gives no answer' }, facts: { ready: { status: 'True' }, outOfSync: false, obstacles: [], ...facts } } as unknown as NodeRecord
}
const done = node('done', { configured }), waits = node('waits'), off = node('off', { ready: { status: 'Unknown' } as NodeFacts['ready'] & object })
const leaves = node('leaves', { deletion: { requestedAt: START, by: 'pool', done: [] } })

type Row = Partial<Omit<NodePoolPassSeen, 'record'>> & { facts?: NodePoolFacts }
function seenOf({ facts = works, ...row }: Row): NodePoolPassSeen {
  return { now: START, record: { facts, createdAt: START, counts: NO_NODES, spec: { name: 'counters', labels, taints: [] } as unknown as NodePoolRecord['spec'] }, cluster: usable, nodes: [], ...row }
}
function shown(seen: NodePoolPassSeen): string {
  const { status } = verdict(NODE_POOL_RULES, { facts: decideNodePool(seen).facts, counts: NO_NODES, clusterRule: seen.cluster === stopped ? 'stopped for arrears' : 'works', now: seen.now })
  return `${status.phase} ${status.conditions.join('+')}`
}

describe('the life of a node pool', () => {
  // oxfmt-ignore
  const rows: [what: string, row: Row, shows: string, step: string | undefined, wakes: string[]][] = [
    ['is there as soon as its cluster admits members',     { facts: fresh },                                              'Running Ok',           undefined, []],
    ['waits for that',                                     { facts: fresh, cluster: away },                               'Creating Progressing', undefined, []],
    ['but not for ever',                                   { facts: fresh, cluster: away, now: START + 5 * MINUTE },      'Failed Unknown',       undefined, []],
    ['unless its cluster only rests',                      { facts: fresh, cluster: stopped, now: START + 5 * MINUTE },   'Failed ClusterNotRunning', undefined, []],
    ['whose creation ended gets no more work',             { facts: { ...fresh, creationEnded: { because: 'x' } } },      'Failed Unknown',       undefined, []],
    ['rests when nothing is asked of it',                  { nodes: [done, off] },                                        'Running Ok',           undefined, []],
    ['is Updating until each node carries its wish',       { facts: updating, nodes: [done, waits] },                     'Updating Progressing', undefined, ['id-of-waits']],
    ['lists those that are off and does not wait for them', { facts: updating, nodes: [waits, off] },                     'Updating Progressing', undefined, ['id-of-waits', 'id-of-off']],
    ['is done when only those are left',                   { facts: updating, nodes: [done, off] },                       'Running Ok',           undefined, ['id-of-off']],
    ['and after ten minutes, whoever does not take it',    { facts: updating, nodes: [waits, off], now: START + 10 * MINUTE }, 'Running Ok',        undefined, ['id-of-waits', 'id-of-off']],
    ['not before',                                         { facts: updating, nodes: [waits], now: START + 10 * MINUTE - 1 }, 'Updating Progressing', undefined, ['id-of-waits']],
    ['and when it has no nodes',                           { facts: updating },                                           'Running Ok',           undefined, []],
    ['does not wait for who leaves',                       { facts: updating, nodes: [leaves] },                          'Running Ok',           undefined, []],
    ['waits for its nodes to go',                          { facts: going, nodes: [leaves] },                             'Deleting Progressing', undefined, []],
    ['takes along who joined meanwhile',                   { facts: going, nodes: [leaves, waits] },                      'Deleting Progressing', 'deleteNodes', []],
    ['ends by being forgotten',                            { facts: going },                                              'Deleting Progressing', 'forget',  []],
    ['also when its cluster is gone',                      { facts: works, cluster: undefined },                          'Running Ok',           'forget',  []],
    ['names the nodes that keep it',                       { facts: going, nodes: [leaves], now: START + 4 * MINUTE },    'Failed ResourceCleanupFailed', undefined, []],
    ['and is Deleting again when one of them goes on',     { facts: { ...going, obstacles: ['x'] }, nodes: [leaves] },    'Deleting Progressing', undefined, []],
    ['and still ends when they went',                      { facts: { ...going, obstacles: ['x'] }, now: START + 9 * MINUTE }, 'Failed ResourceCleanupFailed', 'forget', []],
  ]
  for (const [what, row, shows, step, wakes] of rows) {
    test(what, () => {
      const seen = seenOf(row), decision = decideNodePool(seen)
      assert.deepEqual([shown(seen), decision.step, decision.wake], [shows, step, wakes])
    })
  }

  test('waits for its cluster by looking less and less, and never past its time', () => {
    const after = (waited: number) => (decideNodePool(seenOf({ facts: fresh, cluster: away, now: START + waited })).lookAgainAt ?? 0) - START - waited
    assert.deepEqual([0, 80 * SECOND, 299 * SECOND].map(after), [SECOND, 10 * SECOND, SECOND])
  })

  test('an update tells whom it waits for', () => {
    const { facts } = decideNodePool(seenOf({ facts: updating, nodes: [done, waits, off] }))
    assert.deepEqual(facts.updating, { since: START, waitsFor: ['waits'], off: ['off'] })
  })

  test('an update that ends without some nodes says which, and why', () => {
    const { saw } = decideNodePool(seenOf({ facts: updating, nodes: [done, waits, off], now: START + 10 * MINUTE }))
    assert.equal(saw.fact, 'Every other node of it carries them; waits did not take them in 10 min, and off cannot be reached.')
  })

  test('and goes on saying so until they have it, or are no more', () => {
    const ended = decideNodePool(seenOf({ facts: updating, nodes: [done, off] })).facts
    const says = (facts: NodePoolFacts) => verdict(NODE_POOL_RULES, { facts, counts: NO_NODES, clusterRule: 'works', now: START }).because
    assert.match(says(ended), /not on off: such a node gets them when/)
    assert.deepEqual(decideNodePool(seenOf({ facts: ended, nodes: [done, off] })).facts, ended)
    for (const nodes of [[done], [done, node('off', { configured })]]) assert.doesNotMatch(says(decideNodePool(seenOf({ facts: ended, nodes })).facts), /labels/)
    assert.equal(decideNodePool(seenOf({ facts: { ...ended, updating: { since: START, waitsFor: [], off: [] } }, nodes: [waits] })).facts.without, undefined)
  })

  test('a deletion names what failed before what is only slow, says how many there are beyond those, and names every machine that cannot be taken back', () => {
    const { deletion } = leaves.facts
    const slow = Array.from({ length: 11 }, (_, index) => node(`slow-${index}`, { deletion: deletion! })), failed = node('failed', { deletion: deletion!, obstacles: ['x'] })
    const { obstacles } = decideNodePool(seenOf({ facts: going, nodes: [...slow, failed], now: START + 4 * MINUTE })).facts
    assert.deepEqual([obstacles.length, obstacles[0], obstacles.at(-1)], [11, 'Node failed is still there: Its API gives no answer', '2 more nodes are still there, and the status of each says why'])
    const left = ['m1', 'm2', 'm3'].map(claim => ({ claim, because: `the machine ${claim}, which is there, cannot be taken back: it is busy` }))
    const tried = decideNodePool(seenOf({ facts: { ...going, leftovers: left }, leftovers: left, claim: { name: 'm1', obstacle: { because: 'it is busy', at: START } } })).facts
    assert.deepEqual(tried.obstacles, ['A machine that it tried to have is still there: it is busy', ...left.slice(1).map(({ because }) => `A machine that it tried to have is still there: ${because}`)])
  })

  test('whoever is not at rest looks again', () => {
    for (const facts of [fresh, works, updating, going])
      for (const cluster of [usable, away, stopped, undefined])
        for (const nodes of [[], [done], [waits], [off], [leaves], [leaves, waits]])
          for (const now of [START, START + 10 * MINUTE]) {
            const seen = seenOf({ facts, cluster, nodes, now }), decision = decideNodePool(seen)
            const rests = shown(seen).startsWith('Running') || decision.facts.ready && cluster === stopped || decision.facts.creationEnded !== undefined
            assert.ok(rests || decision.step !== undefined || decision.lookAgainAt !== undefined, JSON.stringify(seen))
          }
  })
})
