import type { ClusterRecord } from '#model/cluster/record.ts'
import type { Listing, Page, Scope } from '#ports/store.ts'
import type { ClusterFilter } from '#ports/store-filters.ts'
import { Conditions } from '../conditions.ts'
import type { Queryable } from '../connection/database.ts'
import { CLUSTER_COLUMNS, clusterOf } from '../records/rows.ts'
import type { Seen } from '../shared-reads.ts'
import { seePage } from './list-page.ts'

export function listClusters(connection: Queryable, scope: Scope, filter: ClusterFilter, page: Page): Promise<Seen<Listing<ClusterRecord>>> {
  const conditions = Conditions.inScope(scope)
    .oneOf('id', filter.ids)
    .contains('name', filter.name)
    .equal('delete_protection', filter.deleteProtectionEnabled)
    .equal('pod_network_mode', filter.podNetworkMode)
    .oneOf('profile', filter.profiles)
    .equal('create_client_token', filter.createClientToken)
    .equal('update_client_token', filter.updateClientToken)
    .statuses(filter.statuses)
  for (const { key, value } of filter.tags ?? []) conditions.where('tags @> ?::jsonb', JSON.stringify([value === undefined ? { key } : { key, value }]))
  return seePage(connection, 'cluster', CLUSTER_COLUMNS, conditions, page, clusterOf)
}
