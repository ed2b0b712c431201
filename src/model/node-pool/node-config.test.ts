import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configOf, configText, isAwaited, isOutOfSync, wishOf } from './node-config.ts'

const label = { key: 'side', value: 'north' }
const wish = { labels: [label], taints: [] }
const carrying = { labels: { side: 'north' }, taints: [] }, bare = { labels: {}, taints: [] }

test('a node is awaited until the present wish was put on it, and out of step while it does not carry it', () => {
  const configured = configText(wish)
  assert.deepEqual([isAwaited({}, wish), isAwaited({ configured }, wish), isAwaited({ configured }, { labels: [], taints: [] }), isAwaited({}, { labels: [], taints: [] })], [true, false, true, false])
  assert.deepEqual([isOutOfSync({ configured }, carrying, wish), isOutOfSync({ configured }, bare, wish), isOutOfSync({}, carrying, wish), isOutOfSync({ configured }, carrying, { labels: [], taints: [] })], [false, true, false, true])
})

test('what was put on a node can be told again', () => {
  const whole = {
    labels: [{ key: 'example.com/side', value: '' }, { key: 'side', value: 'north.1' }],
    taints: [{ key: 'example.com/only', value: 'yes', effect: 'NoExecute' as const }, { key: 'only', value: '', effect: 'NoSchedule' as const }],
  }
  assert.deepEqual([configOf(configText(whole)), configOf(configText({ labels: [], taints: [] })), configOf(undefined)], [whole, { labels: [], taints: [] }, { labels: [], taints: [] }])
})

test('what is a node\'s own goes before what its pool wants of the same key', () => {
  const pool = { labels: [label, { key: 'floor', value: '1' }], taints: [{ key: 'only', value: '', effect: 'NoSchedule' as const }], autoSyncDisabled: true }
  assert.equal(wishOf(pool, {}), pool)
  const carries = { labels: [{ key: 'side', value: 'south' }], taints: [{ key: 'only', value: 'tills', effect: 'NoSchedule' as const }, { key: 'only', value: 'tills', effect: 'NoExecute' as const }] }
  assert.deepEqual(wishOf(pool, { carries }), { ...pool, labels: [{ key: 'floor', value: '1' }, { key: 'side', value: 'south' }], taints: carries.taints })
})

test('without synchronisation a node gets the wish of its beginning and keeps it', () => {
  const once = { ...wish, autoSyncDisabled: true }
  const other = { labels: [{ key: 'side', value: 'south' }], taints: [], autoSyncDisabled: true }
  const configured = configText(once)
  assert.deepEqual([isAwaited({}, once), isAwaited({ configured }, other)], [true, false])
  assert.deepEqual([isOutOfSync({}, bare, once), isOutOfSync({ configured }, carrying, other), isOutOfSync({ configured }, bare, once)], [true, false, false])
  assert.equal(isAwaited({}, { labels: [], taints: [], autoSyncDisabled: true }), true, 'an empty wish is put on too, so that a later one is none of its business')
})
