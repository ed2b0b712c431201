import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ClusterRecord } from '#model/cluster/record.ts'
import { claimedFacts } from '#model/node/claim.ts'
import type { NodeFacts } from '#model/node/record.ts'
import { NODE_RULES } from '#model/node/rules.ts'
import { verdict } from '#model/status/rules.ts'
import { decideNode } from './decide.ts'
import type { NodePassSeen } from './seen.ts'
import { NODE_GONE, type KubernetesNodeFact } from './sights.ts'

const NOW = 1_000_000_000, MINUTE = 60_000
const claimed = claimedFacts(NOW - MINUTE)
const ready = { status: 'True', since: NOW - MINUTE, reason: 'KubeletReady', message: 'ready' } as const
const member: NodeFacts = { ...claimed, machineExistsAt: NOW - MINUTE, joinedAt: NOW - MINUTE, firstReadyAt: NOW - MINUTE, ready, power: { state: 'on', since: NOW - 2 * MINUTE, machine: 'shop-1' } }
const cluster = (unpaid = false): ClusterRecord => ({ facts: { controlPlane: 'usable', obstacles: [], unpaid } }) as unknown as ClusterRecord
const on = { machineId: 'id', power: 'on' } as const, off = { machineId: 'id', power: 'off' } as const
const obstacle = { because: 'RunInstances: internal error', at: NOW }, refused = { as: 'StockOut', because: 'sold out', at: NOW } as const
const leaving = (more: Partial<NonNullable<NodeFacts['deletion']>> = {}): NodeFacts => ({ ...member, deletion: { requestedAt: NOW - MINUTE, by: 'call', done: ['taken off the members', 'Node object deleted'], machine: 'Destroy', ...more } })
const power = (state: 'on' | 'off', since: number): NodePassSeen['power'] => ({ fact: { state, since, link: 'up', machineId: 'id' }, machine: 'shop-1', seenAt: since, observer: 'machines' })

const emptying: NodeFacts = { ...member, ordered: { power: 'off', since: NOW, emptying: true } }
const node = (fact: Partial<KubernetesNodeFact> = {}): NonNullable<NodePassSeen['object']> => ({ fact: { uid: 'u', unschedulable: false, labels: {}, taints: [], pressures: [], ready, ...fact }, seenAt: NOW, observer: 'watch on cluster shop' })

type Row = Partial<NodePassSeen> & { facts?: NodeFacts }
function seenOf({ facts = member, ...row }: Row): NodePassSeen {
  return { now: NOW, record: { facts, spec: { name: 'shop-1', architecture: 'amd64', machineId: 'id', machine: 'm1' } }, pool: undefined, cluster: cluster(), object: undefined, machine: on, power: undefined, apiAnswers: true, ...row }
}

