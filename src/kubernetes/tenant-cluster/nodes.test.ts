import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Label, Taint } from '#model/node-pool/record.ts'
import type { NodeObject, NodeTaint } from '../client/objects.ts'
import { baseManifests, BASE_VERSION, pathOf } from './base/base.ts'
import { clusterDnsAddress } from './base/cluster-dns.ts'
import { NODE_CONFIG_ANNOTATION } from './base/names.ts'
import { mustLeave } from './evict-pods.ts'
import { planNodeConfig, planOpen } from './node-config.ts'
import { isSchedulable, seeNode } from './see-node.ts'

/** What the API server makes of the patch. */
function patched(node: NodeObject, patch: ReturnType<typeof planNodeConfig>): NodeObject {
  if (!patch) return node
  const labels: Record<string, string> = { ...node.metadata.labels }
  for (const [key, value] of Object.entries(patch.metadata.labels ?? {})) if (value === null) delete labels[key]; else labels[key] = value
  return { metadata: { ...node.metadata, labels, annotations: { ...node.metadata.annotations, ...patch.metadata.annotations } }, spec: { ...node.spec, ...patch.spec } }
}

const key = fc.constantFrom('a', 'b', 'c', 'd')
const labels = fc.uniqueArray(fc.record({ key, value: fc.constantFrom('1', '2') }), { selector: label => label.key })
const taints = fc.uniqueArray(fc.record({ key, value: fc.constantFrom('', 'x'), effect: fc.constantFrom('NoSchedule' as const, 'NoExecute' as const) }), { selector: taint => `${taint.key}:${taint.effect}` })
const config = fc.record({ labels, taints })
const nodeOf = (own: { labels: readonly Label[]; taints: readonly Taint[] }): NodeObject =>
  ({ metadata: { name: 'n', labels: Object.fromEntries(own.labels.map(label => [label.key, label.value])) }, spec: { taints: own.taints as NodeTaint[] } })

test('after any two pool configurations a node carries the last, and doing it twice does nothing', () => {
  fc.assert(fc.property(config, config, config, (own, first, last) => {
    let node = nodeOf(own)
    node = patched(node, planNodeConfig(node, first))
    node = patched(node, planNodeConfig(node, last))
    assert.equal(planNodeConfig(node, last), undefined)
    for (const label of last.labels) assert.equal(node.metadata.labels?.[label.key], label.value)
    for (const taint of last.taints) assert.ok(node.spec?.taints?.some(other => other.key === taint.key && other.effect === taint.effect && (other.value ?? '') === taint.value))
  }))
})

test('what others put on a node stays when the pool wants nothing any more', () => {
  fc.assert(fc.property(config, config, (own, wanted) => {
    const foreign = { labels: own.labels.map(label => ({ ...label, key: `their-${label.key}` })), taints: own.taints.map(taint => ({ ...taint, key: `their-${taint.key}` })) }
    let node = nodeOf(foreign)
    node = patched(node, planNodeConfig(node, wanted))
    node = patched(node, planNodeConfig(node, { labels: [], taints: [] }))
    assert.deepEqual(node.metadata.labels, nodeOf(foreign).metadata.labels)
    assert.deepEqual(node.spec?.taints, foreign.taints)
  }))
})

test('a label that somebody changed since is theirs', () => {
  const node: NodeObject = { metadata: { name: 'n', labels: { tier: 'theirs' }, annotations: { [NODE_CONFIG_ANNOTATION]: '{"labels":{"tier":"ours"},"taints":[]}' } } }
  assert.equal(planNodeConfig(node, { labels: [], taints: [] })?.metadata.labels, undefined)
})

test('a kubelet\'s own label stays, though a pool once wished it', () => {
  const node: NodeObject = { metadata: { name: 'n', labels: { 'kubernetes.io/hostname': 'n', tier: 'ours' }, annotations: { [NODE_CONFIG_ANNOTATION]: '{"labels":{"kubernetes.io/hostname":"n","tier":"ours"},"taints":[]}' } } }
  assert.deepEqual(planNodeConfig(node, { labels: [], taints: [] })?.metadata.labels, { tier: null })
})

test('what its kubelet registered for an earlier pool spec goes, unless it is wanted still, or somebody gave it another value', () => {
  const labels = { 'kubernetes.io/hostname': 'n', side: 'south', tier: 'theirs', kept: 'yes' }, taint = { key: 'gpu', value: 'yes', effect: 'NoSchedule' }, theirs = { key: 'gpu', value: 'no', effect: 'NoExecute' }
  const began = { labels: ['side', 'tier', 'kept'].map(name => ({ key: name, value: name === 'side' ? 'south' : 'yes' })), taints: [{ ...taint, effect: 'NoSchedule' as const }] }
  const patch = planNodeConfig({ metadata: { name: 'n', labels }, spec: { taints: [taint, theirs] } }, { labels: [{ key: 'kept', value: 'yes' }], taints: [], began })
  assert.deepEqual([patch?.metadata.labels, patch?.spec?.taints], [{ side: null }, [theirs]])
})

