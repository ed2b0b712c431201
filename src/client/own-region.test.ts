import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EdgeholdClient } from './client.ts'
import { ApiError, NoAnswer } from './errors.ts'
import { makeOwnRegion, ownRegionName } from './own-region.ts'

const region = ownRegionName('region'), TIMES = { timeoutMs: 1_000 }
const answering = (answer: () => Promise<object>) => ({ call: answer }) as unknown as EdgeholdClient
const refused = (code: string) => answering(() => Promise.reject(new ApiError({ code, message: 'a sentence', status: 409, requestId: 'r' })))

test('the name of a region of one\'s own is valid, and another each time', () => {
  assert.match(region, /^region-[0-9a-f]{8}$/)
  assert.notEqual(ownRegionName('region'), region)
})

test('a region of one\'s own that is there was made by an earlier try', () => makeOwnRegion(refused('Conflict.Region'), region, {}, TIMES))

test('that it was refused, and that no answer came, is said as it is', async () => {
  await assert.rejects(makeOwnRegion(refused('InvalidParameter.Seed'), region, {}, TIMES), { code: 'InvalidParameter.Seed' })
  await assert.rejects(makeOwnRegion(answering(() => Promise.reject(new NoAnswer('cut', false))), region, {}, TIMES), { kind: 'NoAnswer' })
})
