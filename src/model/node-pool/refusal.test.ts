import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isPutOff, refusedOnceMore, retriedAt } from './refusal.ts'

const HOUR = 3_600_000, SECOND = 1_000
const stockOut = { as: 'StockOut', because: 'The stock is out', since: 0, times: 12, triedAt: 100 * HOUR, retryAt: 112 * HOUR, tried: 'm1', evidence: [{ observer: 'o', source: 's', observedAt: 0, fact: 'f' }] } as const
const taken = { as: 'LimitedByQuota', because: 'The addresses of the region for machines are all taken' } as const

test('what is tried as the region told of something, and refused at once, is tried again soon and not in that instant, and says why', () => {
  const toldAt = 101 * HOUR, now = toldAt + 2 * SECOND
  assert.equal(isPutOff(stockOut, toldAt + SECOND / 2, toldAt), false)
  const next = refusedOnceMore(stockOut, taken, now, true)
  assert.equal(retriedAt(next, toldAt), 112 * HOUR, 'it was asked for after that')
  assert.equal(retriedAt(next, now), now + 30 * SECOND, 'and is soon once more is told')
  const { evidence: _old, ...rest } = stockOut
  assert.deepEqual(next, { ...rest, ...taken, triedAt: now }, 'without what was seen of another refusal')
})

test('refusals of claims that were made together count once, and the newest one tells when its claim was made', () => {
  const next = refusedOnceMore(stockOut, { ...taken, triedAt: 99 * HOUR }, 101 * HOUR)
  assert.deepEqual([next.times, next.retryAt, next.triedAt, next.because], [12, 112 * HOUR, 100 * HOUR, taken.because])
})

test('a member that left for what was refused is remembered for as long as it is', () => {
  const left = { ...stockOut, ...taken, leftFor: true } as const
  assert.deepEqual([refusedOnceMore(left, taken, 101 * HOUR).leftFor, refusedOnceMore(left, taken, 113 * HOUR).leftFor, refusedOnceMore(undefined, taken, 113 * HOUR).leftFor], [true, true, undefined])
})
