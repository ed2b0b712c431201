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
