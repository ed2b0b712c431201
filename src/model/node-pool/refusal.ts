import type { Evidence } from '../evidence.ts'
import { REFUSED_CLAIM } from '../status/deadlines.ts'
import { withFacts } from '../with-facts.ts'
import type { NodePoolFacts } from './record.ts'

type Refused = NonNullable<NodePoolFacts['refused']>

/**
 * What a pool remembers once a machine was refused: by what, since when, how often in a row, and when the one next claim is tried. Refusals of claims that were made
 * together count once, and the newest one says why. `now`: epoch ms in the region's time. `isTold`: the region tells of all by which the answer may be another one, so that what is refused for long is tried ever more seldom, and soon once that is told.
 */
export function refusedOnceMore(known: Refused | undefined, refusal: Pick<Refused, 'as' | 'because' | 'evidence' | 'triedAt'>, now: number, isTold = false): Refused {
  const { as, because, evidence, triedAt = now } = refusal
  if (known?.claim === undefined && known?.retryAt !== undefined && isPutOff(known, now)) {
    const { evidence: _ofAnother, ...rest } = known
    // It was tried, perhaps as something was told: if that stood as untried, its next time would have passed already.
    return { ...rest, as, because, triedAt: Math.max(known.triedAt ?? 0, triedAt), ...(evidence && { evidence }) }
  }
  const times = (known?.times ?? 0) + 1, tried = known?.claim ?? known?.tried
  const since = known?.since ?? now
  const usual = known?.again ? 0 : Math.min(REFUSED_CLAIM.first * 2 ** Math.min(times - 1, 20), REFUSED_CLAIM.longest)
  const pause = isTold && !known?.again ? Math.max(usual, Math.floor((now - since) / 8)) : usual
  return { as, because, since, times, triedAt, retryAt: now + pause, ...(evidence && { evidence }), ...(tried !== undefined && { tried }), ...(known?.leftFor && { leftFor: true }) }
}

/** What the provider of machines answered to a claim. */
export function refusalEvidence(machine: string, { because, at }: { readonly because: string; readonly at: number }): Evidence {
  return { observer: 'machine controller', source: `machine ${machine}`, observedAt: at, fact: `${because}.` }
}

/** For whoever changes stock, quotas or balances, or gives machines back: the pool's claim is due at once, and one that is being tried, which may be refused already, once more. Its key is to be enqueued as well. */
export function retriedAtOnce(facts: NodePoolFacts, now: number): NodePoolFacts {
  const { refused } = facts
  if (!refused || isRetried(refused, now)) return facts
  return withFacts(facts, { refused: { ...refused, ...refused.claim === undefined ? { retryAt: now } : { again: true as const } } })
}

/** The next claim is not to be tried yet. `toldAt`: as of `retriedAt`. */
export function isPutOff(refused: Refused, now: number, toldAt?: number): boolean {
  return (retriedAt(refused, toldAt) ?? 0) > now
}

/**
 * When a pool that was refused tries again. `toldAt`: when its region last told of something that may end the refusal. What was asked for before that is tried again soon, whoever was woken by what and when: what is told at the very
 * instant of the asking, or before its answer is written, is not lost.
 */
export function retriedAt({ retryAt, triedAt = Infinity }: Refused, toldAt = -Infinity): number | undefined {
  return retryAt === undefined || triedAt > toldAt ? retryAt : Math.min(retryAt, triedAt + REFUSED_CLAIM.first)
}

/** What a machine that goes may leave to others. */
export function mayBeLeft({ as }: Pick<Refused, 'as'>): boolean {
  return as === 'StockOut' || as === 'LimitedByQuota'
}

/** It is to try again now, or as soon as the claim is answered that it tries. */
export function isRetried({ claim, again, retryAt = 0 }: Refused, now: number): boolean {
  return claim === undefined ? retryAt <= now : again === true
}
