import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { balanceAt, decideAccount, spentUntil, zeroAt } from './arrears.ts'
import { priceOf } from './prices.ts'
import type { AccountRecord, Meter } from './record.ts'

const HOUR = 3_600_000
const NOW = 1_700_000_000_000
const GRACE = 2 * HOUR

/** Entries that began at those instants at those prices, still running. */
function meterOf(...entries: readonly (readonly [since: number, perHour: number])[]): Meter {
  return { spent: 0n, price: entries.reduce((sum, [, price]) => sum + BigInt(price), 0n), pricedSince: entries.reduce((sum, [since, price]) => sum + BigInt(price) * BigInt(since), 0n) }
}

function account(amount: number | undefined, meter: Meter, more: Partial<AccountRecord> = {}): AccountRecord {
  return { accountId: '1', region: 'sim-1', ...(amount !== undefined && { balance: { amount, at: NOW, spentBefore: spentUntil(meter, NOW) } }), ...more }
}

test('a balance of three hours of one machine is gone after three hours, to the millisecond', () => {
  const meter = meterOf([NOW - 7 * HOUR, 500_000])
  const seen = account(1_500_000, meter)
  assert.equal(zeroAt(seen, meter, NOW), NOW + 3 * HOUR)
  assert.equal(zeroAt(seen, meter, NOW + HOUR), NOW + 3 * HOUR)
  assert.equal(balanceAt(seen, meter, NOW + HOUR), 1_000_000)
  assert.equal(balanceAt(seen, meter, NOW + 4 * HOUR), -500_000)
})

test('unlimited accounts, and accounts that spend nothing, are never in arrears', () => {
  const meter = meterOf([NOW, 500_000])
  assert.equal(zeroAt(account(undefined, meter), meter, NOW + 1000 * HOUR), undefined)
  assert.equal(zeroAt(account(1, meterOf()), meterOf(), NOW + 1000 * HOUR), undefined)
  assert.deepEqual(decideAccount({ now: NOW, account: account(undefined, meter), meter, graceMs: GRACE }), { account: account(undefined, meter), lookAgainAt: undefined })
})

test('arrears do not begin before the balance that they are of was set, whatever is spent', () => {
  for (const meter of [meterOf(), meterOf([NOW - HOUR, 1_000_000])]) {
    const seen = account(0, meter)
    assert.equal(zeroAt(seen, meter, NOW - 1_000) ?? Infinity, NOW)
    assert.equal(decideAccount({ now: NOW, account: seen, meter, graceMs: GRACE }).account.arrearsSince, NOW)
  }
})

test('arrears begin at zero, work stops at the end of grace, and a payment ends both', () => {
  const meter = meterOf([NOW, 1_000_000])
  const rich = account(1_000_000, meter)
  const at = (now: number, seen: AccountRecord) => decideAccount({ now, account: seen, meter, graceMs: GRACE })
  assert.deepEqual(at(NOW, rich), { account: rich, lookAgainAt: NOW + HOUR })
  const poor = at(NOW + HOUR, rich)
  assert.deepEqual(poor, { account: { ...rich, arrearsSince: NOW + HOUR }, lookAgainAt: NOW + 3 * HOUR })
  const stopped = at(NOW + 3 * HOUR, poor.account)
  assert.deepEqual(stopped, { account: { ...rich, arrearsSince: NOW + HOUR, stoppedSince: NOW + 3 * HOUR }, lookAgainAt: undefined })
  const paid = { ...stopped.account, balance: { amount: 5_000_000, at: NOW + 4 * HOUR, spentBefore: spentUntil(meter, NOW + 4 * HOUR) } }
  assert.deepEqual(at(NOW + 4 * HOUR, paid), { account: { accountId: '1', region: 'sim-1', balance: paid.balance }, lookAgainAt: NOW + 9 * HOUR })
})

test('a late look finds the instant at which the balance reached zero', () => {
  const meter = meterOf([NOW, 700_001])
  const rich = account(2_100_003, meter)
  const late = decideAccount({ now: NOW + 10 * HOUR, account: rich, meter, graceMs: GRACE }).account
  assert.equal(late.arrearsSince, NOW + 3 * HOUR)
  assert.equal(late.stoppedSince, NOW + 5 * HOUR)
})

test('a balance that is set to nothing is in arrears since then, not since before', () => {
  const meter = meterOf([NOW - 50 * HOUR, 1_000_000])
  assert.equal(decideAccount({ now: NOW, account: account(0, meter), meter, graceMs: GRACE }).account.arrearsSince, NOW)
  assert.equal(decideAccount({ now: NOW, account: account(-5_000_000, meter), meter, graceMs: GRACE }).account.arrearsSince, NOW)
})

test('the instant of zero is the first at which nothing is left, whatever the prices', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 10_000_000_000 }), fc.array(fc.tuple(fc.integer({ min: 0, max: 100 * HOUR }), fc.integer({ min: 1, max: 5_000_000 })), { minLength: 1, maxLength: 20 }), (amount, entries) => {
    const meter = meterOf(...entries.map(([ago, price]) => [NOW - ago, price] as const))
    const seen = account(amount, meter)
    const zero = zeroAt(seen, meter, NOW)
    fc.pre(zero !== undefined) // of the case below
    assert.ok(zero > NOW)
    assert.ok((balanceAt(seen, meter, zero) ?? 1) <= 0)
    assert.ok((balanceAt(seen, meter, zero - 1) ?? -1) >= 0)
    assert.equal(decideAccount({ now: zero, account: seen, meter, graceMs: GRACE }).account.arrearsSince, zero)
    assert.equal(decideAccount({ now: zero - 1, account: seen, meter, graceMs: GRACE }).account.arrearsSince, undefined)
  }))
})

test('a balance that outlasts all instants never reaches zero', () => {
  const meter = meterOf([NOW, 1])
  assert.equal(zeroAt(account(2_501_000_000, meter), meter, NOW), NOW + 2_501_000_000 * HOUR)
  for (const amount of [2_501_527_571, Number.MAX_SAFE_INTEGER]) {
    const seen = account(amount, meter)
    assert.equal(zeroAt(seen, meter, NOW), undefined)
    assert.deepEqual(decideAccount({ now: NOW, account: seen, meter, graceMs: GRACE }), { account: seen, lookAgainAt: undefined })
  }
})

test('a machine costs while it is held and on; switched off, intended, or released it costs nothing', () => {
  assert.ok(priceOf({ kind: 'Machine', state: 'Held' }) > 0)
  assert.equal(priceOf({ kind: 'Machine', state: 'Held', power: 'off' }), 0)
  assert.equal(priceOf({ kind: 'Machine', state: 'Intended' }), 0)
  assert.equal(priceOf({ kind: 'Machine', state: 'Released' }), 0)
  assert.equal(priceOf({ kind: 'Machine', state: 'Retained' }), priceOf({ kind: 'Machine', state: 'Held' }))
  assert.equal(priceOf({ kind: 'SecurityGroup', state: 'Held' }), 0)
})
