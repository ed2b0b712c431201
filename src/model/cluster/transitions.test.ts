import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PRECONDITIONS, isIn } from '../preconditions.ts'
import { DEADLINES, DWELL } from '../status/deadlines.ts'
import { verdict } from '../status/rules.ts'
import { statusKey, walk, type Event } from '../status/walk.ts'
import { withFacts } from '../with-facts.ts'
import type { ClusterFacts } from './record.ts'
import { CLUSTER_RULES, creationEnd } from './rules.ts'
import type { ClusterSight } from './sight.ts'
import type { ClusterStatus } from './status.ts'
import { CLUSTER_TRANSITIONS } from './transitions.ts'

type Sight = ClusterSight & { readonly gone?: boolean }

const NOW = 100_000_000
const start: Sight = { now: NOW, facts: { obstacles: [], unpaid: false, controlPlane: 'absent' }, movingPools: [], stuckPools: [] }
const moving = { id: 'p', name: 'counters', status: { phase: 'Scaling', conditions: ['Progressing'] } as const }
const stuck = { id: 'q', name: 'burst', status: { phase: 'Failed', conditions: ['ResourceCleanupFailed'] } as const, because: 'Node burst-1 is still there' }

function status(seen: Sight): ClusterStatus {
  return verdict(CLUSTER_RULES, seen).status
}

/** Facts change; a controller's memory (firstReadyAt, creationEnded) is written in the same pass, as it is. */
function change(name: string, may: (seen: Sight) => boolean, to: (seen: Sight) => Partial<{ [Name in keyof ClusterFacts]: ClusterFacts[Name] | undefined }>): Event<Sight> {
  return {
    name,
    happens: seen => {
      if (seen.gone || !may(seen)) return undefined
      const next = { ...seen, facts: withFacts(seen.facts, to(seen)) }
      const remembered = next.facts.controlPlane === 'usable' && !next.facts.creationEnded && !next.facts.deletion
        ? withFacts(next.facts, { firstReadyAt: 1, startingSince: undefined })
        : withFacts(next.facts, { creationEnded: next.facts.deletion ? next.facts.creationEnded : creationEnd(next) })
      return { ...next, facts: remembered }
    },
  }
}

const alive = (seen: Sight) => !seen.facts.deletion && !seen.facts.creationEnded
const wasUsable = (seen: Sight) => seen.facts.firstReadyAt !== undefined

const EVENTS: readonly Event<Sight>[] = [
  change('the first start', seen => alive(seen) && seen.facts.attemptStartedAt === undefined, () => ({ attemptStartedAt: NOW, controlPlane: 'starting' })),
  change('usable', seen => alive(seen) && !seen.facts.unpaid && seen.facts.attemptStartedAt !== undefined, () => ({ controlPlane: 'usable', degraded: undefined })),
  change('a component ended', seen => alive(seen) && seen.facts.controlPlane === 'usable', () => ({ controlPlane: 'starting', degraded: undefined })),
  change('restarts do not help', seen => alive(seen) && seen.facts.controlPlane === 'starting', () => ({ controlPlane: 'unkept' })),
  change('a quota is used up', seen => alive(seen) && !wasUsable(seen), () => ({ creationEnded: { as: 'LimitedByQuota', because: '' } })),
  change('sold out', seen => alive(seen) && !wasUsable(seen), () => ({ creationEnded: { as: 'StockOut', because: '' } })),
  change('15 min since the first start', seen => seen.facts.attemptStartedAt === NOW, () => ({ attemptStartedAt: NOW - DEADLINES.clusterCreation })),
  change('arrears past the grace time', seen => !seen.facts.unpaid, () => ({ unpaid: true, startingSince: undefined })),
  change('shut down', seen => seen.facts.unpaid, () => ({ controlPlane: 'absent', degraded: undefined })),
  change('paid', seen => seen.facts.unpaid, seen => ({ unpaid: false, startingSince: wasUsable(seen) && seen.facts.controlPlane !== 'usable' ? NOW : undefined })),
  change('15 min since the payment', seen => seen.facts.startingSince === NOW, () => ({ startingSince: NOW - DEADLINES.clusterStart })),
  change('the scheduler is down', seen => alive(seen) && seen.facts.controlPlane === 'usable' && !seen.facts.degraded, () => ({ degraded: { what: 'kube-scheduler', since: NOW } })),
  change('a minute later', seen => seen.facts.degraded?.since === NOW, () => ({ degraded: { what: 'kube-scheduler', since: NOW - DWELL.clusterDegraded } })),
  change('the scheduler is back', seen => seen.facts.degraded !== undefined, () => ({ degraded: undefined })),
  change('UpdateClusterConfig', seen => isIn(status(seen), PRECONDITIONS.UpdateClusterConfig.cluster), () => ({ updating: { action: 'UpdateClusterConfig', since: NOW } })),
  change('the update is done', seen => seen.facts.updating !== undefined, () => ({ updating: undefined })),
  change('DeleteCluster', seen => isIn(status(seen), PRECONDITIONS.DeleteCluster.cluster), () => ({ deletion: { requestedAt: NOW, cascading: [], retain: [], force: false }, obstacles: [] })),
  change('something is protected', seen => seen.facts.deletion !== undefined, () => ({ obstacles: ['protected'] })),
  change('8 min since DeleteCluster', seen => seen.facts.deletion?.requestedAt === NOW, () => ({ deletion: { requestedAt: NOW - DEADLINES.clusterDeletion, cascading: [], retain: [], force: false } })),
  // Pools move only where a call or a machine can make them: in a working cluster, or in its deletion.
  { name: 'a pool moves', happens: seen => (seen.gone || seen.movingPools.length > 0 || !['Running', 'Updating'].includes(status(seen).phase) ? undefined : { ...seen, movingPools: [moving] }) },
  { name: 'the pool rests', happens: seen => (seen.gone || seen.movingPools.length === 0 ? undefined : { ...seen, movingPools: [] }) },
  { name: 'a pool gives up', happens: seen => (seen.gone || seen.stuckPools.length > 0 || !seen.facts.deletion ? undefined : { ...seen, stuckPools: [stuck] }) },
  { name: 'the pool goes on', happens: seen => (seen.gone || seen.stuckPools.length === 0 ? undefined : { ...seen, stuckPools: [] }) },
  { name: 'everything is gone', happens: seen => (seen.facts.deletion && !seen.gone ? { ...seen, gone: true } : undefined) },
]

test('the transition table of clusters is exactly what the rules and preconditions lead to', () => {
  const { transitions, visited, fired } = walk(start, EVENTS, seen => (seen.gone ? 'gone' : statusKey(status(seen))))
  assert.ok(visited > 500, `only ${visited} sights were visited`)
  assert.deepEqual(EVENTS.map(event => event.name).filter(name => !fired.has(name)), [], 'events that never happened')
  const seen = Object.fromEntries([...transitions].map(([from, to]) => [from, [...to].sort()]))
  assert.deepEqual(seen, Object.fromEntries(Object.entries(CLUSTER_TRANSITIONS).map(([from, to]) => [from, [...to].sort()])))
})