describe('a node whose machine its pool ordered', () => {
  // oxfmt-ignore
  const rows: [what: string, row: Row, shows: string, step?: string][] = [
    ['is being created while its machine is not there',       { facts: claimed, machine: { power: 'on' } },                                         'Creating Progressing'],
    ['has no place once its machine is refused',              { facts: claimed, machine: { power: 'on', refused } },                                'Creating Progressing', 'giveBack'],
    ['has failed once its machine is given up',               { facts: claimed, machine: { power: 'on', obstacle } },                               'Failed Unknown'],
    ['is being created again if its machine is there after all', { facts: { ...claimed, creationEnded: { because: obstacle.because } } },             'Creating Progressing'],
    ['and has no place if that turns out to be refused',      { facts: { ...claimed, creationEnded: { because: obstacle.because } }, machine: { power: 'on', refused } }, 'Failed Unknown', 'giveBack'],
    ['has failed once somebody removed it before it was there',      { facts: claimed, machine: undefined },                                               'Failed Unknown'],
    ['is ordered off for arrears',                            { cluster: cluster(true) },                                                           'Running Ok',           'switchOff'],
    ['and shown so when it is, while they last',              { cluster: cluster(true), machine: off, power: power('off', NOW), facts: { ...member, unpaid: true, shutDown: true } }, 'Failed Balance'],
    ['is on again when they are paid',                        { machine: off, facts: { ...member, unpaid: true, shutDown: true } },                 'Running Ok',           'switchOn'],
    ['is off for them until it is on',                        { machine: off, power: power('off', NOW - 1), facts: { ...member, unpaid: true, shutDown: true } }, 'Failed Balance', 'switchOn'],
    ['also once it was ordered on',                           { machine: on, power: power('off', NOW - 2), facts: { ...member, shutDown: true, paidAt: NOW - 1 } }, 'Failed Balance'],
    ['not if somebody switches it off again',                 { machine: off, power: power('off', NOW), facts: { ...member, paidAt: NOW - 1 } },      'Failed NotReady'],
    ['is not switched on if its pool had stopped it',         { machine: off, power: power('off', NOW), facts: { ...member, ordered: { power: 'off', since: NOW - MINUTE } } }, 'Stopped Ok'],
    ['nor shut down for arrears then',                        { cluster: cluster(true), machine: off, power: power('off', NOW), facts: { ...member, ordered: { power: 'off', since: NOW - MINUTE } } }, 'Stopped Ok'],
    ['is closed and emptied before its pool switches it off', { facts: emptying, object: node(), machine: on },                                  'Stopping Progressing', 'empty'],
    ['for two minutes at most',                               { facts: emptying, object: node(), now: NOW + 2 * MINUTE },                            'Stopping Progressing', 'stop'],
    ['which waits for an API that is away',                   { facts: emptying, object: node(), apiAnswers: false },                                'Stopping Progressing'],
    ['and not for longer than a minute',                      { facts: emptying, object: node(), apiAnswers: false, now: NOW + MINUTE },             'Stopping Progressing', 'stop'],
    ['nor for what is in no Node object',                     { facts: emptying, object: { ...node(), fact: NODE_GONE } },                           'Stopping Progressing', 'stop'],
    ['nor while there are arrears, which find it stopped by its pool', { facts: emptying, object: node(), cluster: cluster(true) },                  'Stopping Progressing', 'stop'],
    ['is open to pods once it is to run again',               { facts: { ...member, closedToStop: true, ordered: { power: 'on', since: NOW } }, object: node(), machine: on, power: power('off', NOW - MINUTE) }, 'Starting Progressing', 'open'],
    ['as is one of before, which its pool had cordoned',      { facts: { ...member, cordonedToStop: true, ordered: { power: 'on', since: NOW } }, object: node({ unschedulable: true }), machine: on, power: power('off', NOW - MINUTE) }, 'Starting Progressing', 'open'],
    ['not before',                                            { facts: { ...member, closedToStop: true, ordered: { power: 'off', since: NOW - MINUTE } }, object: node(), machine: off, power: power('off', NOW) }, 'Stopped Ok'],
    ['nor where another one cordoned it',                     { facts: { ...member, ordered: { power: 'on', since: NOW } }, object: node({ unschedulable: true }), machine: on, power: power('off', NOW - MINUTE) }, 'Starting Progressing'],
    ['is its pool\'s no more if a user switches it on',       { power: power('on', NOW), facts: { ...member, ordered: { power: 'off', since: NOW - MINUTE }, power: { state: 'off', since: NOW - MINUTE, machine: 'shop-1' } } }, 'Running Ok'],
    ['asks its machine to go after all else',                 { facts: leaving() },                                                                 'Deleting Progressing', 'askMachineGone'],
    ['waits for that',                                        { facts: leaving({ machineAsked: true }) },                                           'Deleting Progressing'],
    ['names what stands in the way',                          { facts: leaving({ machineAsked: true }), machine: { ...on, obstacle } },             'Failed ResourceCleanupFailed'],
    ['has that one shut down for arrears where it is on',     { cluster: cluster(true), facts: leaving({ machineAsked: true }), machine: { ...on, obstacle, deletionRequestedAt: NOW }, power: power('on', NOW) }, 'Failed ResourceCleanupFailed', 'switchOff'],
    ['and shown so when it is off',                           { cluster: cluster(true), facts: { ...leaving({ machineAsked: true }), unpaid: true, shutDown: true }, machine: { ...off, obstacle, deletionRequestedAt: NOW }, power: power('off', NOW) }, 'Failed Balance+ResourceCleanupFailed'],
    ['not where its removal switched it off',                 { cluster: cluster(true), facts: leaving({ machineAsked: true }), machine: { ...on, obstacle, deletionRequestedAt: NOW }, power: power('off', NOW) }, 'Failed ResourceCleanupFailed'],
    ['nor while it goes',                                     { cluster: cluster(true), facts: leaving({ machineAsked: true }), machine: { ...on, deletionRequestedAt: NOW }, power: power('on', NOW) }, 'Deleting Progressing'],
    ['goes with it',                                          { facts: leaving({ machineAsked: true }), machine: undefined },                       'Deleting Progressing', 'forget'],
    ['goes without it where nobody asked for that',           { facts: leaving({ machine: 'Retain' }) },                                            'Deleting Progressing', 'forget'],
    ['but takes a claim with it that nothing was made of',    { facts: leaving({ machine: 'Retain' }), machine: { power: 'on' } },                  'Deleting Progressing', 'askMachineGone'],
  ]
  for (const [what, row, shows, step] of rows) {
    test(what, () => {
      const decision = decideNode(seenOf(row))
      const { status } = verdict(NODE_RULES, { now: NOW, facts: decision.facts })
      assert.deepEqual([`${status.phase} ${status.conditions.join('+')}`, decision.step], [shows, step])
    })
  }

  test('is remembered as closed before it is, whoever cordoned it besides', () => {
    for (const unschedulable of [false, true]) assert.equal(decideNode(seenOf({ facts: emptying, object: node({ unschedulable }) })).facts.closedToStop, true)
  })

  test('keeps what the join endpoint heard of its first boot, of which its provider tells nothing, until it was Ready', () => {
    const turnedAway = { text: 'The programs are not there yet', since: NOW - 1, failed: true, heard: true } as const
    const kept = (facts: NodeFacts) => decideNode(seenOf({ facts: { ...facts, turnedAway }, power: power('on', NOW - MINUTE) })).facts.turnedAway
    assert.deepEqual([kept(claimed), kept(member)], [turnedAway, undefined])
    const { heard: _, ...told } = turnedAway
    assert.equal(decideNode(seenOf({ facts: { ...claimed, turnedAway: told }, power: power('on', NOW - MINUTE) })).facts.turnedAway, undefined, 'its provider told it, and tells it no more')
  })

  test('says no more that its script is told to come again once that ended with the power of its machine', () => {
    const turnedAway = { text: 'The API does not answer', since: NOW - MINUTE, heard: true } as const
    const kept = (fact: NonNullable<NodePassSeen['power']>['fact'], more: object = {}) => decideNode(seenOf({ facts: { ...claimed, turnedAway: { ...turnedAway, ...more } }, power: { ...power('on', NOW)!, fact } })).facts.turnedAway !== undefined
    const on = { state: 'on', since: NOW - 2 * MINUTE, lastOnAt: NOW - 2 * MINUTE, link: 'up', machineId: 'id' } as const
    assert.deepEqual([kept(on), kept({ ...on, state: 'off', since: NOW }), kept({ ...on, since: NOW, lastOnAt: NOW }), kept({ ...on, state: 'off', since: NOW }, { failed: true })], [true, false, false, true])
  })

  test('has its fifteen minutes from when its machine was switched on', () => {
    assert.equal(decideNode(seenOf({ facts: claimed, power: { ...power('on', NOW - 30_000)!, fact: { state: 'on', since: NOW - 30_000, lastOnAt: NOW - 30_000, link: 'up', machineId: 'id' } } })).facts.machineExistsAt, NOW - 30_000)
    assert.equal(decideNode(seenOf({ facts: claimed })).facts.machineExistsAt, NOW)
  })
})
