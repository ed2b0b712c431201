import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { rfc3339Milliseconds, rfc3339Seconds, spanText } from './time.ts'

test('instants have the text that the platform\'s own calendar gives them, to the year 2100 and before 1970', () => {
  fc.assert(fc.property(fc.integer({ min: Date.parse('1900-01-01'), max: Date.parse('2101-01-01') }), ms => {
    assert.equal(rfc3339Milliseconds(ms), new Date(ms).toISOString())
    assert.equal(rfc3339Seconds(ms), `${new Date(ms).toISOString().slice(0, 19)}Z`)
  }), { numRuns: 2000 })
  for (const text of ['2000-02-29T23:59:59.999Z', '2026-12-31T00:00:00.000Z', '2100-03-01T00:00:00.000Z']) assert.equal(rfc3339Milliseconds(Date.parse(text)), text)
})

test('spans name their two largest units', () => {
  assert.deepEqual([0, 400, 45_000, 480_000, 3_900_000, 90_061_000, 86_400_000].map(spanText), ['0 s', '0 s', '45 s', '8 min', '1 h 5 min', '1 d 1 h', '1 d'])
})
