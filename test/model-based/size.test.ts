import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sizeOf } from './size.ts'

test('a size that is no number of steps is refused, since nothing would be played and everything would pass', () => {
  for (const given of ['', '0', '-5', 'many', '1.5', 'Infinity']) assert.throws(() => sizeOf(given), /EDGEHOLD_MODEL_BASED_SIZE is .* and must be a number of steps/, given)
  assert.deepEqual([sizeOf('20000'), sizeOf(undefined)], [20_000, 500])
})
