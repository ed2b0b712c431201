import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PRECONDITIONS, isIn } from '../preconditions.ts'
import { DEADLINES } from '../status/deadlines.ts'
import { verdict } from '../status/rules.ts'
import { statusKey, walk, type Event } from '../status/walk.ts'
import { withFacts } from '../with-facts.ts'
import { isReady } from './readiness.ts'
import type { NodeFacts } from './record.ts'
import { NODE_RULES } from './rules.ts'
import type { NodeSight } from './sight.ts'
import type { NodeStatus } from './status.ts'
import { NODE_TRANSITIONS } from './transitions.ts'

type Sight = NodeSight & { readonly gone?: boolean }

const NOW = 100_000_000
const start: Sight = { now: NOW, facts: { claimedAt: NOW, pausedMs: 0, obstacles: [], unschedulable: false, outOfSync: false, unpaid: false } }

function status(seen: Sight): NodeStatus {
  return verdict(NODE_RULES, seen).status
}

/** Facts change, and the first Ready is remembered in the same pass, as a controller does. */
function change(name: string, may: (seen: Sight) => boolean, to: (facts: NodeFacts) => Partial<{ [Name in keyof NodeFacts]: NodeFacts[Name] | undefined }>): Event<Sight> {
  return {
    name,
    happens: seen => {
      if (seen.gone || !may(seen)) return undefined
      const next = { ...seen, facts: withFacts(seen.facts, to(seen.facts)) }
      return isReady(next) ? { ...next, facts: withFacts(next.facts, { firstReadyAt: 1 }) } : next
    },
  }
}

const machine = { machine: 'shop-1', since: NOW } as const
const ready = { since: NOW, reason: '', message: '' } as const
const wasReady = (seen: Sight) => seen.facts.firstReadyAt !== undefined
const powered = (seen: Sight) => seen.facts.power?.state === 'on'
const working = (seen: Sight) => wasReady(seen) && seen.facts.initialiseFailed === undefined && seen.facts.creationEnded === undefined
const deletion = { by: 'call', done: [] } as const

const EVENTS: readonly Event<Sight>[] = [
  change('the machine is there', seen => seen.facts.machineExistsAt === undefined, () => ({ creationEnded: undefined, machineExistsAt: NOW, power: { ...machine, state: 'on', lastOnAt: NOW - 1 } })),
  change('no machine can be had', seen => seen.facts.machineExistsAt === undefined, () => ({ creationEnded: { because: '' } })),
  change('a step failed', seen => seen.facts.machineExistsAt !== undefined && !wasReady(seen), () => ({ initialiseFailed: { step: 'preflight', text: '', at: NOW } })),
  change('the script runs again', seen => seen.facts.machineExistsAt !== undefined && !wasReady(seen), () => ({ initialiseFailed: undefined, machineExistsAt: NOW })),
  change('15 min since the machine was there', seen => seen.facts.machineExistsAt === NOW, () => ({ machineExistsAt: NOW - DEADLINES.nodeInitialisation })),
  change('Ready', powered, facts => ({ ready: { ...ready, since: NOW + 1, status: 'True' }, ordered: facts.ordered?.power === 'on' ? undefined : facts.ordered })),
  change('silent', seen => seen.facts.ready !== undefined, () => ({ ready: { ...ready, status: 'Unknown' } })),
  change('cordoned', working, () => ({ unschedulable: true })),
  change('uncordoned', working, () => ({ unschedulable: false })),
  change('the pool has new labels', working, () => ({ outOfSync: true })),
  change('the labels are on it', seen => wasReady(seen) && seen.facts.outOfSync, () => ({ outOfSync: false })),
  change('the power goes off', powered, () => ({ power: { ...machine, state: 'off', lastOnAt: NOW - 1 } })),
  change('its machine is removed', seen => seen.facts.power !== undefined, facts => ({ power: { ...facts.power ?? machine, state: 'off', removed: true } })),
  change('the power comes on', seen => seen.facts.power?.state === 'off' && !seen.facts.power.removed && !seen.facts.unpaid, facts => ({ power: { ...machine, state: 'on', lastOnAt: NOW }, ready: facts.ready && { ...facts.ready, since: NOW - 1 } })),
  change('its machine is shut down for arrears', seen => seen.facts.machineExistsAt !== undefined && !seen.facts.unpaid, () => ({ unpaid: true, power: { ...machine, state: 'off' } })),
  change('paid', seen => seen.facts.unpaid, facts => ({ unpaid: false, ...facts.power?.state === 'off' && { paidAt: NOW } })),
  change('the pool orders it off', seen => isIn(status(seen), [['Running', '*']]), () => ({ ordered: { power: 'off', since: NOW } })),
  change('the pool orders it on', seen => isIn(status(seen), [['Stopped', '*'], ['Stopping', '*']]) && !isReady(seen), () => ({ ordered: { power: 'on', since: NOW } })),
  change('the pool takes its order to stop back', seen => isIn(status(seen), [['Stopping', '*']]), () => ({ ordered: undefined })),
  change('15 min since the order', seen => seen.facts.ordered?.since === NOW, facts => ({ ordered: { power: facts.ordered?.power ?? 'on', since: NOW - DEADLINES.nodeStart } })),
  change('DeleteEdgeNodes', seen => isIn(status(seen), PRECONDITIONS.DeleteEdgeNodes.node), () => ({ deletion: { ...deletion, requestedAt: NOW }, obstacles: [] })),
  change('its machine is protected', seen => seen.facts.deletion !== undefined, () => ({ obstacles: ['protected'] })),
  change('8 min since the deletion', seen => seen.facts.deletion?.requestedAt === NOW, () => ({ deletion: { ...deletion, requestedAt: NOW - DEADLINES.nodeDeletion } })),
  { name: 'its machine is refused, and its claim leaves', happens: seen => (seen.facts.machineExistsAt === undefined && !seen.facts.deletion && !seen.gone ? { ...seen, gone: true } : undefined) },
  { name: 'it is gone', happens: seen => (seen.facts.deletion && !seen.gone ? { ...seen, gone: true } : undefined) },
]

test('the transition table of nodes is exactly what the rules and preconditions lead to', () => {
  const { transitions, visited, fired } = walk(start, EVENTS, seen => (seen.gone ? 'gone' : statusKey(status(seen))))
  assert.ok(visited > 500, `only ${visited} sights were visited`)
  assert.deepEqual(EVENTS.map(event => event.name).filter(name => !fired.has(name)), [], 'events that never happened')
  const seen = Object.fromEntries([...transitions].map(([from, to]) => [from, [...to].sort()]))
  assert.deepEqual(seen, Object.fromEntries(Object.entries(NODE_TRANSITIONS).map(([from, to]) => [from, [...to].sort()])))
})
