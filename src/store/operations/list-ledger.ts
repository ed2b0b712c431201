import type { LedgerEntry, Listing, Page, Scope, Store } from '#ports/store.ts'
import { Conditions } from '../conditions.ts'
import type { Queryable } from '../connection/database.ts'
import { LEDGER_COLUMNS, ledgerEntryOf } from '../records/ledger-row.ts'
import { listPage } from './list-page.ts'

/** Without states: all but what was released (own-actions.md, ListLedger). In order of id, which is that of creation: `since` moves with the state, and pages would shift under a reader. */
export function listLedger(connection: Queryable, scope: Scope, filter: Parameters<Store['listLedger']>[1], page: Page): Promise<Listing<LedgerEntry>> {
  const conditions = Conditions.inScope(scope)
    .oneOf('cluster_id', filter.clusterIds)
    .oneOf('kind', filter.kinds)
    .oneOf('owner_id', filter.ownerIds)
    .oneOf('state', filter.states)
  if (filter.since !== undefined) conditions.where('since >= ?', Math.floor(filter.since))
  if (!filter.states || filter.states.length === 0) conditions.plain(`state <> 'Released'`)
  return listPage(connection, 'ledger', LEDGER_COLUMNS, conditions, page, ledgerEntryOf, { order: ['id'] })
}
