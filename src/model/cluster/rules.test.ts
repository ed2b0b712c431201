import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DEADLINES, DWELL } from '../status/deadlines.ts'
import { verdict } from '../status/rules.ts'
import { allowedSets, isAllowed, statusText } from '../status/table.ts'
import type { ClusterFacts } from './record.ts'
import { CLUSTER_RULES, creationEnd, nextInstantOfCluster } from './rules.ts'
import { clusterSight, type ClusterSight } from './sight.ts'
import { CLUSTER_CONDITIONS_TOGETHER, CLUSTER_STATUS } from './status.ts'

const NOW = 1_800_000_000_000
const YES_NO = [false, true] as const
const moving = { id: 'p1', name: 'counters', status: { phase: 'Scaling', conditions: ['Progressing'] } as const }
const stuck = { id: 'p2', name: 'burst', status: { phase: 'Failed', conditions: ['ResourceCleanupFailed'] } as const, because: 'Node burst-1 is still there: its machine is protected', failed: 1 }
const deletion = { cascading: [], retain: [], force: false }

/** The whole domain of the rules: each timer not set, just set, a moment before its deadline, and at it. */
function* everySight(): Generator<ClusterSight> {
  const timer = (deadline: number) => [undefined, NOW, NOW - deadline + 1, NOW - deadline] as const
  for (const controlPlane of ['absent', 'starting', 'usable', 'unkept'] as const)
    for (const creationEnded of [undefined, 'CreateError', 'LimitedByQuota', 'StockOut', 'Balance'] as const)
      for (const attemptStartedAt of timer(DEADLINES.clusterCreation))
        for (const requestedAt of timer(DEADLINES.clusterDeletion))
          for (const startingSince of timer(DEADLINES.clusterStart))
            for (const degradedSince of timer(DWELL.clusterDegraded))
              for (const ready of YES_NO) for (const unpaid of YES_NO) for (const obstacle of YES_NO) for (const busy of ['', 'pools', 'stuck', 'itself'] as const)
                yield {
                  now: NOW, movingPools: busy === 'pools' ? [moving] : [], stuckPools: busy === 'stuck' && requestedAt !== undefined ? [stuck] : [],
                  facts: {
                    controlPlane, unpaid, obstacles: obstacle ? ['The load balancer is protected'] : [],
                    ...(creationEnded ? { creationEnded: { as: creationEnded, because: 'It ended' } } : {}), ...(attemptStartedAt === undefined ? {} : { attemptStartedAt }),
                    ...(requestedAt === undefined ? {} : { deletion: { ...deletion, requestedAt } }), ...(startingSince === undefined ? {} : { startingSince }),
                    ...(degradedSince === undefined ? {} : { degraded: { what: 'kube-scheduler', since: degradedSince } }), ...(ready ? { firstReadyAt: 1 } : {}),
                    ...(busy === 'itself' ? { updating: { action: 'UpdateClusterConfig', since: NOW } } : {}),
                  },
                }
}

test('every sight has an allowed status and a sentence; every rule can win and every row and set of conditions is shown', () => {
  const winners = new Set<string>(), shown = new Set<string>()
  let count = 0
  for (const seen of everySight()) {
    const { status, rule, because } = verdict(CLUSTER_RULES, seen)
    assert.ok(isAllowed(CLUSTER_STATUS, CLUSTER_CONDITIONS_TOGETHER, status), JSON.stringify({ status, seen }))
    assert.match(because, /^[A-Z].*[^.]$/, rule)
    winners.add(rule)
    shown.add(statusText(status))
    count += 1
  }
  assert.ok(count > 50_000, String(count))
  assert.deepEqual(CLUSTER_RULES.map(rule => rule.name).filter(name => !winners.has(name)), [])
  assert.deepEqual(allowedSets(CLUSTER_STATUS, CLUSTER_CONDITIONS_TOGETHER).map(([phase, conditions]) => statusText({ phase, conditions })).filter(text => !shown.has(text)), [])
})

test('a verdict changes by time alone at exactly the instant that was named', () => {
  for (const seen of everySight()) {
    const at = nextInstantOfCluster(seen)
    const justBefore = at === undefined ? NOW + 365 * 86_400_000 : at - 1
    assert.deepEqual(verdict(CLUSTER_RULES, { ...seen, now: justBefore }).status, verdict(CLUSTER_RULES, seen).status, JSON.stringify(seen))
    if (at !== undefined) assert.ok(at > NOW)
  }
})

function shown(facts: Partial<ClusterFacts>, now = NOW) {
  const { status, rule, because } = verdict(CLUSTER_RULES, clusterSight({ facts: { obstacles: [], unpaid: false, controlPlane: 'usable', ...facts } }, [], now))
  return { status: `${status.phase} ${status.conditions.join('+')}`, rule, because }
}

