import assert from 'node:assert/strict'
import { test } from 'node:test'
import { takes, tolerates, wouldTake } from './fits.ts'

const TAINT = { key: 'only/tills', value: 'yes', effect: 'NoSchedule' } as const

test('a toleration names a taint as closely as it likes', () => {
  for (const one of [{}, { key: 'only/tills' }, { key: 'only/tills', value: 'yes' }, { key: 'only/tills', effect: 'NoSchedule' }]) assert.ok(tolerates([one], TAINT), JSON.stringify(one))
  for (const one of [{ key: 'other' }, { key: 'only/tills', value: 'no' }, { key: 'only/tills', effect: 'NoExecute' }]) assert.ok(!tolerates([one], TAINT), JSON.stringify(one))
  assert.ok(!tolerates(undefined, TAINT))
})

test('a node takes what its labels and taints let it', () => {
  const node = { labels: { side: 'north' }, taints: [TAINT, { ...TAINT, key: 'better/not', effect: 'PreferNoSchedule' as const }] }
  assert.ok(takes(node, { nodeSelector: { side: 'north' }, tolerations: [{ key: 'only/tills' }] }))
  assert.ok(!takes(node, { nodeSelector: { side: 'south' }, tolerations: [{}] }))
  assert.ok(!takes(node, {}))
})

test('the next node of a pool takes what the pool says of it, what kubelets say being open', () => {
  const pool = { labels: [{ key: 'side', value: 'north' }], taints: [] }
  assert.ok(wouldTake(pool, { nodeSelector: { 'side': 'north', 'kubernetes.io/os': 'linux' } }))
  assert.ok(!wouldTake(pool, { nodeSelector: { gpu: 'yes' } }))
  assert.ok(!wouldTake(pool, { nodeSelector: { 'kubernetes.io/hostname': 'till-1' } }), 'it will have another name')
  assert.ok(!wouldTake({ ...pool, taints: [TAINT] }, {}))
  assert.ok(!wouldTake({ ...pool, cordon: true }, {}), 'its new nodes take no pods')
})

test('a required node affinity holds if one of its terms does, and a term if all it says does', () => {
  const node = { name: 'n1', labels: { side: 'north', rank: '5' }, taints: [] }
  const one = (key: string, operator: string, ...values: string[]) => takes(node, { nodeAffinity: [{ matchExpressions: [{ key, operator, values }] }] })
  assert.deepEqual([one('side', 'In', 'north'), one('side', 'NotIn', 'north'), one('gpu', 'NotIn', 'x'), one('side', 'Exists'), one('gpu', 'DoesNotExist'), one('rank', 'Gt', '4'), one('rank', 'Lt', '4'), one('side', 'Likes')], [true, false, true, true, true, true, false, false])
  assert.ok(takes(node, { nodeAffinity: [{ matchExpressions: [{ key: 'gpu', operator: 'Exists' }] }, { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] }] }))
  assert.ok(!takes(node, { nodeAffinity: [{ matchExpressions: [{ key: 'side', operator: 'Exists' }, { key: 'gpu', operator: 'Exists' }] }] }))
  assert.ok(!takes(node, { nodeAffinity: [{}] }), 'a term that says nothing holds nowhere')
})
