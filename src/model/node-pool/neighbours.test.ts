import assert from 'node:assert/strict'
import { test } from 'node:test'
import { neighboursOf, selects, type Ground, type Marks, type NearTerms } from './neighbours.ts'

const HOST = 'kubernetes.io/hostname'
const node = (name: string, zone: string | undefined, ...carries: readonly Marks[]): Ground => ({ name, labels: { [HOST]: name, ...zone !== undefined && { zone } }, taints: [], carries })
const web: Marks = { name: 'web/web-0', labels: { app: 'web' } }, ofWeb = { labelSelector: { matchLabels: { app: 'web' } } }
const found = (pod: Partial<NearTerms>, ...nodes: readonly Ground[]) => nodes.map(neighboursOf({ name: 'web/one', ...pod }, nodes))

test('host ports clash on the same address, or where one of them is for all', () => {
  const on = (ip?: string) => node('a', undefined, { name: 'x/y', hostPorts: [{ port: 80, protocol: 'TCP', ...ip !== undefined && { ip } }] }), asks = (ip?: string, protocol = 'TCP') => ({ hostPorts: [{ port: 80, protocol, ...ip !== undefined && { ip } }] })
  assert.deepEqual([found(asks(), on()), found(asks('10.0.0.1'), on('10.0.0.2')), found(asks('10.0.0.1'), on('0.0.0.0')), found(asks(undefined, 'UDP'), on())].flat(), ['ports', undefined, 'ports', undefined])
})

test('who keeps away does so over a topology, in its namespaces, and from both sides', () => {
  const away = { antiAffinity: [{ topologyKey: 'zone', ...ofWeb }] }
  assert.deepEqual(found(away, node('a', 'z1', web), node('b', 'z1'), node('c', 'z2'), node('d', undefined)), ['antiAffinity', 'antiAffinity', undefined, undefined])
  assert.deepEqual(found({ ...away, name: 'shop/one' }, node('a', 'z1', web)), [undefined], 'of another namespace')
  for (const more of [{ namespaces: ['web'] }, { namespaceSelector: {} }]) assert.deepEqual(found({ name: 'shop/one', antiAffinity: [{ ...away.antiAffinity[0]!, ...more }] }, node('a', 'z1', web)), ['antiAffinity'])
  assert.deepEqual(found({ labels: { app: 'web' } }, node('a', 'z1', { ...web, ...away }), node('b', 'z2')), ['othersAntiAffinity', undefined])
})

test('who keeps near finds one that all terms select, or is the first of its own', () => {
  const near = { affinity: [{ topologyKey: 'zone', ...ofWeb }] }
  assert.deepEqual(found(near, node('a', 'z1', web), node('b', 'z1'), node('c', 'z2')), [undefined, undefined, 'affinity'])
  assert.deepEqual(found({ ...near, labels: { app: 'web' } }, node('a', 'z1'), node('b', undefined)), [undefined, 'affinity'])
  assert.deepEqual(found(near, node('a', 'z1')), ['affinity'])
})

test('a spread counts its own namespace on nodes that the pod could be on, and not what ends', () => {
  const spread = [{ topologyKey: HOST, maxSkew: 1, ...ofWeb }], one = { labels: { app: 'web' }, spread }
  assert.deepEqual(found(one, node('a', 'z1', web), node('b', 'z1')), ['spread', undefined])
  assert.deepEqual(found(one, node('a', 'z1', { ...web, ends: true }), node('b', 'z1')), [undefined, undefined])
  assert.deepEqual(found(one, node('a', 'z1', { ...web, name: 'shop/other' }), node('b', 'z1')), [undefined, undefined])
  assert.deepEqual(found({ ...one, nodeSelector: { zone: 'z1' } }, node('a', 'z1', web), node('b', 'z2')).slice(0, 1), [undefined], 'b is none it could be on')
  assert.deepEqual(found(one, node('a', 'z1', web), { ...node('b', 'z1'), shut: true }).slice(0, 1), ['spread'], 'a node that takes no pods counts')
  assert.deepEqual(found({ ...one, spread: [{ ...spread[0]!, minDomains: 2 }] }, node('a', 'z1', web)), ['spread'])
  assert.deepEqual(found({ ...one, spread: [{ ...spread[0]!, topologyKey: 'zone' }] }, node('a', undefined)), ['spread'])
})

test('an empty selector selects all, and none selects nothing', () => {
  assert.deepEqual([selects({}, {}), selects(undefined, {}), selects({ matchExpressions: [{ key: 'a', operator: 'Exists' }] }, { a: '' })], [true, false, true])
})
