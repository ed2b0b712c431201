import type { LimitedKind, QuotaShown, RegionQuotas } from '#ports/quotas.ts'
import type { Store } from '#ports/store.ts'

/** Machines alone are made for accounts by a real region; what else a cluster has is its control plane's. */
export const COUNTED = 'Machine'

/** Quotas that stand among the records, for regions whose providers keep none: every server on the database can set and show them. */
export class RecordedQuotas implements RegionQuotas {
  readonly kinds = [COUNTED] as const
  readonly #store: Pick<Store, 'quotasOf' | 'machinesHeld' | 'write'>
  readonly #region: string
  readonly #now: () => number

  constructor(store: Pick<Store, 'quotasOf' | 'machinesHeld' | 'write'>, region: string, now: () => number) {
    this.#store = store
    this.#region = region
    this.#now = now
  }

  async setQuota(kind: LimitedKind, account: string, limit: number | undefined): Promise<void> {
    await this.#store.write(this.#now(), tx => tx.setQuota({ accountId: account, region: this.#region }, kind, limit))
  }

  async quotas(account: string): Promise<readonly QuotaShown[]> {
    const scope = { accountId: account, region: this.#region }
    const [set, held] = await Promise.all([this.#store.quotasOf(scope), this.#store.machinesHeld(scope)])
    return set.map(({ kind, limit }) => ({ kind, limit, held }))
  }
}
