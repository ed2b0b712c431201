import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isIn, PRECONDITIONS, type Precondition } from '../preconditions.ts'
import { exitsOf } from './exits.ts'
import { STATUS_TABLES } from './kinds.ts'

const LEVEL = { Cluster: 'cluster', NodePool: 'nodePool', Node: 'node' } as const

test('every row of every table has a way out', () => {
  for (const [kind, { rows }] of Object.entries(STATUS_TABLES)) {
    for (const [phase, condition] of rows) assert.ok(exitsOf(kind as keyof typeof STATUS_TABLES, { phase, conditions: [condition] }).length > 0, `${kind} ${phase} ${condition}`)
  }
})

test('an exit by a call names an action that is accepted in that very status', () => {
  let checked = 0
  for (const kind of ['Cluster', 'NodePool', 'Node'] as const) {
    for (const [phase, condition] of STATUS_TABLES[kind].rows) {
      for (const exit of exitsOf(kind, { phase, conditions: [condition] }).filter(({ By }) => By === 'call')) {
        const action = exit.What.split(' ')[0] ?? ''
        const precondition: Precondition | undefined = PRECONDITIONS[action as keyof typeof PRECONDITIONS]
        assert.ok(precondition, `${exit.What} begins with no action`)
        assert.ok(isIn({ phase, conditions: [condition] }, precondition[LEVEL[kind]] ?? []), `${action} is refused in ${kind} ${phase} ${condition}`)
        checked += 1
      }
    }
  }
  assert.ok(checked > 30, String(checked))
})

test('the deletion of a resource is an exit wherever it is accepted, so that none is stuck', () => {
  for (const [kind, action] of [['Cluster', 'DeleteCluster'], ['NodePool', 'DeleteNodePool'], ['Node', 'DeleteEdgeNodes']] as const) {
    const precondition: Precondition = PRECONDITIONS[action]
    for (const [phase, condition] of STATUS_TABLES[kind].rows) {
      const accepted = isIn({ phase, conditions: [condition] }, precondition[LEVEL[kind]] ?? [])
      assert.equal(exitsOf(kind, { phase, conditions: [condition] }).some(({ What }) => What.startsWith(action)), accepted, `${kind} ${phase} ${condition}`)
    }
  }
})

test('a status of several conditions has the ways out of all of them, each once', () => {
  const exits = exitsOf('Node', { phase: 'Failed', conditions: ['Balance', 'ResourceCleanupFailed'] })
  assert.deepEqual(exits.map(exit => exit.What), ['the debt is paid', 'DeleteEdgeNodes', 'DeleteEdgeNodes once more, when what stood in the way is out of it', 'the deletion of its pool or cluster is asked for once more, and nothing stands in the way'])
})
