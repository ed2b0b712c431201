import { REGION, type Answer } from '../region-under-test.ts'
import type { Kind } from './tables.ts'

export type Item = Record<string, unknown>
export interface Pair { readonly Phase: string; readonly Conditions: readonly { readonly Type: string }[] }
export interface Seen { readonly Fact: string }
export interface Change {
  readonly Position: number
  readonly At: string
  readonly Kind: Kind | 'Onboarding'
  readonly Id: string
  readonly Name: string
  readonly ClusterId?: string
  readonly Status: Pair | null
  readonly Because: string
  readonly Evidence: readonly Seen[]
  readonly CausedBy?: unknown
  readonly Operation?: string
}
export interface LedgerItem { readonly Id: string; readonly Kind: string; readonly ProviderId?: string; readonly Owner: { readonly Kind: string; readonly Id: string; readonly Name: string }; readonly ClusterId?: string; readonly State: string; readonly Because?: string }

/** Everything that a caller sees of the region at one moment. */
export interface View {
  readonly now: string
  readonly clusters: readonly Item[]
  readonly pools: readonly Item[]
  /** The central ones among them, in their own words. */
  readonly central: readonly Item[]
  readonly nodes: readonly Item[]
  readonly addons: readonly Item[]
  readonly machines: readonly Item[]
  readonly ledger: readonly LedgerItem[]
  /** What came since the last look, oldest first. */
  readonly news: readonly Change[]
}

export interface Callable { call(action: string, body?: object): Promise<Answer> }

const PAGE = 100

/** `after`: the last position that was seen. */
export async function look(region: Callable, after: number): Promise<View> {
  const [clusters, pools, central, nodes, addons, machines, ledger] = await Promise.all(['ListClusters', 'ListEdgeNodePools', 'ListNodePools', 'ListEdgeNodes', 'ListAddons', 'ListMachines', 'ListLedger'].map(action => all(region, action)))
  return {
    now: String((await result(region, 'GetClock'))['Now']), clusters: clusters ?? [], pools: pools ?? [], central: central ?? [], nodes: nodes ?? [], addons: addons ?? [], machines: machines ?? [],
    ledger: (ledger ?? []) as unknown as LedgerItem[], news: await newsSince(region, after),
  }
}

export async function all(region: Callable, action: string, body: object = {}): Promise<Item[]> {
  const items: Item[] = []
  for (let number = 1; ; number++) {
    const { Items = [], TotalCount } = await result(region, action, { ...body, PageNumber: number, PageSize: PAGE })
    items.push(...Items)
    if (Items.length < PAGE) {
      if (TotalCount !== items.length) throw new Error(`${action} gave ${items.length} items and says that there are ${TotalCount}`)
      return items
    }
  }
}

async function newsSince(region: Callable, after: number): Promise<readonly Change[]> {
  const news: Change[] = []
  for (let number = 1; ; number++) {
    const { Items = [] } = await result(region, 'ListStatusHistory', { PageNumber: number, PageSize: PAGE })
    const fresh = (Items as unknown as Change[]).filter(change => change.Position > after)
    news.push(...fresh)
    if (fresh.length < PAGE) return news.reverse()
  }
}

export async function result(region: Callable, action: string, body: object = {}): Promise<Answer['result']> {
  const answer = await region.call(action, body)
  if (answer.status !== 200) throw new Error(`${action} in ${REGION} answered ${answer.status} ${answer.code}: ${answer.message}`)
  return answer.result
}

export function pairOf(status: Pair | null | undefined): string {
  return status ? `${status.Phase}/${status.Conditions.map(condition => condition.Type).join('+')}` : 'gone'
}

export function shownBy(item: Item): string {
  return pairOf(item['Status'] as Pair | undefined)
}

export function idOf(item: Item): string {
  return typeof item['Id'] === 'string' ? item['Id'] : `${String(item['ClusterId'])}:${String(item['Name'])}`
}