describe('the cluster table of status-rules.md', () => {
  test('a deletion is Deleting for 8 minutes, then names what is left', () => {
    const facts = { deletion: { ...deletion, requestedAt: NOW }, firstReadyAt: 1 }
    assert.equal(shown(facts, NOW + DEADLINES.clusterDeletion - 1).status, 'Deleting Progressing')
    assert.equal(shown(facts, NOW + 8 * 60_000).status, 'Failed ResourceCleanupFailed')
    assert.deepEqual(shown({ ...facts, obstacles: ['The load balancer lb-1 is protected'], unpaid: true }), { status: 'Failed Balance+ResourceCleanupFailed', rule: 'could not be removed', because: 'The load balancer lb-1 is protected' })
  })

  test('a pool whose machine gave up ends it at once, and one that is only late when its own time is over; all that stands in the way is named', () => {
    const of = (pool: { readonly failed: number }, facts: Partial<ClusterFacts>, after: number) => {
      const cluster = { facts: { obstacles: [], unpaid: false, controlPlane: 'absent' as const, deletion: { ...deletion, requestedAt: NOW }, firstReadyAt: 1, ...facts } }
      const { status, rule, because } = verdict(CLUSTER_RULES, clusterSight(cluster, [{ ...stuck, ...pool }], NOW + after))
      return { status: `${status.phase} ${status.conditions.join('+')}`, rule, because }
    }
    const failed = { status: 'Failed ResourceCleanupFailed', rule: 'node pools of it could not be removed', because: 'Node pool burst: Node burst-1 is still there: its machine is protected' }
    assert.deepEqual(of({ failed: 1 }, {}, 1), failed)
    assert.equal(of({ failed: 0 }, {}, DEADLINES.clusterDeletion - 1).status, 'Deleting Progressing')
    assert.deepEqual(of({ failed: 0 }, {}, DEADLINES.clusterDeletion), failed)
    assert.deepEqual(of({ failed: 1 }, { obstacles: ['The load balancer lb-1 is protected'] }, 1), { ...failed, rule: 'could not be removed', because: `The load balancer lb-1 is protected; ${failed.because}` })
    assert.equal(of({ failed: 1 }, { unpaid: true }, 1).status, 'Failed Balance+ResourceCleanupFailed')
  })

  test('waiting for components is no attempt: creation may wait for ever', () => {
    const waiting = { controlPlane: 'absent', waitsFor: 'Kubernetes v1.35.4 is being built, about 5 min more' } as const
    assert.deepEqual(shown(waiting, NOW + 10 * 365 * 86_400_000), { status: 'Creating Progressing', rule: 'not usable yet', because: waiting.waitsFor })
  })

  test('a cluster that was just asked for is not missing anything', () => {
    assert.equal(shown({ controlPlane: 'absent' }).because, 'Its control plane is about to be made')
    assert.equal(shown({ controlPlane: 'starting' }).because, 'Its control plane is starting')
  })

  test('15 minutes after the first start it is a CreateError with the last words of what failed', () => {
    const facts = { controlPlane: 'starting', attemptStartedAt: NOW, controlPlaneSays: 'etcd says: disk full' } as const
    assert.equal(shown(facts, NOW + 15 * 60_000 - 1).status, 'Creating Progressing')
    assert.equal(shown(facts, NOW + 15 * 60_000).status, 'Failed CreateError')
    assert.match(shown(facts, NOW + 15 * 60_000).because, /15 min after its first start: etcd says: disk full$/)
  })

  test('a creation that ended stays ended, whatever is seen later', () => {
    assert.equal(shown({ creationEnded: { as: 'CreateError', because: 'etcd died twice' }, controlPlane: 'usable' }).status, 'Failed CreateError')
  })

  test('down before the first Ready ends the creation; down later is Unknown and heals', () => {
    const facts = { controlPlane: 'unkept', controlPlaneSays: 'The port 6443 is taken' } as const
    assert.deepEqual(shown(facts), { status: 'Failed CreateError', rule: 'creation ended', because: 'The port 6443 is taken' })
    assert.deepEqual(shown({ ...facts, firstReadyAt: 1 }), { status: 'Failed Unknown', rule: 'down and not coming back', because: 'The port 6443 is taken' })
    assert.equal(shown({ controlPlane: 'usable', firstReadyAt: 1 }).status, 'Running Ok')
  })

  test('degraded shows after one minute, not before', () => {
    const facts = { firstReadyAt: 1, degraded: { what: 'kube-scheduler', since: NOW } }
    assert.equal(shown(facts, NOW + 59_999).status, 'Running Ok')
    assert.deepEqual(shown(facts, NOW + 60_000), { status: 'Running Degraded', rule: 'degraded', because: 'Its API works, but kube-scheduler is down since 2027-01-15T08:00:00Z' })
  })

  test('only pools that are Creating, Deleting or Scaling make it Updating', () => {
    const phaseOf = (phase: 'Creating' | 'Deleting' | 'Scaling' | 'Updating') =>
      verdict(CLUSTER_RULES, clusterSight({ facts: { obstacles: [], unpaid: false, controlPlane: 'usable', firstReadyAt: 1 } }, [{ id: 'p', name: 'p', status: { phase, conditions: ['Progressing'] } }], NOW)).status.phase
    assert.deepEqual((['Creating', 'Deleting', 'Scaling', 'Updating'] as const).map(phaseOf), ['Updating', 'Updating', 'Updating', 'Running'])
  })

  test('arrears before the cluster was usable end its creation as Balance', () => {
    assert.equal(creationEnd({ now: NOW, movingPools: [], stuckPools: [], facts: { obstacles: [], unpaid: true, controlPlane: 'starting' } })?.as, 'Balance')
  })
})
