import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ClusterRecord } from '#model/cluster/record.ts'
import { BEGINS_CORDONED, configText } from '#model/node-pool/node-config.ts'
import type { NodePoolRecord } from '#model/node-pool/record.ts'
import type { NodeFacts, NodeRecord } from '#model/node/record.ts'
import { NODE_RULES } from '#model/node/rules.ts'
import { verdict } from '#model/status/rules.ts'
import { LEFT } from '#model/node/leaving.ts'
import type { MachinePowerFact } from '#ports/machine-power.ts'
import { decideNode } from './decide.ts'
import type { NodePassSeen, Watched } from './seen.ts'
import { NODE_GONE, type KubernetesNodeFact } from './sights.ts'

const SECOND = 1_000, MINUTE = 60 * SECOND
const START = 1_000_000_000
const labels = [{ key: 'site', value: 'shop-1' }]
const ready = (status: 'True' | 'False' | 'Unknown', since = START, lastHeartbeatAt = since) => ({ status, since, reason: `Kubelet${status}`, message: 'as posted', lastHeartbeatAt })

const claimed: NodeFacts = { claimedAt: START, machineExistsAt: START, pausedMs: 0, obstacles: [], unschedulable: false, outOfSync: false, unpaid: false }
const member: NodeFacts = { ...claimed, firstReadyAt: START, ready: ready('True') }
const leaving = (...done: string[]): NodeFacts => ({ ...member, deletion: { requestedAt: START, by: 'call', done } })

const object = (fact: Partial<KubernetesNodeFact> = {}, more: Partial<Watched<KubernetesNodeFact>> = {}): Watched<KubernetesNodeFact> =>
  ({ fact: { uid: 'u', unschedulable: false, labels: {}, taints: [], pressures: [], ready: ready('True'), ...fact }, seenAt: START, observer: 'watch on cluster shop', ...more })
const gone: Watched<KubernetesNodeFact> = { fact: NODE_GONE, seenAt: START, observer: 'watch on cluster shop' }
const power = (state: 'on' | 'off', since = START, more: Partial<MachinePowerFact> = {}): NodePassSeen['power'] & object =>
  ({ fact: { state, since, lastOnAt: since, link: 'up', machineId: 'm', ...more }, seenAt: START, observer: 'machines', machine: 'shop-1' })

const usable = cluster({ controlPlane: 'usable' }), away = cluster({ controlPlane: 'starting' })
const going = cluster({ controlPlane: 'usable', deletion: { requestedAt: START, cascading: [], retain: [], force: false } })
function cluster(facts: Partial<ClusterRecord['facts']>): ClusterRecord {
  return { facts: { obstacles: [], unpaid: false, ...facts } } as ClusterRecord
}
function pool(wish: Partial<NodePoolRecord['spec']> = {}): NodePoolRecord {
  return { spec: { labels: [], taints: [], ...wish }, facts: {} } as unknown as NodePoolRecord
}

type Row = Partial<Omit<NodePassSeen, 'record'>> & { facts?: NodeFacts }
function seenOf({ facts = member, ...row }: Row): NodePassSeen {
  return { now: START + MINUTE, record: { facts, spec: { name: 'shop-1', architecture: 'amd64', machineId: 'm' } as NodeRecord['spec'] }, pool: pool(), cluster: usable, object: undefined, machine: undefined, power: undefined, apiAnswers: true, ...row }
}
function shown(seen: NodePassSeen): string {
  const { status } = verdict(NODE_RULES, { facts: decideNode(seen).facts, now: seen.now })
  return `${status.phase} ${status.conditions.join('+')}`
}

