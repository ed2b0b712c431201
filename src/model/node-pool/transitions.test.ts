import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CHILDREN_FAIL_UNDER } from '../cluster/rules.ts'
import { NO_NODES } from '../counts.ts'
import { PRECONDITIONS, isIn } from '../preconditions.ts'
import { DEADLINES } from '../status/deadlines.ts'
import { verdict } from '../status/rules.ts'
import { statusKey, walk, type Event } from '../status/walk.ts'
import { withFacts } from '../with-facts.ts'
import type { NodePoolFacts } from './record.ts'
import { NODE_POOL_RULES } from './rules.ts'
import type { NodePoolSight } from './sight.ts'
import type { NodePoolStatus } from './status.ts'
import { NODE_POOL_TRANSITIONS } from './transitions.ts'

type Sight = NodePoolSight & { readonly gone?: boolean }

const NOW = 100_000_000
const start: Sight = { now: NOW, facts: { ready: false, obstacles: [], openClaims: 0 }, counts: NO_NODES, clusterRule: 'works' }

function status(seen: Sight): NodePoolStatus {
  return verdict(NODE_POOL_RULES, seen).status
}

function change(name: string, may: (seen: Sight) => boolean, to: Partial<{ [Name in keyof NodePoolFacts]: NodePoolFacts[Name] | undefined }>): Event<Sight> {
  return { name, happens: seen => (seen.gone || !may(seen) ? undefined : { ...seen, facts: withFacts(seen.facts, to) }) }
}

const clusterWorks = (seen: Sight) => seen.clusterRule === 'works'
const alive = (seen: Sight) => !seen.facts.deletion && !seen.facts.creationEnded
const deletion = { by: 'call', cascading: [], retain: [] } as const
const refusals = ['StockOut', 'LimitedByQuota', 'Balance', 'ScalingFailed'] as const

const EVENTS: readonly Event<Sight>[] = [
  change('the cluster admits members', seen => alive(seen) && clusterWorks(seen), { ready: true }),
  change('creation fails', seen => alive(seen) && !seen.facts.ready, { creationEnded: { because: '' } }),
  change('UpdateEdgeNodePoolConfig', seen => clusterWorks(seen) && isIn(status(seen), PRECONDITIONS.UpdateEdgeNodePoolConfig.nodePool), { updating: { since: NOW, waitsFor: [], off: [] } }),
  change('labels are on the nodes', seen => clusterWorks(seen) && seen.facts.updating !== undefined, { updating: undefined }),
  change('machines are wanted', seen => clusterWorks(seen) && isIn(status(seen), PRECONDITIONS.ScaleUpEdgeNodePool.nodePool), { openClaims: 1 }),
  change('machines are had', seen => seen.facts.openClaims > 0, { openClaims: 0, refused: undefined }),
  ...refusals.map(as => change(`machines are refused: ${as}`, seen => seen.facts.openClaims > 0, { openClaims: 0, refused: { as, because: '' } })),
  change('DeleteNodePool', seen => clusterWorks(seen) && isIn(status(seen), PRECONDITIONS.DeleteNodePool.nodePool), { deletion: { ...deletion, requestedAt: NOW }, obstacles: [] }),
  change('DeleteCluster', seen => seen.facts.deletion === undefined, { deletion: { ...deletion, by: 'cluster', requestedAt: NOW }, obstacles: [] }),
  change('something is protected', seen => seen.facts.deletion !== undefined, { obstacles: ['protected'] }),
  change('4 min since the deletion', seen => seen.facts.deletion?.requestedAt === NOW, { deletion: { ...deletion, requestedAt: NOW - DEADLINES.nodePoolDeletion } }),
  // A script made earlier may be run at any time while the pool admits members.
  { name: 'a node joins', happens: seen => (!seen.gone && clusterWorks(seen) && seen.facts.ready && alive(seen) && seen.counts.total === 0 ? { ...seen, counts: { ...NO_NODES, total: 1, creating: 1 } } : undefined) },
  { name: 'the node is Ready', happens: seen => (seen.counts.creating > 0 ? { ...seen, counts: { ...NO_NODES, total: 1, running: 1 } } : undefined) },
  { name: 'DeleteEdgeNodes', happens: seen => (seen.counts.total > 0 && isIn(status(seen), PRECONDITIONS.DeleteEdgeNodes.nodePool) ? { ...seen, counts: { ...NO_NODES, total: 1, deleting: 1 } } : undefined) },
  { name: 'the node is gone', happens: seen => (seen.counts.deleting > 0 ? { ...seen, counts: NO_NODES } : undefined) },
  ...['works', ...Object.keys(CHILDREN_FAIL_UNDER)].map(rule => ({ name: `the cluster ${rule}`, happens: (seen: Sight) => (seen.gone || seen.clusterRule === rule ? undefined : { ...seen, clusterRule: rule }) })),
  { name: 'everything is gone', happens: seen => (seen.facts.deletion && !seen.gone ? { ...seen, gone: true } : undefined) },
]

test('the transition table of node pools is exactly what the rules and preconditions lead to', () => {
  const { transitions, visited, fired } = walk(start, EVENTS, seen => (seen.gone ? 'gone' : statusKey(status(seen))))
  assert.ok(visited > 500, `only ${visited} sights were visited`)
  assert.deepEqual(EVENTS.map(event => event.name).filter(name => !fired.has(name)), [], 'events that never happened')
  const seen = Object.fromEntries([...transitions].map(([from, to]) => [from, [...to].sort()]))
  assert.deepEqual(seen, Object.fromEntries(Object.entries(NODE_POOL_TRANSITIONS).map(([from, to]) => [from, [...to].sort()])))
})
