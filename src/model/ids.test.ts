import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { instantOfId, isId, newId, type IdKind } from './ids.ts'

const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)

test('ids have the product\'s form: a letter and 20 characters of lower-case base32hex', () => {
  const kinds: readonly IdKind[] = ['cluster', 'node-pool', 'node', 'onboarding', 'kubeconfig', 'machine', 'ledger']
  const ids = kinds.map(kind => newId(kind, 1_764_095_000_000, bytes))
  assert.deepEqual(ids.map(id => id[0]), ['c', 'p', 'n', 'n', 'k', 'm', 'l'])
  for (const [index, id] of ids.entries()) assert.ok(isId(kinds[index] ?? 'cluster', id), id)
})

test('an id of March 2025 begins ccv as the product\'s samples of that month do, one of November 2026 cd', () => {
  assert.equal(newId('cluster', Date.parse('2025-03-26T12:00:00Z'), bytes).slice(0, 4), 'ccvh')
  assert.match(newId('cluster', Date.parse('2026-11-25T00:00:00Z'), bytes), /^cd/)
})

test('ids sort by age, and differ where their random bytes do', () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 4_294_967_294 }), fc.uint8Array({ minLength: 8, maxLength: 8 }), fc.uint8Array({ minLength: 8, maxLength: 8 }), (second, one, other) => {
    assert.ok(newId('node', second * 1000, one) < newId('node', (second + 1) * 1000, other))
    assert.equal(newId('node', second * 1000, one) === newId('node', second * 1000, other), one.join() === other.join())
  }))
})

test('an id tells in which second it was made', () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 4_294_967_295_999 }), fc.uint8Array({ minLength: 8, maxLength: 8 }), (now, random) => {
    assert.equal(instantOfId(newId('ledger', now, random)), now - now % 1000)
  }))
})

test('too few random bytes are refused, and other texts are no ids', () => {
  assert.throws(() => newId('node', 0, bytes.slice(1)), RangeError)
  for (const text of ['', 'n', 'nci5bdn7qtofk', `n${'z'.repeat(20)}`, `N${'a'.repeat(20)}`, `n${'a'.repeat(21)}`]) assert.ok(!isId('node', text), text)
  assert.ok(isId('cluster', 'ccvmb0c66t101fnob3dhg'))
})
