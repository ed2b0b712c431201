import type { NodePoolRecord } from '#model/node-pool/record.ts'
import type { Listing, Page, Scope } from '#ports/store.ts'
import type { NodePoolFilter } from '#ports/store-filters.ts'
import { Conditions } from '../conditions.ts'
import type { Queryable } from '../connection/database.ts'
import { NODE_POOL_COLUMNS, nodePoolOf } from '../records/rows.ts'
import type { Seen } from '../shared-reads.ts'
import { seePage } from './list-page.ts'

export function listNodePools(connection: Queryable, scope: Scope, filter: NodePoolFilter, page: Page): Promise<Seen<Listing<NodePoolRecord>>> {
  const conditions = Conditions.inScope(scope)
    .oneOf('id', filter.ids)
    .oneOf('cluster_id', filter.clusterIds)
    .contains('name', filter.name)
    .oneOf('type', filter.types)
    .equal('create_client_token', filter.createClientToken)
    .equal('update_client_token', filter.updateClientToken)
    .equal('auto_scaling', filter.autoScalingEnabled)
    .statuses(filter.statuses)
  for (const { key, value } of filter.tags ?? []) conditions.where('tags @> ?::jsonb', JSON.stringify([value === undefined ? { key } : { key, value }]))
  if (filter.refused) conditions.plain("facts -> 'refused' is not null")
  return seePage(connection, 'node_pool', NODE_POOL_COLUMNS, conditions, page, nodePoolOf)
}
