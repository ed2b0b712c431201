import type { ClusterRecord } from '#model/cluster/record.ts'
import type { AddonRecord } from '#model/addon/record.ts'
import type { NodePoolRecord } from '#model/node-pool/record.ts'
import type { NodeRecord } from '#model/node/record.ts'
import type { Queryable } from '../connection/database.ts'
import { asIds, isAmong } from '../connection/statements.ts'
import type { TreeIds } from '../tree-transaction.ts'
import { clusterNamed } from './find-records.ts'
import type { Known } from '../records/known-records.ts'
import { ADDON_COLUMNS, addonOf, CLUSTER_COLUMNS, clusterOf, NODE_COLUMNS, NODE_POOL_COLUMNS, nodeOf, nodePoolOf } from '../records/rows.ts'
import { readKnown } from './read-known.ts'

/**
 * The lock of a cluster's row stands for its whole tree: whoever writes a pool or node takes it first, since their statuses and counters end in it. So there is
 * one order of locks (cluster, then what is below), and what is read after it, in a later statement, cannot change under the reader.
 */
export async function lockCluster(connection: Queryable, known: Known, id: string): Promise<ClusterRecord | undefined> {
  const [cluster] = await readKnown(connection, clustersIn(known), 'where id = $1 for no key update', [id], [id])
  return cluster
}

/** Locks the clusters of these pools or nodes, in the order of their ids. */
export function lockClustersOf(connection: Queryable, known: Known, table: 'node_pool' | 'node' | 'addon', ids: readonly string[]): Promise<readonly ClusterRecord[]> {
  return readKnown(connection, clustersIn(known), `where id in (select cluster_id from ${table} where id = any($1::text[])) order by id for no key update`, [ids])
}

/** As lockClustersOf, with these clusters themselves. */
export function lockClusters(connection: Queryable, known: Known, { clusters, nodePools, nodes, addons }: TreeIds): Promise<readonly ClusterRecord[]> {
  return readKnown(
    connection, clustersIn(known),
    `where id in (
       select unnest($1::text[]) union select cluster_id from node_pool where id = any($2::text[]) union select cluster_id from node where id = any($3::text[])
       union select cluster_id from addon where id = any($4::text[])
     ) order by id for no key update`,
    [clusters, nodePools, nodes, addons],
  )
}

export function readNodePools(connection: Queryable, known: Known, where: 'id' | 'cluster_id', ids: readonly string[]): Promise<readonly NodePoolRecord[]> {
  return readKnown(connection, { table: 'node_pool', columns: NODE_POOL_COLUMNS, of: nodePoolOf, known: known.nodePools }, `where ${isAmong(where, '$1')} order by created_at, id`, [asIds(ids)], ids)
}

export function readNodes(connection: Queryable, known: Known, where: 'id' | 'cluster_id' | 'node_pool_id', ids: readonly string[]): Promise<readonly NodeRecord[]> {
  return readKnown(connection, { table: 'node', columns: NODE_COLUMNS, of: nodeOf, known: known.nodes }, `where ${isAmong(where, '$1')} order by created_at, id`, [asIds(ids)], ids)
}

export function readAddons(connection: Queryable, known: Known, where: 'id' | 'cluster_id', ids: readonly string[]): Promise<readonly AddonRecord[]> {
  return readKnown(connection, { table: 'addon', columns: ADDON_COLUMNS, of: addonOf, known: known.addons }, `where ${isAmong(where, '$1')} order by created_at, id`, [asIds(ids)], ids)
}

export function clustersById(connection: Queryable, known: Known, ids: readonly string[]): Promise<readonly ClusterRecord[]> {
  return readKnown(connection, clustersIn(known), `where ${isAmong('id', '$1')}`, [asIds(ids)], ids)
}

function clustersIn({ clusters }: Known) {
  return { table: 'cluster', columns: CLUSTER_COLUMNS, of: clusterOf, known: clusters }
}

export async function isNameTaken(connection: Queryable, table: 'cluster' | 'node_pool' | 'node', place: { accountId: string; region: string; clusterId?: string }, name: string): Promise<boolean> {
  if (table === 'cluster') return await clusterNamed(connection, place, name) !== undefined
  return (await connection.query(`select 1 from ${table} where cluster_id = $1 and name = $2`, [place.clusterId, name])).length > 0
}
