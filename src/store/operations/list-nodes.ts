import type { NodeRecord } from '#model/node/record.ts'
import type { Listing, NodeFilter, Page, Scope } from '#ports/store.ts'
import { Conditions } from '../conditions.ts'
import type { Queryable } from '../connection/database.ts'
import { NODE_COLUMNS, nodeOf } from '../records/rows.ts'
import { listPage } from './list-page.ts'

export function listNodes(connection: Queryable, scope: Scope, filter: NodeFilter, page: Page): Promise<Listing<NodeRecord>> {
  const conditions = Conditions.inScope(scope)
    .oneOf('id', filter.ids)
    .oneOf('cluster_id', filter.clusterIds)
    .oneOf('node_pool_id', filter.nodePoolIds)
    .contains('name', filter.name)
    .oneOf('address', filter.ips)
    .equal('create_client_token', filter.createClientToken)
    .statuses(filter.statuses)
  return listPage(connection, 'node', NODE_COLUMNS, conditions, page, nodeOf)
}
