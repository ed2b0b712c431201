import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ClusterFacts } from '#model/cluster/record.ts'
import { CLUSTER_RULES } from '#model/cluster/rules.ts'
import { clusterSight } from '#model/cluster/sight.ts'
import { verdict } from '#model/status/rules.ts'
import type { ComponentSeen, ControlPlaneSeen } from '#ports/control-plane-host.ts'
import type { TenantClusterProbe } from '#ports/tenant-cluster.ts'
import { decideCluster } from './decide.ts'
import type { ClusterSeen } from './seen.ts'

const SECOND = 1_000, MINUTE = 60 * SECOND, YEAR = 365 * 24 * 60 * MINUTE
const START = 1_000_000_000
const spec = { name: 'shop', servedVersion: 'v1.35.4', podCidrs: ['10.0.0.0/16'], serviceCidrs: ['10.1.0.0/16'], maxPodsPerNode: 64 } as unknown as ClusterSeen['record']['spec']

const none: ControlPlaneSeen = { network: false, components: components({ state: 'absent', recentStarts: 0 }) }
const up: ControlPlaneSeen = { network: true, components: components({ state: 'running', recentStarts: 1, startedAt: START }) }
const half: ControlPlaneSeen = { network: true, components: components({ state: 'running', recentStarts: 1 }, { 'kube-controller-manager': { state: 'absent', recentStarts: 0 }, 'kube-scheduler': { state: 'absent', recentStarts: 0 } }) }
const notReady: TenantClusterProbe = { ready: false, says: 'connection refused', scheduler: false, controllerManager: false, defaultServiceAccount: false, baseApplied: false, dns: { available: 0, wanted: 0, schedulableNodes: 0 } }
const usable: TenantClusterProbe = { ready: true, says: 'ok', scheduler: true, controllerManager: true, defaultServiceAccount: true, baseApplied: true, dns: { available: 0, wanted: 0, schedulableNodes: 0 } }

const fresh: ClusterFacts = { controlPlane: 'absent', obstacles: [], unpaid: false }
const started: ClusterFacts = { ...fresh, attemptStartedAt: START, controlPlane: 'starting' }
const runs: ClusterFacts = { ...fresh, attemptStartedAt: START, firstReadyAt: START, controlPlane: 'usable' }
const going: ClusterFacts = { ...runs, deletion: { requestedAt: START, cascading: [], retain: [], force: false } }