test('a node that the pool wants nothing of is left alone', () => {
  assert.equal(planNodeConfig({ metadata: { name: 'n' } }, { labels: [], taints: [] }), undefined)
})

test('a Node object is seen with its times, address and pressures', () => {
  assert.deepEqual(seeNode({
    metadata: { name: 'shop-1', uid: 'u', creationTimestamp: '2026-01-01T00:00:00Z', labels: { a: 'b' } },
    spec: { podCIDR: '10.1.0.0/24', unschedulable: true, taints: [{ key: 'k', effect: 'NoSchedule' }] },
    status: {
      addresses: [{ type: 'Hostname', address: 'shop-1' }, { type: 'InternalIP', address: '10.9.8.7' }],
      conditions: [
        { type: 'DiskPressure', status: 'True' }, { type: 'MemoryPressure', status: 'False' },
        { type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.', lastTransitionTime: '2026-01-01T00:01:00Z', lastHeartbeatTime: '2026-01-01T00:00:20Z' },
      ],
    },
  }), {
    name: 'shop-1', uid: 'u', createdAt: 1767225600000, unschedulable: true, podCidr: '10.1.0.0/24', internalIp: '10.9.8.7', labels: { a: 'b' },
    taints: [{ key: 'k', value: '', effect: 'NoSchedule' }], pressures: ['DiskPressure'],
    ready: { status: 'Unknown', since: 1767225660000, reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.', lastHeartbeatAt: 1767225620000 },
  })
})

const ready = { conditions: [{ type: 'Ready', status: 'True' }] }
const schedulable: [what: string, node: NodeObject, is: boolean][] = [
  ['a ready node', { metadata: { name: 'n' }, status: ready }, true],
  ['one that says nothing yet', { metadata: { name: 'n' } }, false],
  ['a cordoned one', { metadata: { name: 'n' }, spec: { unschedulable: true }, status: ready }, false],
  ['one with a taint that keeps pods out', { metadata: { name: 'n' }, spec: { taints: [{ key: 'k', effect: 'NoExecute' }] }, status: ready }, false],
  ['one with a taint that only asks', { metadata: { name: 'n' }, spec: { taints: [{ key: 'k', effect: 'PreferNoSchedule' }] }, status: ready }, true],
]
for (const [what, node, is] of schedulable) test(`${what} is ${is ? '' : 'not '}schedulable`, () => assert.equal(isSchedulable(node), is))

test('only ordinary pods that still run must leave a node', () => {
  const pod = (more: object, phase = 'Running'): boolean => mustLeave({ metadata: { name: 'p', ...more }, status: { phase } })
  assert.equal(pod({}), true)
  assert.equal(pod({ ownerReferences: [{ kind: 'ReplicaSet', name: 'r', controller: true }] }), true)
  assert.equal(pod({ ownerReferences: [{ kind: 'DaemonSet', name: 'd', controller: true }] }), false)
  assert.equal(pod({ annotations: { 'kubernetes.io/config.mirror': 'x' } }), false)
  assert.equal(pod({}, 'Succeeded'), false)
})

test('the base has its DNS at the tenth address, every object its own path, and no image from elsewhere', () => {
  const base = { serviceCidr: '10.96.0.0/16', podCidr: '10.32.0.0/16', registry: '10.1.2.3:5000' }
  assert.equal(clusterDnsAddress(base.serviceCidr), '10.96.0.10')
  const manifests = baseManifests(base)
  assert.equal(new Set(manifests.map(pathOf)).size, manifests.length)
  const images = [...JSON.stringify(manifests).matchAll(/"image":"([^"]+)"/g)].map(match => match[1])
  assert.deepEqual(images.map(image => image?.split('/')[0]), ['10.1.2.3:5000'])
  assert.match(BASE_VERSION, /^[0-9a-f]{16}$/)
})

test('what closes a node on behalf of its pool touches no cordon, and no taint of others', () => {
  const gpu = { key: 'gpu', effect: 'NoSchedule' }, ours = { key: 'edgehold/being-stopped', effect: 'NoSchedule' }
  const node = (taints: readonly NodeTaint[] | undefined, unschedulable?: true): NodeObject => ({ metadata: { name: 'n', resourceVersion: '7' }, spec: { ...taints && { taints }, ...unschedulable && { unschedulable } } })
  assert.deepEqual(planOpen(node([gpu], true), false), { metadata: { resourceVersion: '7' }, spec: { taints: [gpu, ours] } })
  assert.deepEqual(planOpen(node([gpu, ours], true), true), { metadata: { resourceVersion: '7' }, spec: { taints: [gpu] } })
  assert.deepEqual([planOpen(node([gpu, ours]), false), planOpen(node([gpu]), true), planOpen(node(undefined, true), true)], [undefined, undefined, undefined])
})
