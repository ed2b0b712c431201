import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { deflatedPart, gzippedAround, takesGzip } from './compress.ts'

test('a part that was compressed by itself reads back in any text', async () => {
  const text = fc.string({ unit: 'binary', maxLength: 2_000 }).map(each => each.toWellFormed())
  await fc.assert(fc.asyncProperty(text, fc.tuple(text, fc.nat(40)), text, async (before, [once, times], behind) => {
    const part = await deflatedPart(once.repeat(times))
    // Node checks the sum and the length at the end.
    for (let again = 0; again < 2; again++) assert.equal(gunzipSync(gzippedAround(before, part, behind)).toString(), before + once.repeat(times) + behind)
  }), { numRuns: 200 })
})

test('a long text becomes shorter', async () => {
  assert.ok(gzippedAround('{', await deflatedPart('"name":"value",'.repeat(1_000)), '}').length < 300)
})

test('gzip is taken where it is named and not refused', () => {
  for (const [header, takes] of [['gzip', true], ['br, gzip', true], ['GZIP;q=0.5', true], ['gzip; q=1', true], ['gzip;q=0', false], ['br', false], ['', false], [undefined, false], [['br', 'gzip'], true]] as const) {
    assert.equal(takesGzip(header as string | undefined), takes, String(header))
  }
})
