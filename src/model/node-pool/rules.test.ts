import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CLUSTER_RULES } from '../cluster/rules.ts'
import { NO_NODES } from '../counts.ts'
import { DEADLINES } from '../status/deadlines.ts'
import { verdict } from '../status/rules.ts'
import { allowedSets, isAllowed, statusText } from '../status/table.ts'
import { NODE_POOL_RULES, nextInstantOfNodePool } from './rules.ts'
import type { NodePoolSight } from './sight.ts'
import { NODE_POOL_CONDITIONS_TOGETHER, NODE_POOL_STATUS } from './status.ts'

const NOW = 1_800_000_000_000
const YES_NO = [false, true] as const

function* everySight(): Generator<NodePoolSight> {
  for (const clusterRule of [...CLUSTER_RULES.map(({ name }) => name), undefined])
    for (const requestedAt of [undefined, NOW, NOW - DEADLINES.nodePoolDeletion + 1, NOW - DEADLINES.nodePoolDeletion])
      for (const refused of [undefined, 'StockOut', 'LimitedByQuota', 'Balance', 'ScalingFailed'] as const)
        for (const by of ['call', 'cluster'] as const)
          for (const nodes of ['creating', 'running', 'updating', 'deleting', 'failed', 'stopped', 'starting', 'stopping', undefined] as const)
            for (const ready of YES_NO) for (const ended of YES_NO) for (const obstacle of YES_NO) for (const updating of YES_NO) for (const without of YES_NO) for (const openClaims of [0, 2])
              yield {
                now: NOW, clusterRule, counts: nodes ? { ...NO_NODES, total: 1, [nodes]: 1 } : NO_NODES,
                facts: {
                  ready, openClaims, obstacles: obstacle ? ['The machine m-1 is protected'] : [],
                  ...(ended ? { creationEnded: { because: 'It ended' } } : {}), ...(requestedAt === undefined ? {} : { deletion: { requestedAt, by, cascading: [], retain: [] } }),
                  ...(updating ? { updating: { since: NOW, waitsFor: ['shop-1'], off: ['shop-2'] } } : {}), ...(without ? { without: ['shop-2'] } : {}), ...(refused ? { refused: { as: refused, because: 'They are sold out' } } : {}),
                },
              }
}

test('every sight has an allowed status and a sentence; every rule can win and every row and set of conditions is shown', () => {
  const winners = new Set<string>(), shown = new Set<string>()
  for (const seen of everySight()) {
    const { status, rule, because } = verdict(NODE_POOL_RULES, seen)
    assert.ok(isAllowed(NODE_POOL_STATUS, NODE_POOL_CONDITIONS_TOGETHER, status), JSON.stringify({ status, seen }))
    assert.match(because, /^[A-Z\d].*[^.]$/, rule)
    winners.add(rule)
    shown.add(statusText(status))
  }
  assert.deepEqual(NODE_POOL_RULES.map(rule => rule.name).filter(name => !winners.has(name)), [])
  assert.deepEqual(allowedSets(NODE_POOL_STATUS, NODE_POOL_CONDITIONS_TOGETHER).map(([phase, conditions]) => statusText({ phase, conditions })).filter(text => !shown.has(text)), [])
})

test('a verdict changes by time alone at exactly the instant that was named', () => {
  for (const seen of everySight()) {
    const at = nextInstantOfNodePool(seen)
    const justBefore = at === undefined ? NOW + 365 * 86_400_000 : at - 1
    assert.deepEqual(verdict(NODE_POOL_RULES, { ...seen, now: justBefore }).status, verdict(NODE_POOL_RULES, seen).status, JSON.stringify(seen))
  }
})

describe('the node-pool table of status-rules.md', () => {
  const steady: NodePoolSight = { now: NOW, clusterRule: 'works', counts: NO_NODES, facts: { ready: true, obstacles: [], openClaims: 0 } }
  const pair = (seen: NodePoolSight) => `${verdict(NODE_POOL_RULES, seen).status.phase} ${verdict(NODE_POOL_RULES, seen).status.conditions.join('+')}`

  test('an empty static pool runs', () => assert.equal(pair(steady), 'Running Ok'))

  test('Creating and Deleting nodes are Scaling, Starting and Stopping ones are not', () => {
    const withOne = (phase: string) => pair({ ...steady, counts: { ...NO_NODES, total: 1, [phase]: 1 } })
    assert.deepEqual(['creating', 'deleting', 'starting', 'stopping', 'failed'].map(withOne), ['Scaling Progressing', 'Scaling Progressing', 'Running Ok', 'Running Ok', 'Running Ok'])
  })

  test('a stopped cluster, and one that was not seen working since, covers everything but deletion and a failed creation', () => {
    const stopped: NodePoolSight = { ...steady, clusterRule: 'stopped for arrears', counts: { ...NO_NODES, total: 1, creating: 1 }, facts: { ...steady.facts, updating: { since: NOW, waitsFor: [], off: [] } } }
    assert.equal(pair(stopped), 'Failed ClusterNotRunning')
    assert.equal(pair({ ...stopped, clusterRule: 'starting after payment' }), 'Failed ClusterNotRunning')
    assert.equal(pair({ ...stopped, clusterRule: 'did not start after payment' }), 'Failed ClusterNotRunning')
    assert.equal(pair({ ...stopped, clusterRule: 'down and not coming back' }), 'Scaling Progressing')
    assert.equal(pair({ ...stopped, facts: { ...stopped.facts, deletion: { requestedAt: NOW, by: 'call', cascading: [], retain: [] } } }), 'Deleting Progressing')
  })

  test('a deletion gives up after 4 minutes, inside the 5 that clients wait', () => {
    const facts = { ...steady.facts, deletion: { requestedAt: NOW, by: 'call', cascading: [], retain: [] } as const }
    assert.equal(pair({ ...steady, facts, now: NOW + 4 * 60_000 - 1 }), 'Deleting Progressing')
    assert.equal(pair({ ...steady, facts, now: NOW + 4 * 60_000 }), 'Failed ResourceCleanupFailed')
  })

  test('an update names the nodes it waits for and those that are off', () => {
    const seen = { ...steady, facts: { ...steady.facts, updating: { since: NOW, waitsFor: ['shop-1'], off: ['shop-2'] } } }
    assert.equal(verdict(NODE_POOL_RULES, seen).because, 'Its configuration was changed at 2027-01-15T08:00:00Z, and its labels and taints are not yet on shop-1; shop-2 get them when they are back')
  })
})
