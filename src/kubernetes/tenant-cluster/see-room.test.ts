import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NodeObject, PodObject } from '../client/objects.ts'
import { cpuMillis, memoryMiB } from './quantities.ts'
import { isWaiting, seeRoom } from './see-room.ts'

const node = (name: string, allocatable: Record<string, string>): NodeObject => ({ metadata: { name }, status: { allocatable, conditions: [{ type: 'Ready', status: 'True' }] } })
const DNS = { namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' } }
const asks = (cpu: string, memory: string) => [{ resources: { requests: { cpu, memory } } }]
const unscheduled = (name: string, message: string): PodObject => ({
  metadata: { name }, spec: { containers: asks('250m', '64Mi') }, status: { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }] },
})

test('pods that wait are those that the scheduler finds no node for, with what nodes have left and have whole', () => {
  const seen = seeRoom([
    unscheduled('full', '0/2 nodes are available: 2 Insufficient cpu. preemption: 0/2 nodes are available'),
    unscheduled('elsewhere', "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector."),
    { ...unscheduled('gated', ''), status: { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] } },
    { metadata: { name: 'starting' }, spec: { nodeName: 'a' }, status: { phase: 'Pending' } },
    { metadata: { name: 'proxy', ownerReferences: [{ kind: 'DaemonSet', name: 'proxy', controller: true }] }, spec: { nodeName: 'b', containers: asks('100m', '64Mi') }, status: { phase: 'Running' } },
    { ...unscheduled('core-dns', 'no nodes available to schedule pods'), metadata: { name: 'core-dns', ...DNS } },
    { metadata: { name: 'evicted', deletionTimestamp: '2026-12-01T00:00:00Z' }, spec: { nodeName: 'lost' }, status: { phase: 'Running' } },
    { metadata: { name: 'job' }, spec: { nodeName: 'b' }, status: { phase: 'Succeeded' } },
  ], [node('a', { cpu: '2', memory: '4Gi' }), node('b', { cpu: '1500m', memory: '8038524Ki' })], [{ metadata: { name: 'proxy', namespace: 'kube-system' }, spec: { template: { spec: { containers: asks('100m', '64Mi') } } } }])
  const part = { cpuMillis: 250, memoryMiB: 64 }
  assert.deepEqual(seen, {
    waiting: [{ name: 'default/full', ...part }, { name: 'default/elsewhere', ...part }, { name: 'kube-system/core-dns', ...part, base: true }],
    perNode: { cpuMillis: 1500, memoryMiB: 4096 }, busy: ['a'], light: [], daemons: [{ name: 'kube-system/proxy', cpuMillis: 100, memoryMiB: 64 }],
    free: [
      { name: 'a', labels: {}, taints: [], cpuMillis: 2000, memoryMiB: 4096, pods: 109, whole: { at: 0, cpuMillis: 2000, memoryMiB: 4096, pods: 110 } },
      { name: 'b', labels: {}, taints: [], cpuMillis: 1400, memoryMiB: 7786, pods: 109, whole: { at: 0, cpuMillis: 1500, memoryMiB: 7850, pods: 110 } },
    ],
  })
  assert.deepEqual(seeRoom([], []), { waiting: [], perNode: undefined, busy: [], light: [], free: [] })
})

test('a pod that is being deleted waits for nothing, whatever holds it back', () => {
  const going = { ...unscheduled('job', ''), metadata: { name: 'job', deletionTimestamp: '2026-12-01T00:00:00Z', finalizers: ['example.com/tidy'] } }
  const seen = seeRoom([going, unscheduled('web', '')], [])
  assert.deepEqual(seen.waiting.map(({ name }) => name), ['default/web'])
  assert.deepEqual([seeRoom([going], [node('a', { cpu: '2', memory: '4Gi' })]).free, isWaiting(going)], [[], false])
})

test('a node that takes no pods now says so, and one that has just become Ready has no taint of the time before', () => {
  const ready = node('a', { cpu: '2', memory: '4Gi' }), taint = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }
  const seen = (one: NodeObject) => seeRoom([unscheduled('late', '')], [one]).free.map(({ shut, taints }) => [shut, taints.length])[0]
  assert.deepEqual(seen(ready), [undefined, 0])
  assert.deepEqual(seen({ ...ready, spec: { unschedulable: true } }), [true, 0])
  assert.deepEqual(seen({ ...ready, spec: { taints: [taint] } }), [undefined, 0])
  assert.deepEqual(seen({ metadata: { name: 'b' }, spec: { taints: [taint] }, status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } }), [true, 1])
})

