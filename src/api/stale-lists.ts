import { instantOfId } from '#model/ids.ts'
import type { Listing, Page, Store } from '#ports/store.ts'
import { storeWith } from '#ports/store-with.ts'

/** The lists of what is made in a region. The others show what nobody makes there, or what no replica has: those cannot be stale. */
export const STALE_LISTS: readonly string[] = [
  'ListClusters', 'ListEdgeNodePools', 'ListNodePools', 'ListEdgeNodes', 'ListNodes', 'ListAddons', 'ListBatchEdgeMachine', 'ListKubeconfigs', 'ListMachines', 'ListLedger', 'ListStatusHistory',
]

/** The store as it looks to lists that have not heard of what was made after `until` (the region's time, epoch ms): a read replica that lags behind the creates. */
export function staleStore(store: Store, until: number): Store {
  const wasMade = ({ createdAt }: { readonly createdAt: number }) => createdAt <= until
  const stale: Partial<Store> = {
    listClusters: (scope, filter, page) => beginning(at => store.listClusters(scope, filter, at), page, wasMade),
    listNodePools: (scope, filter, page) => beginning(at => store.listNodePools(scope, filter, at), page, wasMade),
    listNodes: (scope, filter, page) => beginning(at => store.listNodes(scope, filter, at), page, wasMade),
    listAddons: (scope, filter, page) => beginning(at => store.listAddons(scope, filter, at), page, wasMade),
    listOnboardings: (scope, filter, page) => beginning(at => store.listOnboardings(scope, filter, at), page, wasMade),
    listKubeconfigs: (scope, filter, page) => beginning(at => store.listKubeconfigs(scope, filter, at), page, wasMade),
    listMachines: (scope, filter, page) => beginning(at => store.listMachines(scope, filter, at), page, wasMade),
    nodesOfMachine: async (region, machineId) => (await store.nodesOfMachine(region, machineId)).filter(wasMade),
    // An entry's own time moves with its state; when it was made is told by its id.
    listLedger: (scope, filter, page) => beginning(at => store.listLedger(scope, filter, at), page, ({ id }) => instantOfId(id) <= until),
    listHistory: (scope, filter, page) => store.listHistory(scope, { ...filter, to: Math.min(filter.to ?? until, until), ...filter.at !== undefined && { at: Math.min(filter.at, until) } }, page),
  }
  return storeWith(store, () => stale)
}

/** One page of the items that were there. Lists are in the order of creation, so these are what a list begins with, and where they end is found by halving. */
async function beginning<Item>(list: (page: Page) => Promise<Listing<Item>>, page: Page, wasThere: (item: Item) => boolean): Promise<Listing<Item>> {
  const { items, totalCount } = await list(page)
  const there = items.filter(wasThere), before = (page.number - 1) * page.size
  // At least and at most so many were there, by what this page shows.
  let least = there.length === 0 ? 0 : before + there.length, most = there.length < items.length ? before + there.length : totalCount
  while (least < most) {
    const middle = Math.floor((least + most) / 2)
    const { items: [one] } = await list({ number: middle + 1, size: 1 })
    if (one !== undefined && wasThere(one)) least = middle + 1
    else most = middle
  }
  return { items: there, totalCount: least }
}
