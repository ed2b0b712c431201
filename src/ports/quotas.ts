import type { LIMITED_KINDS } from './region-world.ts'

export type LimitedKind = (typeof LIMITED_KINDS)[number]

/** How many of a kind the account may have, and has. */
export interface QuotaShown { readonly kind: string; readonly limit: number; readonly held: number }

/**
 * How many things of each kind an account may have in a region; without a quota there is no limit. Whoever makes one of a kind counts it in the transaction in which it lets it be made, so that no two take the last place, and what was begun and not ended
 * counts. A machine that replaces another one (`MachineTemplate.replaces`) has the place of that one, which counts no more; it counts again if the other goes first, and as ever where the other is refused. A quota below what an account has takes nothing away. `Machines.supply` says something else after each change.
 */
export interface RegionQuotas {
  /** Of which kinds the region makes things. */
  readonly kinds: readonly LimitedKind[]
  /** How many of a kind the account may have; undefined takes the limit away. */
  setQuota(kind: LimitedKind, account: string, limit: number | undefined): Promise<void>
  /** The limits that are set for the account, by kind. */
  quotas(account: string): Promise<readonly QuotaShown[]>
}