function components(all: Omit<ComponentSeen, 'name'>, others: Partial<Record<ComponentSeen['name'], Partial<ComponentSeen>>> = {}): ComponentSeen[] {
  return (['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const).map(name => ({ name, ...all, ...others[name] }))
}

function died(name: ComponentSeen['name'], recentStarts: number, how: { code?: number; signal?: string } = { code: 1 }): ControlPlaneSeen {
  return { network: true, components: components({ state: 'running', recentStarts: 1 }, { [name]: { state: 'exited', recentStarts, lastExit: { at: START, lastLines: ['listen tcp: bind: address already in use'], ...how } } }) }
}

interface Row { facts?: ClusterFacts; address?: string | undefined; host?: ControlPlaneSeen; probe?: TenantClusterProbe | undefined; now?: number; shownSince?: number; components?: ClusterSeen['components']; children?: ClusterSeen['children']; outside?: ClusterSeen['outside']; tellsAll?: true }

function seenOf({ facts = fresh, host = none, probe, now = START, shownSince = START, children = { pools: 0, nodes: 0 }, ...row }: Row): ClusterSeen {
  const address = 'address' in row ? row.address : '10.213.4.7'
  return { now, record: { facts, spec, ...(address !== undefined && { address }) }, shownSince, host, probe, components: row.components ?? { state: 'ready' }, outside: row.outside ?? [], children, probeEveryMs: 30 * SECOND, ...(row.tellsAll && { tellsAll: true }) }
}

function shown(seen: ClusterSeen): string {
  const { status } = verdict(CLUSTER_RULES, clusterSight({ facts: decideCluster(seen).facts }, [], seen.now))
  return `${status.phase} ${status.conditions.join('+')}`
}

describe('the life of a cluster', () => {
  // oxfmt-ignore
  const rows: [what: string, row: Row, shows: string, step: string | undefined, looksAgainAfter: number | undefined][] = [
    ['begins with an address, keys and a ledger',           { address: undefined },                                                          'Creating Progressing', 'prepare',            0],
    ['waits for components without starting its time',      { components: { state: 'waiting', says: 'Kubernetes is being built' } },         'Creating Progressing', undefined,            SECOND / 2],
    ['ends when nobody can bring the components',           { components: { state: 'gaveUp', says: 'Nothing served kube-apiserver' } },      'Failed CreateError',   undefined,            undefined],
    ['then starts its control plane',                       {},                                                                              'Creating Progressing', 'ensureControlPlane', 0],
    ['starts it again if a crash came between',             { facts: started },                                                              'Creating Progressing', 'ensureControlPlane', 500],
    ['before it orders anything outside',                   { facts: started, outside: [{ kind: 'LoadBalancer', seen: undefined }] },        'Creating Progressing', 'ensureControlPlane', 500],
    ['which comes once the host has begun',                 { facts: started, host: up, outside: [{ kind: 'LoadBalancer', seen: undefined }] }, 'Creating Progressing', 'ensureOutside',   0],
    ['leaves the processor to what is starting',            { facts: started, host: up, probe: notReady },                                   'Creating Progressing', undefined,            500],
    ['and does not spin while its host starts the rest',     { facts: started, host: half, probe: notReady },                                 'Creating Progressing', 'ensureControlPlane', 500],
    ['gets its base as soon as the API answers',            { facts: started, host: half, probe: { ...notReady, answers: true } },           'Creating Progressing', 'beginBase',          500],
    ['and does not wait with it for the last components',   { facts: started, host: half, probe: { ...usable, answers: true, scheduler: false, baseApplied: false } }, 'Creating Progressing', 'beginBase', 60],
    ['and asks less often when it takes long',               { facts: started, host: up, probe: notReady, now: START + MINUTE },              'Creating Progressing', undefined,            SECOND],
    ['gets its base as soon as the API is ready',           { facts: started, host: up, probe: { ...usable, baseApplied: false } },          'Creating Progressing', 'ensureBase',         0],
    ['is not Running without a scheduler',                  { facts: started, host: up, probe: { ...usable, scheduler: false } },            'Creating Progressing', undefined,            60],
    ['nor without its default ServiceAccount',              { facts: started, host: up, probe: { ...usable, defaultServiceAccount: false } }, 'Creating Progressing', 'awaitServiceAccount', 60],
    ['is Running once it is usable',                        { facts: started, host: up, probe: usable },                                     'Running Ok',           undefined,            30 * SECOND],
    ['forgives one death at the start',                     { facts: started, host: died('etcd', 1), probe: notReady },                      'Creating Progressing', 'ensureControlPlane',            500],
    ['but not the second',                                  { facts: started, host: died('etcd', 2) },                                       'Failed CreateError',   undefined,            undefined],
    ['and blames nobody who was killed',                    { facts: started, host: died('etcd', 2, { signal: 'SIGKILL' }) },                'Creating Progressing', 'ensureControlPlane',            500],
    ['lets a scheduler die while there is no API',          { facts: started, host: died('kube-scheduler', 5), probe: notReady },            'Creating Progressing', 'ensureControlPlane',            500],
    ['but not for ever once there is one',                  { facts: started, host: died('kube-scheduler', 5), probe: usable },              'Failed CreateError',   undefined,            undefined],
    ['is given 15 minutes',                                 { facts: started, host: up, probe: notReady, now: START + 15 * MINUTE },         'Failed CreateError',   undefined,            undefined],
    ['is not made on credit',                               { facts: { ...fresh, unpaid: true } },                                           'Failed Balance',       undefined,            undefined],
    ['whose creation ended gets no more work',              { facts: { ...started, creationEnded: { as: 'StockOut', because: 'None left' } }, host: up, probe: usable }, 'Failed StockOut', undefined, undefined],

    ['is left to its health watch while it runs',           { facts: runs, host: up, probe: usable },                                        'Running Ok',           undefined,            undefined],
    ['ends an update of its name at once',                  { facts: { ...runs, updating: { action: 'UpdateClusterConfig', since: START } }, host: up, probe: usable }, 'Running Ok', undefined, undefined],
    ['puts its base back',                                  { facts: runs, host: up, probe: { ...usable, baseApplied: false } },             'Running Ok',           'ensureBase',         2 * SECOND],
    ['gives a lost scheduler a minute',                     { facts: runs, host: up, probe: { ...usable, scheduler: false } },               'Running Ok',           undefined,            MINUTE],
    ['starts a scheduler again that went with its supervisor', { facts: runs, host: died('kube-scheduler', 1), probe: { ...usable, scheduler: false } }, 'Running Ok', 'ensureControlPlane', 2 * SECOND],
    ['less and less often while that does not help',        { facts: { ...runs, degraded: { what: 'the scheduler', since: START } }, host: died('kube-scheduler', 1), probe: { ...usable, scheduler: false }, now: START + 2 * MINUTE }, 'Running Degraded', 'ensureControlPlane', 15 * SECOND],
    ['twice a minute in the end',                           { facts: { ...runs, degraded: { what: 'the scheduler', since: START } }, host: died('kube-scheduler', 1), probe: { ...usable, scheduler: false }, now: START + 200 * MINUTE }, 'Running Degraded', 'ensureControlPlane', 30 * SECOND],
    ['then says that it is degraded',                       { facts: { ...runs, degraded: { what: 'the scheduler', since: START } }, host: up, probe: { ...usable, scheduler: false }, now: START + MINUTE }, 'Running Degraded', undefined, undefined],
    ['misses DNS only where a pod of it could run',         { facts: runs, host: up, probe: { ...usable, dns: { available: 0, wanted: 0, schedulableNodes: 0 } } }, 'Running Ok', undefined, undefined],
    ['repairs itself without a fuss',                       { facts: runs, host: died('kube-apiserver', 2, { signal: 'SIGKILL' }) },         'Running Ok',           'ensureControlPlane', 250],
    ['is rebuilt after its host was',                       { facts: runs, host: none },                                                     'Running Ok',           'ensureControlPlane', 250],
    ['says so when five restarts did not help',             { facts: { ...runs, controlPlane: 'starting', notReadySince: START }, host: died('kube-apiserver', 6), now: START + 15 * SECOND, shownSince: START - YEAR }, 'Failed Unknown', 'ensureControlPlane', 2 * SECOND],
    ['but forgets the restarts of an outage that is over',  { facts: runs, host: died('kube-apiserver', 6) },                                'Running Ok',           'ensureControlPlane', 250],
    ['and does not blame one that came up again',           { facts: { ...runs, controlPlane: 'starting', notReadySince: START }, host: { ...up, components: components({ state: 'running', recentStarts: 6, startedAt: START }) }, probe: notReady, now: START + 15 * SECOND }, 'Running Ok', undefined, 250],
    ['and goes on saying so while the count falls',         { facts: { ...runs, controlPlane: 'unkept', notReadySince: START }, host: died('kube-apiserver', 1), now: START + MINUTE }, 'Failed Unknown', 'ensureControlPlane', 30 * SECOND],
    ['never puts an empty datastore in a lost one\'s place', { facts: runs, host: { ...none, dataLost: 'The data folder is gone' }, shownSince: START - YEAR }, 'Failed Unknown',       undefined,            2 * SECOND],
    ['says that a silent API is down after ten minutes',    { facts: { ...runs, controlPlane: 'starting', notReadySince: START }, host: up, probe: notReady, now: START + 11 * MINUTE, shownSince: START - YEAR }, 'Failed Unknown', undefined, 2 * SECOND],
    ['nor waits long where everything is told, however long it ran before', { facts: { ...runs, controlPlane: 'starting', notReadySince: START }, host: up, probe: notReady, now: START + 11 * MINUTE, shownSince: START - YEAR, tellsAll: true }, 'Failed Unknown', undefined, 30 * SECOND],
    ['heals by itself',                                     { facts: { ...runs, controlPlane: 'unkept', notReadySince: START }, host: up, probe: usable }, 'Running Ok',   undefined,            undefined],
    ['is switched off for arrears',                         { facts: { ...runs, unpaid: true }, host: up, probe: usable },                   'Running Ok',           'ensureControlPlaneStopped', 0],
    ['and Stopped once it is down',                         { facts: { ...runs, unpaid: true }, host: { ...none, network: true } },          'Stopped Balance',      undefined,            undefined],
    ['is Starting after payment',                           { facts: { ...runs, controlPlane: 'absent', startingSince: START }, host: { ...none, network: true } }, 'Starting Progressing', 'ensureControlPlane', 250],
    ['and Running when it is back',                         { facts: { ...runs, controlPlane: 'starting', startingSince: START }, host: up, probe: usable }, 'Running Ok', undefined,         undefined],

    ['lets its nodes go first',                             { facts: going, host: up, children: { pools: 1, nodes: 2 } },                    'Deleting Progressing', undefined,            SECOND],
    ['but not for long',                                    { facts: going, host: up, children: { pools: 1, nodes: 2 }, now: START + 2 * MINUTE }, 'Deleting Progressing', 'ensureControlPlaneGone', 0],
    ['is taken down in reverse',                            { facts: going, host: up },                                                      'Deleting Progressing', 'ensureControlPlaneGone', 0],
    ['waits for its children\'s records',                   { facts: going, host: none, children: { pools: 0, nodes: 1 } },                  'Deleting Progressing', undefined,            SECOND],
    ['which call it, so that it looks less and less',       { facts: going, host: none, children: { pools: 0, nodes: 1 }, now: START + 4 * MINUTE }, 'Deleting Progressing', undefined,     30 * SECOND],
    ['and never past its time',                             { facts: going, host: none, children: { pools: 0, nodes: 1 }, now: START + 8 * MINUTE - 10 * SECOND }, 'Deleting Progressing', undefined, 10 * SECOND],
    ['ends by being forgotten',                             { facts: going, host: none },                                                    'Deleting Progressing', 'finishDeletion',     undefined],
    ['is not forgotten while its data lies on the host',    { facts: going, host: { ...none, keeps: ['its data'] } },                        'Deleting Progressing', 'ensureControlPlaneGone', 0],
    ['is deleted from a creation that ended, too',          { facts: { ...going, creationEnded: { as: 'CreateError', because: 'It died' } }, host: up }, 'Deleting Progressing', 'ensureControlPlaneGone', 0],
    ['and before it ever began',                            { facts: { ...fresh, deletion: going.deletion! }, address: undefined },   'Deleting Progressing', 'finishDeletion',     undefined],
    ['names what stands in the way, and only looks',        { facts: { ...going, obstacles: ['The mount is busy'] }, host: up, now: START + MINUTE }, 'Failed ResourceCleanupFailed', undefined, 30 * SECOND],
    ['less and less often',                                 { facts: { ...going, obstacles: ['The mount is busy'] }, host: up, now: START + 9_000_000 * MINUTE }, 'Failed ResourceCleanupFailed', undefined, 1_440 * MINUTE],
    ['for ever less where everything is told',              { facts: { ...going, obstacles: ['The mount is busy'] }, host: up, tellsAll: true, now: START + 9_000_000 * MINUTE }, 'Failed ResourceCleanupFailed', undefined, 4_500_000 * MINUTE],
    ['is switched off in arrears, if it still runs',         { facts: { ...going, obstacles: ['The mount is busy'], unpaid: true }, host: up, now: START + MINUTE }, 'Failed Balance+ResourceCleanupFailed', 'ensureControlPlaneStopped', 30 * SECOND],
    ['once',                                                { facts: { ...going, obstacles: ['The mount is busy'], unpaid: true }, host: { ...none, network: true }, now: START + MINUTE }, 'Failed Balance+ResourceCleanupFailed', undefined, 30 * SECOND],
    ['goes on by itself when that cleared',                 { facts: { ...going, obstacles: ['The mount is busy'] }, host: none },           'Failed ResourceCleanupFailed', 'finishDeletion', undefined],
    ['does not keep a deleting client waiting',             { facts: going, host: none, children: { pools: 0, nodes: 1 }, now: START + 8 * MINUTE }, 'Failed ResourceCleanupFailed', undefined, 4 * MINUTE],
  ]
  for (const [what, row, shows, step, looksAgainAfter] of rows) {
    test(what, () => {
      const seen = seenOf(row), decision = decideCluster(seen)
      const after = decision.lookAgainAt === undefined ? undefined : decision.lookAgainAt - seen.now
      assert.deepEqual([shown(seen), decision.step, after], [shows, step, looksAgainAfter])
    })
  }

  test('what was in it is gone with its control plane, whatever else is waited for, and not before', () => {
    const gone = (row: Row) => decideCluster(seenOf({ facts: going, ...row })).facts.deletion?.controlPlaneGone
    const balancer: ClusterSeen['outside'] = [{ kind: 'LoadBalancer', seen: { providerId: 'lb-1', state: 'ready', deleteProtected: true } }]
    const all = { facts: { ...going, deletion: { ...going.deletion!, cascading: ['All'] } }, outside: balancer }
    assert.deepEqual([gone({ host: none, children: { pools: 0, nodes: 1 } }), gone({ host: none, ...all }), gone({ host: none, ...all, facts: { ...all.facts, obstacles: ['It is protected'] } })], [true, true, true])
    assert.deepEqual([gone({ host: up, children: { pools: 0, nodes: 1 } }), gone({ host: { ...none, keeps: ['its data'] }, ...all }), gone({ host: { ...none, network: true }, facts: { ...all.facts, unpaid: true } })], [undefined, undefined, undefined])
  })

  test('what holds it down is said anew once another thing does, and on while nothing else is known', () => {
    const unkept: ClusterFacts = { ...runs, controlPlane: 'unkept', controlPlaneSays: 'Before: listen tcp: bind: address already in use', notReadySince: START }
    const restarting: ControlPlaneSeen = { ...died('kube-apiserver', 2), components: died('kube-apiserver', 2).components.map(one => (one.name === 'etcd' ? { ...one, recentStarts: 6 } : one)) }
    const said = (downBy: string | undefined, host: ControlPlaneSeen) => {
      const { facts } = decideCluster(seenOf({ facts: { ...unkept, ...downBy !== undefined && { downBy } }, host, probe: notReady, now: START + MINUTE }))
      return `${facts.downBy} ${facts.controlPlaneSays?.split(/ was |: /)[0]}`
    }
    assert.deepEqual([said('kube-apiserver', died('kube-apiserver', 1)), said('kube-apiserver', up), said('start', died('etcd', 1))], ['kube-apiserver Before', 'kube-apiserver Before', 'start Before'])
    assert.deepEqual([said('kube-apiserver', died('etcd', 1)), said('etcd', died('kube-apiserver', 1)), said(undefined, died('etcd', 1))], ['etcd The component etcd', 'kube-apiserver The component kube-apiserver', 'etcd The component etcd'])
    assert.equal(said('etcd', restarting), 'etcd Before', 'it runs for a moment, and what needs it has ended')
    const otherwise = { ...died('kube-apiserver', 1), components: died('kube-apiserver', 1).components.map(one => ({ ...one, ...one.lastExit && { lastExit: { ...one.lastExit, lastLines: ['no space left on device'] } } })) }
    const long = { ...up, components: up.components.map(one => ({ ...one, startedAt: START - 11 * MINUTE })) }
    assert.deepEqual([said('kube-apiserver', otherwise), said('kube-apiserver', long)], ['kube-apiserver The component kube-apiserver', 'undefined Its API server runs and is not ready'], 'it ends by something else now, or has run for long')
    const lost = { ...none, dataLost: 'The folder is gone' }
    assert.deepEqual([said('start', lost), said('etcd', lost), said('data', { ...lost, takesCopy: true })], ['data The folder is gone', 'data The folder is gone', 'copy The folder is gone'])
    assert.deepEqual([said('copy', none), said('copy', died('etcd', 1))], ['undefined Its API server runs and is not ready', 'etcd The component etcd'], 'it was put back')
  })

  test('a component that died at its start speaks for itself', () => {
    const { facts, evidence } = decideCluster(seenOf({ facts: started, host: died('kube-apiserver', 2) }))
    assert.match(facts.creationEnded?.because ?? '', /kube-apiserver ended at its start and again at its retry: listen tcp: bind: address already in use/)
    assert.match(evidence[0]?.raw ?? '', /address already in use/)
  })

  test('what went down while something else was down has a minute of its own', () => {
    const degraded = { what: 'the scheduler', since: START }
    const both = decideCluster(seenOf({ facts: { ...runs, degraded }, host: up, probe: { ...usable, scheduler: false, controllerManager: false }, now: START + 50 * SECOND }))
    assert.deepEqual(both.facts.degraded, { what: 'the scheduler and the controller manager', since: START, each: { 'the scheduler': START, 'the controller manager': START + 50 * SECOND } })
    const left = decideCluster(seenOf({ facts: both.facts, host: up, probe: { ...usable, controllerManager: false }, now: START + 5 * MINUTE }))
    assert.deepEqual(left.facts.degraded, { what: 'the controller manager', since: START + 50 * SECOND }, 'the scheduler is cured')
    const other = decideCluster(seenOf({ facts: { ...runs, degraded }, host: up, probe: { ...usable, controllerManager: false }, now: START + 50 * SECOND }))
    assert.deepEqual(other.facts.degraded, { what: 'the controller manager', since: START + 50 * SECOND })
    assert.match(other.evidence[0]?.fact ?? '', /The API server is ready; the controller manager does not answer as healthy/)
  })
})

describe('in every sight', () => {
  const probes = [undefined, notReady, usable, { ...usable, baseApplied: false }, { ...usable, scheduler: false }]
  const hosts = [none, up, died('etcd', 1), died('kube-apiserver', 2), died('kube-apiserver', 6), { ...none, network: true }, { ...none, keeps: ['its data'] }, { ...none, dataLost: 'gone' }]
  const lives = [fresh, started, runs, { ...runs, controlPlane: 'starting' as const, notReadySince: START }, { ...runs, controlPlane: 'unkept' as const, notReadySince: START }, going, { ...going, obstacles: ['busy'] }, { ...started, creationEnded: { as: 'CreateError' as const, because: 'x' } }]
  function* everySight(): Generator<ClusterSeen> {
    for (const life of lives)
      for (const unpaid of [false, true])
        for (const startingSince of [undefined, START])
          for (const host of hosts)
            for (const probe of probes)
              for (const address of [undefined, '10.0.0.1'])
                for (const state of [{ state: 'ready' as const }, { state: 'waiting' as const, says: 'w' }])
                  for (const children of [{ pools: 0, nodes: 0 }, { pools: 1, nodes: 1 }])
                    for (const now of [START, START + 3 * MINUTE, START + 20 * MINUTE])
                      yield seenOf({ facts: { ...life, unpaid, ...(startingSince !== undefined && { startingSince }) }, host, probe, address, components: state, children, now })
  }

  test('somebody looks again, or nothing is left to be done but by a call', () => {
    let sights = 0
    for (const seen of everySight()) {
      sights++
      const { facts, step, lookAgainAt } = decideCluster(seen)
      const ended = facts.creationEnded !== undefined && !facts.deletion
      const stopped = facts.unpaid && facts.controlPlane === 'absent'
      // A usable one has a health watch, which looks on and on and tells of every change.
      const watched = facts.controlPlane === 'usable' && step === undefined
      assert.ok(lookAgainAt !== undefined || step === 'finishDeletion' || ended || stopped || watched, JSON.stringify({ facts, step, seen }))
    }
    assert.equal(sights, 8 * 2 * 2 * 8 * 5 * 2 * 2 * 2 * 3)
  })

  test('nobody who goes is started, and nobody is forgotten while something of it is there', () => {
    for (const seen of everySight()) {
      const { facts, step } = decideCluster(seen)
      if (facts.deletion) assert.ok(step === undefined || step === 'ensureControlPlaneGone' || step === 'finishDeletion' || (step === 'ensureControlPlaneStopped' && facts.unpaid))
      else assert.ok(step !== 'ensureControlPlaneGone' && step !== 'finishDeletion')
      if (step === 'finishDeletion') assert.ok(!seen.host.network && !seen.host.keeps && seen.children.pools + seen.children.nodes === 0)
      if (facts.creationEnded) assert.ok(facts.deletion || step === undefined)
    }
  })

  test('what a look led to is never without evidence, unless it led to nothing', () => {
    for (const seen of everySight()) {
      const { facts, evidence } = decideCluster(seen)
      const says = (of: ClusterFacts) => verdict(CLUSTER_RULES, clusterSight({ facts: of }, [], seen.now)).because
      if (says(facts) !== says(seen.record.facts) && seen.record.address !== undefined) assert.ok(evidence.length > 0, JSON.stringify({ facts, seen }))
    }
  })

  test('the same sight three times leads to facts that it changes no more', () => {
    const again = (seen: ClusterSeen): ClusterSeen => ({ ...seen, record: { ...seen.record, facts: decideCluster(seen).facts } })
    for (const seen of everySight()) {
      const settled = again(again(again(seen)))
      assert.deepEqual(decideCluster(settled).facts, settled.record.facts)
    }
  })
})
