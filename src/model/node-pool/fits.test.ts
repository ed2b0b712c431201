import assert from 'node:assert/strict'
import { test } from 'node:test'
import { takes, tolerates } from './fits.ts'

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

test('a node that is not there yet takes what its labels and taints let it, what kubelets say being open', () => {
  const next = { labels: { side: 'north' }, taints: [], open: true as const }
  assert.ok(takes(next, { nodeSelector: { 'side': 'north', 'kubernetes.io/os': 'linux' } }))
  assert.ok(!takes(next, { nodeSelector: { gpu: 'yes' } }))
  assert.ok(!takes(next, { nodeSelector: { 'kubernetes.io/hostname': 'till-1' } }), 'it will have another name')
  assert.ok(!takes({ ...next, taints: [TAINT] }, {}))
})

test('a required node affinity holds if one of its terms does, and a term if all it says does', () => {
  const node = { name: 'n1', labels: { side: 'north', rank: '5' }, taints: [] }
  const one = (key: string, operator: string, ...values: string[]) => takes(node, { nodeAffinity: [{ matchExpressions: [{ key, operator, values }] }] })
  assert.deepEqual([one('side', 'In', 'north'), one('side', 'NotIn', 'north'), one('gpu', 'NotIn', 'x'), one('side', 'Exists'), one('gpu', 'DoesNotExist'), one('rank', 'Gt', '4'), one('rank', 'Lt', '4'), one('side', 'Likes')], [true, false, true, true, true, true, false, false])
  assert.ok(takes(node, { nodeAffinity: [{ matchExpressions: [{ key: 'gpu', operator: 'Exists' }] }, { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] }] }))
  assert.ok(!takes(node, { nodeAffinity: [{ matchExpressions: [{ key: 'side', operator: 'Exists' }, { key: 'gpu', operator: 'Exists' }] }] }))
  assert.ok(!takes(node, { nodeAffinity: [{}] }), 'a term that says nothing holds nowhere')
})