describe('the life of a node', () => {
  const now = START + MINUTE, wish = pool({ labels }), onAgain = START + 30 * SECOND
  const carried = { labels: { site: 'shop-1' } }, configured = configText({ labels, taints: [] })
  // oxfmt-ignore
  const rows: [what: string, row: Row, shows: string, step?: string][] = [
    ['begins with a claim',                                   { facts: claimed, now: START },                                                      'Creating Progressing'],
    ['whose name stays on the members\' list',                { facts: claimed, object: gone },                                                    'Creating Progressing', 'ensureMembers'],
    ['gets the labels of its pool before it is Ready',        { facts: claimed, pool: wish, object: object({ ready: ready('False') }) },           'Creating Progressing', 'ensureNodeConfig'],
    ['is Running with its first Ready',                       { facts: claimed, object: object() },                                                'Running Ok'],
    ['fails when a named step failed',                        { facts: { ...claimed, initialiseFailed: { step: 'preflight', text: 'no nft', at: now } } }, 'Failed InitializeFailed'],
    ['and after 15 minutes without a Ready',                  { facts: claimed, now: START + 15 * MINUTE, object: gone },                          'Failed InitializeFailed', 'ensureMembers'],
    ['whose time stands still while the cluster is away',     { facts: claimed, now: START + 10 * MINUTE, cluster: away },                         'Creating Progressing'],
    ['and goes on when it is back',                           { facts: { ...claimed, pausedSince: START + MINUTE }, now: START + 20 * MINUTE, object: gone }, 'Creating Progressing', 'ensureMembers'],
    ['is NotReady at once when its machine is off',           { object: object(), power: power('off') },                                           'Failed NotReady'],
    ['and not back before it was heard of again',             { object: object(), power: power('on', onAgain) },                                   'Failed NotReady'],
    ['but with the first heartbeat after power-on',           { object: object({ ready: ready('True', START, onAgain + SECOND) }), power: power('on', onAgain) }, 'Running Ok'],
    ['is NotReady when its heartbeats stopped',               { object: object({ ready: ready('Unknown', now) }), power: power('on') },            'Failed NotReady'],
    ['and when its kubelet says so',                          { object: object({ ready: ready('False', now) }) },                                  'Failed NotReady'],
    ['comes back by itself',                                  { facts: { ...member, ready: ready('Unknown') }, object: object() },                 'Running Ok'],
    ['is NotReady when its Node object is gone',              { object: gone },                                                                    'Failed NotReady'],
    ['keeps its pair when nobody has looked',                 { object: undefined },                                                               'Running Ok'],
    ['keeps its pair when nobody can look',                   { object: object({ ready: ready('Unknown', now) }, { staleSince: now }) },           'Running Ok'],
    ['is not judged while kubelets may come back',            { object: object({ ready: ready('Unknown', now), judgeFrom: now + SECOND }) },       'Running Ok'],
    ['but afterwards',                                        { object: object({ ready: ready('Unknown', now), judgeFrom: now }) },                'Failed NotReady'],
    ['shows a cordon',                                        { object: object({ unschedulable: true }) },                                         'Running Unschedulable'],
    ['and its end',                                           { facts: { ...member, unschedulable: true }, object: object() },                     'Running Ok'],
    ['is cordoned where its pool wants that of new nodes',    { facts: { ...claimed, toCordon: true }, object: object() },                         'Running Ok',           'cordonNew'],
    ['and where it registered so, whenever that was',         { object: object({ unschedulable: true, taints: [BEGINS_CORDONED] }) },              'Running Unschedulable', 'cordonNew'],
    ['is Updating until its labels are there',                { pool: wish, object: object() },                                                    'Updating Progressing', 'ensureNodeConfig'],
    ['is told once though it carries them',                   { pool: wish, object: object(carried) },                                             'Running Ok',           'ensureNodeConfig'],
    ['and is left alone then',                                { facts: { ...member, configured }, pool: wish, object: object(carried) },           'Running Ok'],
    ['has labels of an earlier wish taken off',               { facts: { ...member, configured }, object: object(carried) },                       'Updating Progressing', 'ensureNodeConfig'],
    ['gets them back when somebody took them off',            { facts: { ...member, configured }, pool: wish, object: object() },                  'Updating Progressing', 'ensureNodeConfig'],
    ['waits with that for an API',                            { facts: { ...member, configured }, pool: wish, object: object(), cluster: away },   'Updating Progressing'],

    ['leaves the members first',                              { facts: leaving(), object: object() },                                              'Deleting Progressing', 'leaveMembers'],
    ['is then cordoned',                                      { facts: leaving(LEFT.members), object: object() },                                  'Deleting Progressing', 'cordon'],
    ['and emptied',                                           { facts: leaving(LEFT.members, LEFT.cordoned), object: object() },                   'Deleting Progressing', 'evict'],
    ['for two minutes at most',                               { facts: leaving(LEFT.members, LEFT.cordoned), object: object(), now: START + 2 * MINUTE }, 'Deleting Progressing', 'ensureNodeGone'],
    ['loses its Node object',                                 { facts: leaving(LEFT.members, LEFT.cordoned, LEFT.evicted), object: object() },     'Deleting Progressing', 'ensureNodeGone'],
    ['is forgotten',                                          { facts: leaving(LEFT.members, LEFT.cordoned, LEFT.evicted, LEFT.object), object: gone }, 'Deleting Progressing', 'forget'],
    ['has nothing to empty where it never joined',            { facts: leaving(LEFT.members), object: gone },                                      'Deleting Progressing', 'ensureNodeGone'],
    ['waits a minute for an API that is away',                { facts: leaving(), apiAnswers: false, now: START + 30 * SECOND },                   'Deleting Progressing'],
    ['and not longer',                                        { facts: leaving(), apiAnswers: false, now: START + MINUTE },                        'Deleting Progressing', 'forget'],
    ['goes at once with its cluster',                         { facts: leaving(), cluster: going },                                                'Deleting Progressing', 'forget'],
    ['and when that is gone already',                         { facts: leaving(), cluster: undefined },                                            'Deleting Progressing', 'forget'],
    ['is said to be stuck after eight minutes',               { facts: leaving(LEFT.members), object: object(), now: START + 8 * MINUTE },         'Failed ResourceCleanupFailed', 'cordon'],
  ]
  for (const [what, row, shows, step] of rows) {
    test(what, () => {
      const seen = seenOf(row)
      assert.deepEqual([shown(seen), decideNode(seen).step], [shows, step])
    })
  }

  test('what stands in the way of a removal is what its machine says now, whatever did before', () => {
    const asked = leaving(LEFT.members, LEFT.cordoned, LEFT.evicted, LEFT.object)
    const facts: NodeFacts = { ...asked, deletion: { ...asked.deletion!, machine: 'Destroy', machineAsked: true }, obstacles: ['Its removal does not go on: its API gives no answer'] }
    const looked = seenOf({ facts, object: gone, now: START + 9 * MINUTE })
    const left = (obstacle?: { because: string; at: number }) => decideNode({
      ...looked, record: { ...looked.record, spec: { ...looked.record.spec, machine: 'm1' } }, machine: { machineId: 'm', deletionRequestedAt: START, ...obstacle && { obstacle } } as NodePassSeen['machine'],
    }).facts.obstacles
    assert.deepEqual(left(), [])
    assert.deepEqual(left({ because: 'The machine shop-1 is protected', at: START }), ['The machine shop-1 is protected'])
  })

  test('evidence tells a machine without power from one that fell silent', () => {
    const off = decideNode(seenOf({ object: object(), power: power('off') })).evidence
    const silent = decideNode(seenOf({ object: object({ ready: ready('Unknown', now) }), power: power('on') })).evidence
    assert.match(off[0]?.fact ?? '', /The power is off since/)
    assert.match(silent.at(-1)?.fact ?? '', /Ready is Unknown since .*, last full status at/)
  })

  test('a heartbeat alone is no news', () => {
    const facts = { ...member, power: { state: 'on' as const, since: START - MINUTE, lastOnAt: START - MINUTE, machine: 'shop-1', link: 'up' as const } }
    const seen = seenOf({ facts, object: object({ ready: ready('True', START, now) }), power: power('on', START - MINUTE) })
    assert.deepEqual(decideNode(seen).facts, facts)
  })

  test('a machine that is its provider\'s no more is off for good, though the cluster still believes in its kubelet', () => {
    for (const state of ['on', 'off'] as const) {
      const facts = { ...member, power: { state, since: START, machine: 'shop-1', link: 'up' as const } }
      const seen = seenOf({ facts, object: object() }), decision = decideNode(seen)
      assert.equal(shown(seen), 'Failed NotReady')
      assert.deepEqual(decision.facts.power, { ...facts.power, state: 'off', since: state === 'off' ? START : now, removed: true })
      assert.match(decision.evidence[0]?.fact ?? '', /machine shop-1 was removed/)
    }
  })

  test('a machine that is being removed forgets its past: it is off since it was seen off, never since before it was on', () => {
    const on = { state: 'on' as const, since: START, lastOnAt: START, machine: 'shop-1', link: 'up' as const }
    const addedAt = START - MINUTE
    const removing = { ...power('off'), fact: { state: 'off' as const, since: addedAt, link: 'up' as const, machineId: 'm' }, seenAt: now }
    const seen = seenOf({ facts: { ...member, power: on }, object: object(), power: removing }), { facts } = decideNode(seen)
    assert.equal(facts.power?.since, now)
    assert.equal(decideNode({ ...seen, record: { ...seen.record, facts } }).facts.power?.since, now)
    const removed = decideNode(seenOf({ facts, object: object(), now: now + MINUTE })).facts
    assert.deepEqual([removed.power?.removed, removed.power?.since], [true, now])
    assert.equal(verdict(NODE_RULES, { facts: removed, now }).rule, 'its machine was removed')
  })

  test('a link that was cut is told with its time, beside the heartbeats that stopped', () => {
    const facts = { ...member, power: { state: 'on' as const, since: START, lastOnAt: START - 1, machine: 'shop-1', link: 'up' as const } }
    const cut = { ...power('on', START, { link: 'cut', lastOnAt: START - 1 }), seenAt: START + 10 * SECOND }
    const first = decideNode(seenOf({ facts, object: object(), power: cut }))
    assert.equal(first.facts.power?.linkSince, START + 10 * SECOND)
    const silent = decideNode(seenOf({ facts: first.facts, object: object({ ready: ready('Unknown', now) }), power: cut }))
    assert.match(silent.evidence[0]?.fact ?? '', /the network link is cut since 1970-01-12T13:46:50Z/)
    assert.match(silent.evidence[1]?.fact ?? '', /Ready is Unknown/)
  })

  test('labels that are on their way are evidence of their own', () => {
    const { facts, evidence } = decideNode(seenOf({ pool: wish, object: object() }))
    assert.deepEqual([facts.outOfSync, evidence[0]?.source], [true, 'Node/shop-1 labels and taints'])
  })

  test('the first heartbeat after power-on is asked for until it is there', () => {
    const seen = seenOf({ object: object(), power: power('on', onAgain), now: onAgain + SECOND })
    assert.equal(decideNode(seen).lookAgainAt, onAgain + SECOND + SECOND / 2)
  })

  test('however long it is missing, within a minute where nobody tells of it, and ever more seldom elsewhere', () => {
    for (const days of [1, 10, 100]) {
      const now = onAgain + days * 1_440 * MINUTE, seen = seenOf({ object: object(), power: power('on', onAgain), now })
      assert.equal(decideNode(seen).lookAgainAt, now + MINUTE)
      assert.ok((decideNode({ ...seen, tellsAll: true }).lookAgainAt ?? now) > now + 100 * MINUTE)
    }
  })
})

