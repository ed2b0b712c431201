import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClusterRecord } from '#model/cluster/record.ts'
import type { NodeRecord } from '#model/node/record.ts'
import type { NodePoolRecord } from '#model/node-pool/record.ts'
import { beginningOf, nodeSettings } from './node-settings.ts'

const cluster = { id: 'c', address: '10.0.0.7', spec: { name: 'shop', podCidrs: ['10.1.0.0/16'], serviceCidrs: ['10.2.0.0/16'], maxPodsPerNode: 64, servedVersion: 'v1.35.4' } } as unknown as ClusterRecord
const pool = { spec: { name: 'tills', labels: [{ key: 'side', value: 'north' }, { key: 'node-role.kubernetes.io/till', value: '' }], taints: [{ key: 'gpu', value: 'yes', effect: 'NoSchedule' }] } } as unknown as NodePoolRecord
const told = (node: { spec: object; facts: object }) => {
  const { EH_NODE_LABELS, EH_NODE_TAINTS } = nodeSettings(cluster, pool, beginningOf(pool, node as unknown as NodeRecord), { registry: 'r:5000', pauseImage: 'pause:3.10', clusterDomain: 'cluster.local' }, '', [])
  return [EH_NODE_LABELS, EH_NODE_TAINTS]
}

test('a kubelet is told what its node carries from its first moment: what the pool wants, but for what a kubelet may not set', () => {
  assert.deepEqual(told({ spec: {}, facts: {} }), ['side=north', 'gpu=yes:NoSchedule'])
})

test('what is the node\'s own goes before', () => {
  const carries = { labels: [{ key: 'side', value: 'south' }], taints: [{ key: 'only', value: '', effect: 'NoExecute' }] }
  assert.deepEqual(told({ spec: { carries }, facts: {} }), ['side=south', 'gpu=yes:NoSchedule,only=:NoExecute'])
})

test('and one that begins cordoned keeps pods off by a taint, until it is cordoned', () => {
  assert.deepEqual(told({ spec: {}, facts: { toCordon: true } }), ['side=north', 'gpu=yes:NoSchedule,edgehold/begins-cordoned=:NoSchedule'])
})
