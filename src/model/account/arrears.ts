import { soonestAfter } from '../status/deadlines.ts'
import type { AccountRecord, Meter } from './record.ts'

const HOUR_MS = 3_600_000n

/** Spent until an instant, in millionths × ms an hour: held time × price, in integers, never sampled. */
export function spentUntil(meter: Meter, at: number): bigint {
  return meter.spent + meter.price * BigInt(Math.floor(at)) - meter.pricedSince
}

/** What is left at an instant, in millionths × ms an hour; undefined: unlimited. */
function leftAt({ balance }: Pick<AccountRecord, 'balance'>, meter: Meter, at: number): bigint | undefined {
  return balance && BigInt(balance.amount) * HOUR_MS - (spentUntil(meter, at) - balance.spentBefore)
}

/** What is left, in whole millionths of the currency, rounded down; undefined: unlimited. */
export function balanceAt(account: Pick<AccountRecord, 'balance'>, meter: Meter, at: number): number | undefined {
  const left = leftAt(account, meter, at)
  if (left === undefined) return undefined
  return Number(left >= 0n ? left / HOUR_MS : -((-left + HOUR_MS - 1n) / HOUR_MS))
}

/**
 * The instant at which the balance reaches, or reached, zero under today's prices; undefined where it never does. Prices are those since the last change of
 * the ledger: whoever changes it has the account looked at in the same instant, so nothing was spent at other prices since then.
 */
export function zeroAt(account: Pick<AccountRecord, 'balance'>, meter: Meter, now: number): number | undefined {
  const left = leftAt(account, meter, now)
  if (left === undefined) return undefined
  if (meter.price === 0n) return left > 0n ? undefined : Math.max(now, account.balance?.at ?? now)
  if (left > 0n) {
    const lasts = (left + meter.price - 1n) / meter.price
    // An instant that no number of milliseconds says exactly is one that no clock shows.
    return lasts > BigInt(Number.MAX_SAFE_INTEGER - Math.ceil(now)) ? undefined : now + Number(lasts)
  }
  const since = now - Number(-left / meter.price)
  return Math.max(since, account.balance?.at ?? since)
}

export interface AccountSeen {
  readonly now: number
  readonly account: AccountRecord
  readonly meter: Meter
  /** From the end of the balance to the end of work (status-rules.md, Arrears). */
  readonly graceMs: number
}

export interface AccountDecision {
  readonly account: AccountRecord
  /** When the answer changes by time alone. */
  readonly lookAgainAt: number | undefined
}

/** Arrears begin when the balance reaches zero and end when there is some again; past the grace time work is stopped. */
export function decideAccount({ now, account, meter, graceMs }: AccountSeen): AccountDecision {
  const { arrearsSince: _arrears, stoppedSince: _stopped, ...paid } = account
  const zero = zeroAt(account, meter, now)
  if (zero === undefined || zero > now) return { account: paid, lookAgainAt: zero }
  const arrearsSince = account.arrearsSince ?? zero
  const graceEnds = arrearsSince + graceMs
  const stopped = now >= graceEnds
  return { account: { ...paid, arrearsSince, ...(stopped && { stoppedSince: account.stoppedSince ?? graceEnds }) }, lookAgainAt: soonestAfter(now, [graceEnds]) }
}