test('what a pod asks for is what the scheduler adds up: sidecars, what runs first, the runtime, and other resources', () => {
  const one = (spec: PodObject['spec']) => seeRoom([{ ...unscheduled('one', ''), spec: spec! }], [node('a', { 'cpu': '2', 'memory': '4Gi', 'example.com/gpu': '2' })])
  const { waiting: [{ cpuMillis: asked, more } = {}], free: [{ more: left } = {}] } = one({
    containers: [{ resources: { requests: { 'cpu': '100m', 'example.com/gpu': '1' } } }], overhead: { cpu: '10m' },
    initContainers: [{ restartPolicy: 'Always', resources: { requests: { cpu: '200m' } } }, { resources: { requests: { cpu: '700m' } } }],
  })
  assert.deepEqual([asked, more, left], [910, { 'example.com/gpu': 1 }, { 'example.com/gpu': 2 }])
  assert.equal(one({ containers: asks('1', '1Gi'), resources: { requests: { cpu: '300m' } } }).waiting[0]?.cpuMillis, 300)
})

test('what the next node has is told by those that take pods alone, and of what a node has none of nothing is told', () => {
  const asking = { ...unscheduled('train', ''), spec: { containers: [{ resources: { requests: { 'cpu': '1', 'example.com/gpu': '1', 'example.com/nic': '1' } } }] } }
  const seen = (allocatable: Record<string, string>, more: Partial<NodeObject> = {}) => seeRoom([asking], [{ ...node('a', { cpu: '2', memory: '4Gi', ...allocatable }), ...more }])
  const whole = (...given: Parameters<typeof seen>) => seen(...given).free[0]?.whole
  assert.deepEqual([whole({})?.more, whole({ 'example.com/gpu': '0' })?.more, whole({ 'example.com/gpu': '2' })?.more], [undefined, undefined, { 'example.com/gpu': 2 }])
  assert.deepEqual([seen({}).free[0]?.more, seen({ 'example.com/gpu': '2' }).free[0]?.more], [{ 'example.com/gpu': 0, 'example.com/nic': 0 }, { 'example.com/gpu': 2, 'example.com/nic': 0 }])
  const notReady = { status: { allocatable: { cpu: '0', memory: '0' }, conditions: [{ type: 'Ready', status: 'False' }] } }
  assert.deepEqual([whole({}, notReady), whole({}, { spec: { unschedulable: true } }), seen({}, notReady).perNode], [undefined, undefined, undefined])
  const since = (lastTransitionTime: string) => seen({}, { metadata: { name: 'a', creationTimestamp: '2026-12-01T00:00:00Z' }, status: { allocatable: { cpu: '2' }, conditions: [{ type: 'Ready', status: 'True', lastTransitionTime }] } }).free[0]?.readyAt
  assert.deepEqual([since('2026-12-01T00:01:00Z'), since('2026-11-01T00:00:00Z')], [Date.parse('2026-12-01T00:01:00Z'), Date.parse('2026-12-01T00:00:00Z')])
  assert.deepEqual(seeRoom([asking], [node('a', { cpu: '2', memory: '4Gi' }), { ...node('b', {}), ...notReady }]).perNode, { cpuMillis: 2000, memoryMiB: 4096 })
})

test('what nobody here weighs is marked', () => {
  const marked = (spec: PodObject['spec']) => seeRoom([{ ...unscheduled('one', ''), spec: spec! }], []).waiting[0]?.unweighed
  const near = (namespaceSelector: object) => ({ affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'zone', namespaceSelector }] } } })
  for (const spec of [{ volumes: [{ persistentVolumeClaim: {} }] }, { volumes: [{ ephemeral: {} }] }, { resourceClaims: [{}] }, { schedulerName: 'other' }, near({ matchLabels: { team: 'a' } })]) assert.equal(marked(spec), true, JSON.stringify(spec))
  for (const spec of [{}, { volumes: [{}] }, near({})]) assert.equal(marked(spec), undefined, JSON.stringify(spec))
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
    { name: 'c', labels: {}, taints: [], cpuMillis: 1500, memoryMiB: 3072, pods: 109, shut: true },
  ])
})

test('quantities as Kubernetes writes them', () => {
  assert.deepEqual(['2', '0.5', '100m', undefined].map(cpuMillis), [2000, 500, 100, 0])
  assert.deepEqual(['1Gi', '1048576', '512Ki', '1e9', '1.5Gi', '128M', undefined].map(memoryMiB), [1024, 1, 1, 954, 1536, 123, 0])
})
