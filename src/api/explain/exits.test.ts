import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NodeFacts, NodeRecord } from '#model/node/record.ts'
import type { Explained } from './explained.ts'
import { exitsOf } from './exits.ts'

const NOW = 1_800_000_000_000

function explained(power: NodeFacts['power']): Explained {
  const status = { phase: 'Failed', conditions: ['NotReady'] } as const
  const node = { id: 'n', said: { status }, spec: { name: 'till-1' }, facts: { power, obstacles: [] } } as unknown as NodeRecord
  return { resource: { kind: 'Node', id: 'n', name: 'till-1' }, status, since: NOW, rule: '', because: '', evidence: [], records: { nodes: [node] } }
}

test('a machine that is off may come back; one that was removed may not, and no sentence says so', () => {
  const off = { state: 'off', since: NOW, machine: 'till-1' } as const
  assert.deepEqual(exitsOf(explained(off), NOW).map(exit => exit.by), ['cause', 'call'])
  assert.deepEqual(exitsOf(explained({ ...off, removed: true }), NOW), [{ by: 'call', what: 'DeleteEdgeNodes' }])
})
