import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NodeObject, PodObject } from '../client/objects.ts'
import { cpuMillis, memoryMiB, seeRoom } from './see-room.ts'

const node = (name: string, allocatable: Record<string, string>): NodeObject => ({ metadata: { name }, status: { allocatable } })
const asks = (cpu: string, memory: string) => [{ resources: { requests: { cpu, memory } } }]
const unscheduled = (name: string, message: string): PodObject => ({
  metadata: { name }, spec: { containers: asks('250m', '64Mi') }, status: { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }] },
})

test('pods that want room are those that another node would help', () => {
  const seen = seeRoom([
    unscheduled('full', '0/2 nodes are available: 2 Insufficient cpu. preemption: 0/2 nodes are available'),
    unscheduled('nowhere', 'no nodes available to schedule pods'),
    unscheduled('elsewhere', "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector."),
    { metadata: { name: 'starting' }, spec: { nodeName: 'a' }, status: { phase: 'Pending' } },
    { metadata: { name: 'proxy', ownerReferences: [{ kind: 'DaemonSet', name: 'proxy', controller: true }] }, spec: { nodeName: 'b' }, status: { phase: 'Running' } },
    { ...unscheduled('core-dns', 'no nodes available to schedule pods'), metadata: { name: 'core-dns', namespace: 'kube-system' } },
    { metadata: { name: 'evicted', deletionTimestamp: '2026-12-01T00:00:00Z' }, spec: { nodeName: 'lost' }, status: { phase: 'Running' } },
    { metadata: { name: 'job' }, spec: { nodeName: 'b' }, status: { phase: 'Succeeded' } },
  ], [node('a', { cpu: '2', memory: '4Gi' }), node('b', { cpu: '1500m', memory: '8038524Ki' })])
  assert.deepEqual(seen, {
    waiting: [{ name: 'full', cpuMillis: 250, memoryMiB: 64 }, { name: 'nowhere', cpuMillis: 250, memoryMiB: 64 }],
    perNode: { cpuMillis: 1500, memoryMiB: 4096 }, busy: ['a'],
  })
  assert.deepEqual(seeRoom([], []), { waiting: [], perNode: undefined, busy: [] })
})

test('quantities as Kubernetes writes them', () => {
  assert.deepEqual(['2', '0.5', '100m', undefined].map(cpuMillis), [2000, 500, 100, 0])
  assert.deepEqual(['1Gi', '1048576', '512Ki', '1e9', '1.5Gi', '128M', undefined].map(memoryMiB), [1024, 1, 1, 954, 1536, 123, 0])
})
