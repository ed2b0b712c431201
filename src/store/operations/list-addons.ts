import type { AddonRecord } from '#model/addon/record.ts'
import type { Listing, Page, Scope } from '#ports/store.ts'
import type { AddonFilter } from '#ports/store-filters.ts'
import { Conditions } from '../conditions.ts'
import type { Queryable } from '../connection/database.ts'
import { ADDON_COLUMNS, addonOf } from '../records/rows.ts'
import type { Seen } from '../shared-reads.ts'
import { seePage } from './list-page.ts'

export function listAddons(connection: Queryable, scope: Scope, filter: AddonFilter, page: Page): Promise<Seen<Listing<AddonRecord>>> {
  const conditions = Conditions.inScope(scope)
    .oneOf('cluster_id', filter.clusterIds)
    .oneOf('name', filter.names)
    .oneOf('deploy_mode', filter.deployModes)
    .oneOf('deploy_node_type', filter.deployNodeTypes)
    .equal('create_client_token', filter.createClientToken)
    .equal('update_client_token', filter.updateClientToken)
    .statuses(filter.statuses)
  return seePage(connection, 'addon', ADDON_COLUMNS, conditions, page, addonOf)
}
