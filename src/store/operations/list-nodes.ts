import type { NodeRecord } from '#model/node/record.ts'
import type { Listing, NodeFilter, Page, Scope } from '#ports/store.ts'
import { Conditions } from '../conditions.ts'
import type { Queryable } from '../connection/database.ts'
import { NODE_COLUMNS, nodeOf } from '../records/rows.ts'
import type { Seen } from '../shared-reads.ts'
import { seePage } from './list-page.ts'
import { NODE_TALLY } from './tally-nodes.ts'

/** What both have stands in it once. */
const WITH_STATUS = 'node join node_status using (id, account_id, region, created_at)'

export function listNodes(connection: Queryable, scope: Scope, filter: NodeFilter, page: Page): Promise<Seen<Listing<NodeRecord>>> {
  const conditions = Conditions.inScope(scope), scoped = conditions.values.length
  conditions
    .oneOf('id', filter.ids)
    .oneOf('cluster_id', filter.clusterIds)
    .oneOf('node_pool_id', filter.nodePoolIds)
    .contains('name', filter.name)
    .oneOf('address', filter.ips)
    .oneOf('instance_id', filter.instanceIds)
    .equal('create_client_token', filter.createClientToken)
  const asked = conditions.text, isTallied = conditions.values.length === scoped
  const asksForStatuses = conditions.statuses(filter.statuses).text !== asked
  const foundIn = asksForStatuses ? isTallied ? 'node_status' : WITH_STATUS : 'node'
  // Only what nodes show is tallied.
  return seePage(connection, 'node', NODE_COLUMNS, conditions, page, nodeOf, { foundIn, ...isTallied && { tally: NODE_TALLY } })
}
