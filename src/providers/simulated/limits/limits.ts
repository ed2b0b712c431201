import type { QuotaShown, RegionQuotas } from '#ports/quotas.ts'
import { LIMITED_KINDS, type RegionStock, type StockShown } from '#ports/region-world.ts'
import type { World } from '../world/world.ts'

/** What is left of a kind, in one area or in all. */
export interface Stock { readonly kind: string; readonly area?: string; count: number }
/** How many of a kind an account may have; without an account, each. */
export interface Quota { readonly kind: string; readonly account?: string; readonly limit: number }
/** What one thing was taken from. */
export interface Taken { readonly kind: string; readonly area?: string; readonly account?: string }

/** The errors by which a port says which limit stands in the way. */
export interface Refusals {
  soldOut(message: string): Error
  overQuota(message: string): Error
}

const ALL = 'all'

/** Stock and quota of a region. Where none is set there is no limit. */
export class Limits implements RegionStock, RegionQuotas {
  readonly kinds = LIMITED_KINDS
  readonly #stocks
  readonly #quotas
  readonly #held
  /** How often limits were set, under one name. */
  readonly #changes
  readonly #world: World

  constructor(world: World) {
    this.#world = world
    this.#stocks = world.table<Stock>('stock')
    this.#quotas = world.table<Quota>('quota')
    this.#held = world.table<number>('held')
    this.#changes = world.table<number>('limit-changes')
  }

  /** `undefined` takes the limit away. */
  async setStock(kind: string, area: string | undefined, count: number | undefined): Promise<void> {
    const key = keyOf(kind, area)
    if (count === undefined) this.#stocks.delete(key)
    else this.#stocks.put(key, { kind, count, ...(area !== undefined && { area }) })
    this.#changes.put(ALL, this.changes() + 1)
    this.#world.turn()
    await this.#world.settle()
  }

  async setQuota(kind: string, account: string | undefined, limit: number | undefined): Promise<void> {
    const key = keyOf(kind, account)
    if (limit === undefined) this.#quotas.delete(key)
    else this.#quotas.put(key, { kind, limit, ...(account !== undefined && { account }) })
    this.#changes.put(ALL, this.changes() + 1)
    this.#world.turn()
    await this.#world.settle()
  }

  changes(): number {
    return this.#changes.get(ALL) ?? 0
  }

  async quotas(account: string): Promise<readonly QuotaShown[]> {
    // What is set for the account alone goes before what is set for each.
    const byKind = new Map([...this.#quotas.values()].filter(quota => (quota.account ?? account) === account).toSorted((a, b) => Number(a.account !== undefined) - Number(b.account !== undefined)).map(quota => [quota.kind, quota]))
    return [...byKind.values()].map(({ kind, limit }) => ({ kind, limit, held: this.#held.get(keyOf(kind, account)) ?? 0 })).toSorted((a, b) => (a.kind < b.kind ? -1 : 1))
  }

  stock(): readonly StockShown[] {
    return [...this.#stocks.values()].toSorted((a, b) => (keyOf(a.kind, a.area) < keyOf(b.kind, b.area) ? -1 : 1))
  }

  /** Takes one, or throws with the limit that stands in the way. */
  take({ kind, account, areas }: { readonly kind: string; readonly account?: string; readonly areas: readonly string[] }, what: string, refusals: Refusals): Taken {
    const has = this.#held.get(keyOf(kind, account)) ?? 0
    this.#refuseOver(has, { kind, ...(account !== undefined && { account }) }, what, refusals)
    const area = areas.find(one => this.#stocks.get(keyOf(kind, one)))
    const stock = this.#stocks.get(keyOf(kind, area))
    if (stock && stock.count <= 0) throw refusals.soldOut(`Nothing of the kind ${kind} is left in stock${area === undefined ? '' : ` in ${area}`}: ${what} was not made`)
    if (stock) this.#stocks.put(keyOf(kind, area), { ...stock, count: stock.count - 1 })
    this.#held.put(keyOf(kind, account), has + 1)
    return { kind, ...(stock && area !== undefined && { area }), ...(account !== undefined && { account }) }
  }

  /** What was taken for one thing goes to another, for which nothing need be left in stock; or throws where the account has more than it may even so. */
  handOver(taken: Taken, what: string, refusals: Refusals): Taken {
    this.#refuseOver((this.#held.get(keyOf(taken.kind, taken.account)) ?? 0) - 1, taken, what, refusals)
    return taken
  }

  giveBack({ kind, area, account }: Taken): void {
    const stock = this.#stocks.get(keyOf(kind, area))
    if (stock) this.#stocks.put(keyOf(kind, area), { ...stock, count: stock.count + 1 })
    this.#held.put(keyOf(kind, account), Math.max((this.#held.get(keyOf(kind, account)) ?? 0) - 1, 0))
  }

  #refuseOver(has: number, { kind, account }: Taken, what: string, refusals: Refusals): void {
    const quota = (account === undefined ? undefined : this.#quotas.get(keyOf(kind, account))) ?? this.#quotas.get(keyOf(kind, undefined))
    if (quota && has >= quota.limit) throw refusals.overQuota(`The account may have ${quota.limit} of the kind ${kind} and has ${has}: ${what} was not made`)
  }
}

function keyOf(kind: string, of: string | undefined): string {
  return `${kind}/${of ?? ''}`
}
