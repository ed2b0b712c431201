import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NodeObject, PodObject } from '../client/objects.ts'
import { cpuMillis, memoryMiB, seeRoom } from './see-room.ts'

const node = (name: string, allocatable: Record<string, string>): NodeObject => ({ metadata: { name }, status: { allocatable, conditions: [{ type: 'Ready', status: 'True' }] } })
const DNS = { namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' } }
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
    { ...unscheduled('core-dns', 'no nodes available to schedule pods'), metadata: { name: 'core-dns', ...DNS } },
    { metadata: { name: 'evicted', deletionTimestamp: '2026-12-01T00:00:00Z' }, spec: { nodeName: 'lost' }, status: { phase: 'Running' } },
    { metadata: { name: 'job' }, spec: { nodeName: 'b' }, status: { phase: 'Succeeded' } },
  ], [node('a', { cpu: '2', memory: '4Gi' }), node('b', { cpu: '1500m', memory: '8038524Ki' })])
  assert.deepEqual(seen, {
    waiting: [{ name: 'default/full', cpuMillis: 250, memoryMiB: 64 }, { name: 'default/nowhere', cpuMillis: 250, memoryMiB: 64 }, { name: 'kube-system/core-dns', cpuMillis: 250, memoryMiB: 64, base: true }],
    perNode: { cpuMillis: 1500, memoryMiB: 4096 }, busy: ['a'], light: [], free: [],
  })
  assert.deepEqual(seeRoom([], []), { waiting: [], perNode: undefined, busy: [], light: [], free: [] })
})

test('a pod waits for room where a node takes no pods now, unless it asks for more than its own place', () => {
  const waits = unscheduled('late', '0/2 nodes are available: 1 node(s) were unschedulable, 1 node(s) had untolerated taint(s).')
  const near: PodObject = { ...waits, metadata: { name: 'near' }, spec: { ...waits.spec, affinity: {} } }
  const seen = (...nodes: NodeObject[]) => seeRoom([waits, near], nodes).waiting.map(({ name }) => name)
  const ready = node('a', { cpu: '2', memory: '4Gi' })
  assert.deepEqual(seen(ready), [])
  assert.deepEqual(seen(ready, { ...node('b', { cpu: '2', memory: '4Gi' }), spec: { unschedulable: true } }), ['default/late'])
  assert.deepEqual(seen(ready, { metadata: { name: 'b' }, status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } }), ['default/late'])
})

test('pods of add-ons and of the base are told by their nodes, with what is left where pods are taken', () => {
  const on = (nodeName: string, name: string, { namespace = 'kube-system', ...more }: Partial<PodObject['metadata']> & Pick<NonNullable<PodObject['spec']>, 'nodeSelector' | 'tolerations'> = {}): PodObject => {
    const { nodeSelector, tolerations, ...metadata } = more
    return { metadata: { name, namespace, ...metadata }, spec: { nodeName, containers: asks('500m', '1Gi'), ...(nodeSelector && { nodeSelector }), ...(tolerations && { tolerations }) }, status: { phase: 'Running' } }
  }
  const { busy, light, free } = seeRoom([
    on('a', 'web', { namespace: 'web' }), on('a', 'metrics'), on('b', 'coredns', DNS), on('b', 'ingress', { nodeSelector: { side: 'north' }, tolerations: [{ key: 'k', operator: 'Exists' }, { key: 'e', operator: 'Equal', value: 'v', effect: 'NoSchedule' }, { key: 'w' }] }),
    on('b', 'flannel', { ownerReferences: [{ kind: 'DaemonSet', name: 'flannel', controller: true }] }), on('c', 'metrics'), { ...on('b', 'job'), status: { phase: 'Succeeded' } },
  ], [node('a', { cpu: '2', memory: '4Gi', pods: '10' }), { ...node('b', { cpu: '2', memory: '4Gi' }), spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } }, { ...node('c', { cpu: '2', memory: '4Gi' }), spec: { unschedulable: true } }])
  const half = { cpuMillis: 500, memoryMiB: 1024 }
  assert.deepEqual([busy, light], [['a'], [
    { name: 'b', pods: [{ name: 'kube-system/coredns', ...half, base: true }, { name: 'kube-system/ingress', ...half, nodeSelector: { side: 'north' }, tolerations: [{ key: 'k' }, { key: 'e', value: 'v', effect: 'NoSchedule' }, { key: 'w', value: '' }] }] },
    { name: 'c', pods: [{ name: 'kube-system/metrics', ...half }] },
  ]])
  assert.deepEqual(free, [
    { name: 'a', labels: {}, taints: [], cpuMillis: 1000, memoryMiB: 2048, pods: 8 }, { name: 'b', labels: {}, taints: [{ key: 'k', value: '', effect: 'NoSchedule' }], cpuMillis: 500, memoryMiB: 1024, pods: 107 },
  ])
})

test('quantities as Kubernetes writes them', () => {
  assert.deepEqual(['2', '0.5', '100m', undefined].map(cpuMillis), [2000, 500, 100, 0])
  assert.deepEqual(['1Gi', '1048576', '512Ki', '1e9', '1.5Gi', '128M', undefined].map(memoryMiB), [1024, 1, 1, 954, 1536, 123, 0])
})
