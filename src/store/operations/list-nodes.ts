import type { NodeRecord } from '#model/node/record.ts'
import type { Listing, Page, Scope } from '#ports/store.ts'
import type { NodeFilter } from '#ports/store-filters.ts'
import { Conditions } from '../conditions.ts'
import type { Queryable } from '../connection/database.ts'
import { NODE_COLUMNS, nodeOf } from '../records/rows.ts'
import type { Seen } from '../shared-reads.ts'
import { seePage } from './list-page.ts'
import { NODE_TALLY } from './tally-nodes.ts'

/** Names and statuses are looked for beside the nodes, all else in their own rows. */
export function listNodes(connection: Queryable, scope: Scope, filter: NodeFilter, page: Page): Promise<Seen<Listing<NodeRecord>>> {
  const see = (conditions: Conditions, more: Parameters<typeof seePage>[6]) => seePage(connection, 'node', NODE_COLUMNS, conditions, page, nodeOf, more)
  const ofRows = Conditions.inScope(scope)
    .oneOf('id', filter.ids)
    .oneOf('cluster_id', filter.clusterIds)
    .oneOf('node_pool_id', filter.nodePoolIds)
    .oneOf('address', filter.ips)
    .oneOf('instance_id', filter.instanceIds)
    .equal('create_client_token', filter.createClientToken)
  if (ofRows.text === Conditions.inScope(scope).text) {
    const isNamed = ofRows.contains('name', filter.name).text !== Conditions.inScope(scope).text // only what nodes show is tallied
    return see(ofRows.statuses(filter.statuses), { foundIn: 'node_status', ...!isNamed && { tally: NODE_TALLY } })
  }
  ofRows.contains('name', filter.name)
  const ofStatuses = ofRows.continued().statuses(filter.statuses)
  if (ofStatuses.text === '') return see(ofRows, {})
  // First the rows, by whatever index they have, then what each of them shows: how few they are PostgreSQL does not know beforehand.
  return see(ofStatuses, { foundIn: `(select id from node where ${ofRows.text} offset 0) among join node_status using (id)` })
}
