import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CLUSTER_CONDITIONS_TOGETHER, CLUSTER_STATUS } from '../cluster/status.ts'
import { NODE_CONDITIONS_TOGETHER, NODE_STATUS } from '../node/status.ts'
import { STATUS_TABLES } from './kinds.ts'
import { statusCheckSql } from './sql.ts'
import { allowedSets, isAllowed, rowOf, statusText } from './table.ts'

test('only rows, and the sets that are named, are allowed; order and repeats count', () => {
  const allowed = (phase: string, ...conditions: string[]) => isAllowed(NODE_STATUS, NODE_CONDITIONS_TOGETHER, { phase, conditions })
  assert.ok(allowed('Failed', 'NotReady'))
  assert.ok(allowed('Failed', 'Balance', 'ResourceCleanupFailed'))
  assert.ok(!allowed('Failed', 'ResourceCleanupFailed', 'Balance'))
  assert.ok(!allowed('Failed', 'Balance', 'NotReady'))
  assert.ok(!allowed('Running', 'Ok', 'Ok'))
  assert.ok(!allowed('Running'))
  assert.ok(!allowed('Running', 'NotReady'))
  assert.ok(!isAllowed(CLUSTER_STATUS, CLUSTER_CONDITIONS_TOGETHER, { phase: 'Scaling', conditions: ['Progressing'] }))
})

test('sets stand in table order, have several conditions, and none of those that stand alone', () => {
  for (const { rows, together } of Object.values(STATUS_TABLES)) {
    for (const [phase, conditions] of together) {
      assert.ok(conditions.length > 1)
      assert.ok(!conditions.some(condition => ['Ok', 'Progressing', 'Unknown'].includes(condition)))
      assert.deepEqual(rows.filter(row => row[0] === phase && conditions.includes(row[1])).map(row => row[1]), conditions)
    }
  }
})

test('the label shown is that of the first condition', () => {
  assert.equal(rowOf(NODE_STATUS, { phase: 'Failed', conditions: ['Balance', 'ResourceCleanupFailed'] })[3], '异常(欠费关停)')
  assert.throws(() => rowOf(NODE_STATUS, { phase: 'Running', conditions: ['Balance'] }), /E-STATUS/)
  assert.equal(statusText({ phase: 'Failed', conditions: ['Balance', 'ResourceCleanupFailed'] }), '{Failed,[Balance,ResourceCleanupFailed]}')
})

test('the SQL check names each allowed set once', () => {
  for (const [kind, { rows, together }] of Object.entries(STATUS_TABLES)) {
    const sql = statusCheckSql(kind as keyof typeof STATUS_TABLES)
    const found = [...sql.matchAll(/"(\w+)\{([\w,]+)\}"/g)].map(([, phase, conditions]) => `${phase} ${conditions}`)
    assert.deepEqual(found.toSorted(), allowedSets(rows, together).map(([phase, conditions]) => `${phase} ${conditions.join()}`).toSorted())
  }
  assert.match(statusCheckSql('Node', { phase: 'node_phase', conditions: 'node_conditions' }), /^node_phase IS NOT NULL AND node_conditions IS NOT NULL AND/)
})