describe('in every sight of a node', () => {
  const objects = [undefined, gone, object(), object({ ready: ready('Unknown') }), object({ unschedulable: true }), object({}, { staleSince: START })]
  const lives = [claimed, member, { ...claimed, initialiseFailed: { step: 's', text: 't', at: START } }, leaving(), leaving(LEFT.members), leaving(LEFT.members, LEFT.cordoned, LEFT.evicted, LEFT.object)]
  function* everySight(): Generator<NodePassSeen> {
    for (const facts of lives)
      for (const watched of objects)
        for (const on of [undefined, power('on', START - MINUTE), power('on', START + MINUTE), power('off')])
          for (const parent of [usable, away, going, undefined])
            for (const wish of [pool(), pool({ labels }), undefined])
              for (const apiAnswers of [false, true])
                for (const now of [START, START + 3 * MINUTE, START + 20 * MINUTE])
                  yield seenOf({ facts, object: watched, power: on, cluster: parent, pool: wish, apiAnswers, now })
  }

  test('who leaves has a step or an instant; who joins has an instant or waits for its machine or its cluster', () => {
    for (const seen of everySight()) {
      const { facts, step, lookAgainAt } = decideNode(seen)
      const waitsForEvent = !facts.deletion && seen.cluster !== undefined
      assert.ok(step !== undefined || lookAgainAt !== undefined || waitsForEvent, JSON.stringify(seen))
    }
  })

  test('deciding twice gives the same facts, and nobody is forgotten who stays', () => {
    for (const seen of everySight()) {
      const { facts, step } = decideNode(seen)
      assert.deepEqual(decideNode({ ...seen, record: { ...seen.record, facts } }).facts, facts)
      if (step === 'forget') assert.ok(facts.deletion ?? !seen.cluster)
    }
  })

  test('blindness changes nothing but the mark', () => {
    for (const seen of everySight()) {
      if (seen.object?.staleSince === undefined || !seen.cluster || seen.record.facts.deletion) continue
      const { ready: before, unschedulable, outOfSync } = seen.record.facts
      const { facts } = decideNode(seen)
      assert.deepEqual([facts.ready, facts.unschedulable, facts.outOfSync, facts.staleSince], [before, unschedulable, outOfSync, START])
    }
  })
})
