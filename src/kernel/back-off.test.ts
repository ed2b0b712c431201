import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { backOffMs } from './back-off.ts'

test('back-off grows to half a minute and is spread', () => {
  assert.deepEqual([backOffMs(1, 0), backOffMs(2, 0), backOffMs(5, 0), backOffMs(100, 0)], [100, 200, 1_600, 15_000])
  fc.assert(fc.property(fc.integer({ min: 1, max: 1_000 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (failures, dice) => {
    const ms = backOffMs(failures, dice)
    assert.ok(ms >= 100 && ms <= 30_000)
    assert.ok(backOffMs(failures + 1, dice) >= ms)
  }))
})
