import type { Evidence } from '../evidence.ts'
import { rfc3339Seconds, spanText } from '../time.ts'
import { balanceAt } from './arrears.ts'
import type { AccountRecord, Meter } from './record.ts'

/** The balance as it is at an instant, and since when there is none: what stands behind every status and refusal for arrears. `graceMs` is told where work has stopped. */
export function balanceEvidence(account: AccountRecord, meter: Meter, { now, graceMs }: { readonly now: number; readonly graceMs?: number }): Evidence {
  const millionths = balanceAt(account, meter, now)
  const balance = millionths === undefined ? 'unlimited' : (millionths / 1_000_000).toFixed(2).replace(/^-(?=0.00$)/, '')
  const { arrearsSince, stoppedSince } = account
  const grace = stoppedSince === undefined ? '' : ` and the grace time${graceMs === undefined ? '' : ` of ${spanText(graceMs)}`} ended at ${rfc3339Seconds(stoppedSince)}`
  const fact = arrearsSince === undefined ? `The balance is ${balance}; nothing is owed.` : `The balance reached zero at ${rfc3339Seconds(arrearsSince)}${grace}; it is ${balance} now.`
  return { observer: 'account controller', source: `balance of account ${account.accountId} in ${account.region}`, observedAt: now, fact }
}
