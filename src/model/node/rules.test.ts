import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DEADLINES } from '../status/deadlines.ts'
import { verdict } from '../status/rules.ts'
import { allowedSets, isAllowed, statusText } from '../status/table.ts'
import type { NodeFacts } from './record.ts'
import { NODE_RULES, nextInstantOfNode } from './rules.ts'
import type { NodeSight } from './sight.ts'
import { isSchedulable, NODE_CONDITIONS_TOGETHER, NODE_STATUS } from './status.ts'

const NOW = 1_800_000_000_000
const YES_NO = [false, true] as const
const POWERS: readonly NodeFacts['power'][] = [
  undefined, { state: 'on', since: NOW - 100, lastOnAt: NOW - 100, machine: 'shop-1', link: 'up' }, { state: 'on', since: NOW - 1, lastOnAt: NOW - 1, machine: 'shop-1', link: 'cut' },
  { state: 'off', since: NOW - 1, lastOnAt: NOW - 100, machine: 'shop-1' }, { state: 'off', since: NOW - 1, lastOnAt: NOW - 100, machine: 'shop-1', removed: true },
]

function* everySight(): Generator<NodeSight> {
  const timer = (deadline: number) => [undefined, NOW, NOW - deadline] as const
  for (const status of [undefined, 'True', 'False', 'Unknown'] as const)
    for (const power of POWERS)
      for (const machineExistsAt of timer(DEADLINES.nodeInitialisation))
        for (const [by, requestedAt] of [[undefined, 0], ['call', NOW], ['call', NOW - DEADLINES.nodeDeletion], ['pool', NOW - DEADLINES.nodeDeletionInPool], ['cluster', NOW - DEADLINES.nodeDeletionInPool]] as const)
          for (const ordered of [undefined, { power: 'on', since: NOW }, { power: 'on', since: NOW - DEADLINES.nodeStart }, { power: 'off', since: NOW }] as const)
            for (const failed of [undefined, 'step', 'ended'] as const)
              for (const [member, paused] of [[false, false], [false, true], [true, false]] as const)
                for (const unschedulable of YES_NO) for (const outOfSync of YES_NO) for (const [unpaid, paidAt] of [[false], [true], [false, NOW]] as const) for (const obstacle of by ? YES_NO : [false])
                  yield {
                    now: NOW,
                    facts: {
                      claimedAt: NOW - 1000, pausedMs: 0, obstacles: obstacle ? ['The machine is protected'] : [], unschedulable, outOfSync, unpaid,
                      ...(status ? { ready: { status, since: NOW - 50, reason: 'R', message: 'container runtime is down', lastHeartbeatAt: NOW - 60 } } : {}), ...(power ? { power } : {}),
                      ...(machineExistsAt === undefined ? {} : { machineExistsAt }), ...(by ? { deletion: { by, requestedAt, done: ['cordoned'] } } : {}), ...(ordered ? { ordered } : {}),
                      ...(failed === 'step' ? { initialiseFailed: { step: 'preflight', text: 'nft is missing', at: NOW } } : {}), ...(failed === 'ended' ? { creationEnded: { because: 'No machine could be had' } } : {}),
                      ...(member ? { firstReadyAt: 1 } : {}), ...(paidAt === undefined ? {} : { paidAt }), ...(paused ? { pausedSince: NOW - 5 } : {}),
                    },
                  }
}

test('every sight has an allowed status and a sentence; every rule can win and every row and set of conditions is shown', () => {
  const winners = new Set<string>(), shown = new Set<string>()
  for (const seen of everySight()) {
    const { status, rule, because } = verdict(NODE_RULES, seen)
    assert.ok(isAllowed(NODE_STATUS, NODE_CONDITIONS_TOGETHER, status), JSON.stringify({ status, seen }))
    assert.match(because, /^[A-Z].*[^.]$/, rule)
    assert.doesNotMatch(because, /undefined|NaN/, rule)
    winners.add(rule)
    shown.add(statusText(status))
  }
  assert.deepEqual(NODE_RULES.map(rule => rule.name).filter(name => !winners.has(name)), [])
  assert.deepEqual(allowedSets(NODE_STATUS, NODE_CONDITIONS_TOGETHER).map(([phase, conditions]) => statusText({ phase, conditions })).filter(text => !shown.has(text)), [])
})

test('a verdict changes by time alone at exactly the instant that was named', () => {
  for (const seen of everySight()) {
    const at = nextInstantOfNode(seen)
    const justBefore = at === undefined ? NOW + 365 * 86_400_000 : at - 1
    assert.deepEqual(verdict(NODE_RULES, { ...seen, now: justBefore }).status, verdict(NODE_RULES, seen).status, JSON.stringify(seen))
  }
})

