import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isIn, PRECONDITIONS, type Precondition } from '../preconditions.ts'
import { exitsOf } from './exits.ts'
import { STATUS_TABLES } from './kinds.ts'
import { allowedSets, statusText, type AnyStatus } from './table.ts'

const LEVEL = { Cluster: 'cluster', NodePool: 'nodePool', Node: 'node' } as const

test('every row of every table, and every set of conditions beside it, has a way out', () => {
  for (const kind of Object.keys(STATUS_TABLES) as (keyof typeof STATUS_TABLES)[])
    for (const status of allowedIn(kind)) assert.ok(exitsOf(kind, status).length > 0, `${kind} ${statusText(status)}`)
})

test('an exit by a call names an action that is accepted in that very status', () => {
  let checked = 0
  for (const kind of ['Cluster', 'NodePool', 'Node'] as const) {
    for (const status of allowedIn(kind)) {
      for (const exit of exitsOf(kind, status).filter(({ By }) => By === 'call')) {
        const action = exit.What.split(' ')[0] ?? ''
        const precondition: Precondition | undefined = PRECONDITIONS[action as keyof typeof PRECONDITIONS]
        assert.ok(precondition, `${exit.What} begins with no action`)
        // What goes with its cluster goes whatever it shows itself.
        assert.ok((kind !== 'Cluster' && action === 'DeleteCluster') || isIn(status, precondition[LEVEL[kind]] ?? []), `${action} is refused in ${kind} ${statusText(status)}`)
        checked += 1
      }
    }
  }
  assert.ok(checked > 30, String(checked))
})

test('the deletion of a resource is an exit wherever it is accepted, so that none is stuck', () => {
  for (const [kind, action] of [['Cluster', 'DeleteCluster'], ['NodePool', 'DeleteNodePool'], ['Node', 'DeleteEdgeNodes']] as const) {
    const precondition: Precondition = PRECONDITIONS[action]
    for (const status of allowedIn(kind)) {
      const accepted = isIn(status, precondition[LEVEL[kind]] ?? [])
      assert.equal(exitsOf(kind, status).some(({ What }) => What.startsWith(action)), accepted, `${kind} ${statusText(status)}`)
    }
  }
})

test('a status of several conditions has the ways out of all of them, each once', () => {
  const exits = exitsOf('Node', { phase: 'Failed', conditions: ['Balance', 'ResourceCleanupFailed'] })
  assert.deepEqual(exits.map(exit => exit.What), ['the debt is paid', 'its machine is on again, or is not 15 min after the debt was paid', 'DeleteEdgeNodes', 'DeleteEdgeNodes once more, when what stood in the way is out of it', 'the deletion of its pool or cluster is asked for once more, and nothing stands in the way'])
})

function allowedIn(kind: keyof typeof STATUS_TABLES): readonly AnyStatus[] {
  const { rows, together } = STATUS_TABLES[kind]
  return allowedSets(rows, together).map(([phase, conditions]) => ({ phase, conditions }))
}
