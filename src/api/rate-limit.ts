import { refuse } from '#model/errors/catalogue.ts'
import type { Action } from './action.ts'
import type { ApiSettings } from './settings.ts'

interface Bucket { tokens: number; filledAt: number }

/** Accounts whose buckets are full again are forgotten from this size on. */
const SWEEP_FROM = 10_000

/** Token buckets by account and kind of call, and by account and action where one has a limit of its own. In this process; real time. */
export class RateLimits {
  readonly #limits: ApiSettings['limits']
  readonly #buckets = new Map<string, Bucket>()

  constructor(limits: ApiSettings['limits']) {
    this.#limits = limits
  }

  /** Takes one call of an account; throws `FlowLimitExceeded` with the seconds after which the next may come. */
  take(accountId: string, action: Pick<Action, 'name' | 'kind'>, now: number): void {
    this.#takeFrom(`${accountId}/${action.kind}`, action.kind === 'read' ? this.#limits.readsPerSecond : this.#limits.writesPerSecond, action, now)
    this.#takeFrom(`${accountId}/${action.name}`, this.#limits.perAction[action.name], action, now)
  }

  #takeFrom(name: string, perSecond: number | undefined, action: Pick<Action, 'name' | 'kind'>, now: number): void {
    if (perSecond === undefined) return
    const most = Math.max(1, perSecond)
    const bucket = this.#buckets.get(name) ?? { tokens: most, filledAt: now }
    bucket.tokens = Math.min(most, bucket.tokens + (Math.max(0, now - bucket.filledAt) * perSecond) / 1000)
    bucket.filledAt = now
    this.#buckets.set(name, bucket)
    if (this.#buckets.size > SWEEP_FROM) this.#sweep(now)
    if (bucket.tokens < 1) refuse('FlowLimitExceeded', { action: action.name, limit: perSecond, retryAfter: Math.max(1, Math.ceil((1 - bucket.tokens) / perSecond)) })
    bucket.tokens -= 1
  }

  #sweep(now: number): void {
    for (const [name, bucket] of this.#buckets) if (now - bucket.filledAt > 60_000) this.#buckets.delete(name)
  }
}