const member: NodeFacts = {
  claimedAt: NOW - 60_000, machineExistsAt: NOW - 60_000, pausedMs: 0, obstacles: [], unschedulable: false, outOfSync: false, unpaid: false, firstReadyAt: NOW - 30_000,
  ready: { status: 'True', since: NOW - 30_000, reason: 'KubeletReady', message: 'kubelet is posting ready status' },
}

function shown(facts: Partial<NodeFacts>, now = NOW) {
  const { status, rule, because } = verdict(NODE_RULES, { now, facts: { ...member, ...facts } })
  return { status: `${status.phase} ${status.conditions.join('+')}`, rule, because }
}

describe('NotReady tells which cause', () => {
  const on = { state: 'on', since: NOW - 60_000, lastOnAt: NOW - 60_000, machine: 'shop-2' } as const

  test('the power is off: at once, while Kubernetes still says Ready, and since when', () => {
    assert.deepEqual(shown({ power: { ...on, state: 'off', since: NOW - 1000 } }), { status: 'Failed NotReady', rule: 'its machine is off', because: 'The power of machine shop-2 is off since 2027-01-15T07:59:59Z' })
  })

  test('the network is cut: heartbeats stopped at such a time, the power is on, and not that it is off', () => {
    const ready = { status: 'Unknown', since: NOW, reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.', lastHeartbeatAt: NOW - 250_000, leaseRenewedAt: NOW - 50_000 } as const
    const { status, rule, because } = shown({ power: { ...on, link: 'cut', linkSince: NOW - 45_000 }, ready })
    assert.deepEqual([status, rule], ['Failed NotReady', 'its heartbeats stopped'])
    assert.equal(because, 'The heartbeats of its kubelet stopped: the last one came at 2027-01-15T07:59:10Z, and Kubernetes marked it Unknown at 2027-01-15T08:00:00Z; the power of machine shop-2 is on since 2027-01-15T07:59:00Z, and its network link is cut since 2027-01-15T07:59:15Z')
    assert.doesNotMatch(because, /\boff\b/)
  })

  test('without its Lease: the last full status is told as what it is, which may be minutes older than the last heartbeat', () => {
    const { because } = shown({ ready: { status: 'Unknown', since: NOW, reason: 'NodeStatusUnknown', message: '', lastHeartbeatAt: NOW - 250_000 } })
    assert.equal(because, 'The heartbeats of its kubelet stopped: Kubernetes marked it Unknown at 2027-01-15T08:00:00Z; its last full status report came at 2027-01-15T07:55:50Z')
  })

  test('a removed machine is a rule of its own, so that list, history and explanation say the same', () => {
    assert.deepEqual(shown({ power: { ...on, state: 'off', since: NOW - 1000, removed: true } }), {
      status: 'Failed NotReady', rule: 'its machine was removed', because: 'Machine shop-2 was removed from its region and is off since 2027-01-15T07:59:59Z; it cannot come back',
    })
  })

  test('a machine of no provider of ours: nothing is said of its power', () => {
    assert.doesNotMatch(shown({ ready: { status: 'Unknown', since: NOW, reason: '', message: '' } }).because, /power/)
  })

  test('a Ready from before the last power-on does not count; a heartbeat after it does', () => {
    const power = { ...on, since: NOW - 1000, lastOnAt: NOW - 1000 }
    assert.equal(shown({ power }).rule, 'not heard of since its machine was switched on')
    assert.ok(member.ready)
    assert.equal(shown({ power, ready: { ...member.ready, lastHeartbeatAt: NOW } }).status, 'Running Ok')
  })

  test('a heartbeat is told by its whole second: one of the second in which the machine was switched on is from after that, one of the second before is not', () => {
    assert.ok(member.ready)
    const power = { ...on, since: NOW - 9_950, lastOnAt: NOW - 9_950 }
    assert.equal(shown({ power, ready: { ...member.ready, lastHeartbeatAt: NOW - 10_000 } }).status, 'Running Ok')
    assert.equal(shown({ power, ready: { ...member.ready, lastHeartbeatAt: NOW - 11_000 } }).rule, 'not heard of since its machine was switched on')
    assert.equal(shown({ power, ready: { ...member.ready, lastHeartbeatAt: NOW - 10_001 } }).rule, 'not heard of since its machine was switched on')
  })

  test('the kubelet says so itself, in its own words, with the pressures it reports', () => {
    const { rule, because } = shown({ ready: { status: 'False', since: NOW, reason: 'KubeletNotReady', message: 'container runtime is down' }, pressures: ['DiskPressure'] })
    assert.deepEqual([rule, because], ['its kubelet says that it is not ready', 'Its kubelet says since 2027-01-15T08:00:00Z that it is not ready: container runtime is down; it reports DiskPressure'])
  })

  test('the Node object is gone', () => {
    const { ready: _, ...facts } = member
    assert.equal(verdict(NODE_RULES, { now: NOW, facts }).rule, 'its Node object is gone')
  })
})

describe('the node table of status-rules.md', () => {
  const { ready: _, firstReadyAt: __, ...joining } = member
  const pair = (facts: NodeFacts, now = NOW) => `${verdict(NODE_RULES, { now, facts }).status.phase} ${verdict(NODE_RULES, { now, facts }).status.conditions.join('+')}`

  test('one that never was a Ready member is told of by its Node object where that says more than its last report, which may have been lost or overtaken', () => {
    const progress = { step: 'download', text: 'it was admitted and fetches its programs', at: NOW + 60_000 }
    const tooLong = ({ progress: reported = progress, ...facts }: Partial<NodeFacts>, silent = false) => verdict(NODE_RULES, { now: NOW + 16 * 60_000, facts: { ...joining, machineExistsAt: NOW, ...!silent && { progress: reported }, ...facts } }).because.replace('It was no Ready member 15 min after its machine was there: ', '')
    const since = NOW + 120_000, object = { since, reason: '', message: '' }, off = { state: 'off', since: NOW + 180_000, machine: 'shop-1' } as const
    const downloads = 'the step download, begun at 2027-01-15T08:01:00Z, had not ended after 14 min; it was admitted and fetches its programs'
    const joins = 'the step join, begun at 2027-01-15T08:02:00Z, had not ended after 13 min; its kubelet was started, and '
    const rows: readonly (readonly [facts: Partial<NodeFacts>, says: string])[] = [
      [{}, downloads],
      [{ power: off }, `${downloads}, and the power of machine shop-1 is off since 2027-01-15T08:03:00Z`],
      [{ progress: { step: 'join', text: 'the kubelet was started', at: NOW + 90_000 } }, 'the step join, begun at 2027-01-15T08:01:30Z, had not ended after 13 min 30 s; the kubelet was started'],
      [{ progress: { step: 'join', text: 'the kubelet was started', at: NOW + 90_000 }, ready: { ...object, status: 'False', message: 'no network plug-in' } }, 'the step join, begun at 2027-01-15T08:01:30Z, had not ended after 13 min 30 s; its kubelet was started, and says since 2027-01-15T08:02:00Z that it is not ready: no network plug-in'],
      [{ ready: { ...object, status: 'False', message: 'no network plug-in' } }, `${joins}says since 2027-01-15T08:02:00Z that it is not ready: no network plug-in`],
      [{ ready: { ...object, status: 'Unknown', leaseRenewedAt: since - 40_000 } }, `${joins}its heartbeats stopped: the last one came at 2027-01-15T08:01:20Z, and Kubernetes marked it Unknown at 2027-01-15T08:02:00Z`],
      [{ ready: { ...object, status: 'True' }, power: off }, `${joins}the power of machine shop-1 is off since 2027-01-15T08:03:00Z`],
      // It runs its script again.
      [{ ready: { ...object, status: 'Unknown', leaseRenewedAt: since }, progress: { ...progress, at: since + 1 } }, 'the step download, begun at 2027-01-15T08:02:00Z, had not ended after 13 min; it was admitted and fetches its programs'],
      // What was heard last is of a run before, though Kubernetes noticed the silence only now.
      [{ ready: { ...object, status: 'Unknown', leaseRenewedAt: NOW - 15_000 } }, downloads],
      [{ ready: { ...object, status: 'False', since: NOW - 1 } }, downloads],
      // Switched off and on again within the time in which Kubernetes notices nothing.
      [{ ready: { ...object, status: 'False', message: 'no network plug-in' }, power: { ...off, state: 'on', lastOnAt: since + 30_000 } }, `${joins}nothing was heard from it since its machine was switched on at 2027-01-15T08:02:30Z`],
      [{ pausedMs: 60_000 }, downloads.replace('14 min', '15 min')],
      // It went on when its time was over.
      [{ progress: { ...progress, at: NOW + 15.5 * 60_000 } }, 'It was no Ready member 15 min after its machine was there; the step download is under way since 2027-01-15T08:15:30Z: it was admitted and fetches its programs'],
    ]
    for (const [facts, says] of rows) assert.equal(tooLong(facts), says)
    // Nobody sees more of it than its power.
    assert.equal(tooLong({}, true), 'its boot or its first contact, begun at 2027-01-15T08:00:00Z, had not ended after 15 min; its machine has reported no progress')
  })

  test('15 minutes after the machine existed it is InitializeFailed, and the time stands still while the cluster is not running', () => {
    const facts = { ...joining, machineExistsAt: NOW }
    assert.equal(pair(facts, NOW + 15 * 60_000 - 1), 'Creating Progressing')
    assert.equal(pair(facts, NOW + 15 * 60_000), 'Failed InitializeFailed')
    assert.equal(pair({ ...facts, pausedMs: 60_000 }, NOW + 15 * 60_000), 'Creating Progressing')
    assert.equal(pair({ ...facts, pausedMs: 60_000 }, NOW + 16 * 60_000), 'Failed InitializeFailed')
    assert.equal(pair({ ...facts, pausedSince: NOW + 1 }, NOW + 86_400_000), 'Creating Progressing')
  })

  test('a reported failure is named at once and taken back by the next run', () => {
    const failed = { ...joining, initialiseFailed: { step: 'preflight', text: 'the kernel is 4.19, and 5.13 is needed', at: NOW } }
    assert.equal(pair(failed), 'Failed InitializeFailed')
    const because = (facts: Partial<NodeFacts>) => verdict(NODE_RULES, { now: NOW, facts: { ...failed, ...facts } }).because
    const step = 'The step preflight failed on the machine at 2027-01-15T08:00:00Z', why = ': the kernel is 4.19, and 5.13 is needed'
    assert.equal(because({ machineExistsAt: NOW - 70_000, progress: { step: 'preflight', text: '', at: NOW - 10_000 } }), `${step}, 10 s after it had begun and 1 min 10 s after its machine was there${why}`)
    assert.equal(because({ machineExistsAt: NOW - 70_000, progress: { step: 'download', text: '', at: NOW - 10_000 } }), `${step}, 1 min 10 s after its machine was there${why}`)
    assert.equal(because({ machineExistsAt: NOW + 1 }), step + why)
    assert.equal(pair(joining), 'Creating Progressing')
  })

  test('of a machine that was not logged in to nothing says that it was there', () => {
    const because = (facts: Partial<NodeFacts>, now = NOW) => verdict(NODE_RULES, { now, facts: { ...joining, machineExistsAt: NOW - 2_000, ...facts } }).because
    assert.equal(because({ initialiseFailed: { step: 'login', text: 'No route to host', at: NOW } }), 'The step login failed at 2027-01-15T08:00:00Z, 2 s after it had begun: No route to host')
    assert.equal(because({ login: { since: NOW - 2_000 } }, NOW + 15 * 60_000), 'It was no Ready member 15 min after it was asked for: the step login, begun at 2027-01-15T07:59:58Z, had not ended after 15 min; its machine is being logged in to')
  })

  test('a removal gives up after 8 minutes, in a pool\'s deletion after 4', () => {
    const facts = (by: 'call' | 'pool' | 'cluster'): NodeFacts => ({ ...member, deletion: { by, requestedAt: NOW, done: [] } })
    for (const [by, minutes] of [['call', 8], ['cluster', 8], ['pool', 4]] as const) {
      assert.equal(pair(facts(by), NOW + minutes * 60_000 - 1), 'Deleting Progressing')
      assert.equal(pair(facts(by), NOW + minutes * 60_000), 'Failed ResourceCleanupFailed')
    }
    const because = (deletion: Partial<NonNullable<NodeFacts['deletion']>>) => verdict(NODE_RULES, { now: NOW + 8 * 60_000, facts: { ...member, deletion: { by: 'call', requestedAt: NOW, done: [], ...deletion } } }).because.replace('It was not gone 8 min after its removal was asked for', '')
    assert.deepEqual([{}, { done: ['taken off the members'] }, { done: ['taken off the members', 'Node object deleted'], machineAsked: true as const }, { by: 'cluster' as const }].map(because), [
      ': it is still among the members of its cluster, and ensureMembers has not ended', ': its Node object is still there, and ensureNodeGone has not ended; done so far: taken off the members',
      ': its machine is still there, and ensureGone of the machine has not ended; done so far: taken off the members, Node object deleted', '',
    ])
  })

  test('a cordoned node that is off is NotReady; cordoned and Ready is Unschedulable; a node out of sync is Updating', () => {
    assert.equal(shown({ unschedulable: true, power: { state: 'off', since: NOW, machine: 'shop-1' } }).status, 'Failed NotReady')
    assert.equal(shown({ unschedulable: true }).status, 'Running Unschedulable')
    assert.equal(shown({ unschedulable: true, outOfSync: true }).status, 'Updating Progressing')
  })

  test('only Running, Ok takes new pods', () => {
    const schedulable = NODE_STATUS.filter(([phase, condition]) => isSchedulable({ phase, conditions: [condition] } as Parameters<typeof isSchedulable>[0]))
    assert.deepEqual(schedulable.map(row => `${row[0]} ${row[1]}`), ['Running Ok'])
  })

  test('arrears absorb NotReady', () => {
    assert.equal(shown({ unpaid: true, power: { state: 'off', since: NOW, machine: 'shop-1' } }).status, 'Failed Balance')
  })
})
