import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inTime } from './waiting.ts'

test('what comes in time is given on, and so is what fails', async () => {
  assert.equal(await inTime(Promise.resolve('rung'), 'the bell', 5), 'rung')
  await assert.rejects(inTime(Promise.reject(new Error('no bell')), 'the bell', 5), /^Error: no bell$/)
})

test('what never comes fails by name', async () => {
  await assert.rejects(inTime(new Promise(() => {}), 'the bell to ring', 5), /waited 5 ms in vain for the bell to ring$/)
})
