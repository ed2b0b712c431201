import type { ClusterRecord } from '#model/cluster/record.ts'
import type { AddonRecord } from '#model/addon/record.ts'
import type { NodePoolRecord } from '#model/node-pool/record.ts'
import type { NodeRecord } from '#model/node/record.ts'
import type { Queryable } from '../connection/database.ts'
import { asIds, isAmong } from '../connection/statements.ts'
import type { TreeIds } from '../tree-transaction.ts'
import { clusterNamed } from './find-records.ts'
import { ADDON_COLUMNS, addonOf, type AddonRow, CLUSTER_COLUMNS, clusterOf, NODE_COLUMNS, NODE_POOL_COLUMNS, nodeOf, nodePoolOf, type ClusterRow, type NodePoolRow, type NodeRow } from '../records/rows.ts'

/**
 * The lock of a cluster's row stands for its whole tree: whoever writes a pool or node takes it first, since their statuses and counters end in it. So there is
 * one order of locks (cluster, then what is below), and what is read after it, in a later statement, cannot change under the reader.
 */
export async function lockCluster(connection: Queryable, id: string): Promise<ClusterRecord | undefined> {
  const [row] = await connection.query<ClusterRow>(`select ${CLUSTER_COLUMNS} from cluster where id = $1 for no key update`, [id])
  return row && clusterOf(row)
}

/** Locks the clusters of these pools or nodes, in the order of their ids. */
export async function lockClustersOf(connection: Queryable, table: 'node_pool' | 'node' | 'addon', ids: readonly string[]): Promise<readonly ClusterRecord[]> {
  const rows = await connection.query<ClusterRow>(
    `select ${CLUSTER_COLUMNS} from cluster where id in (select cluster_id from ${table} where id = any($1::text[])) order by id for no key update`,
    [ids],
  )
  return rows.map(clusterOf)
}

/** As lockClustersOf, with these clusters themselves. */
export async function lockClusters(connection: Queryable, { clusters, nodePools, nodes, addons }: TreeIds): Promise<readonly ClusterRecord[]> {
  const rows = await connection.query<ClusterRow>(
    `select ${CLUSTER_COLUMNS} from cluster where id in (
       select unnest($1::text[]) union select cluster_id from node_pool where id = any($2::text[]) union select cluster_id from node where id = any($3::text[])
       union select cluster_id from addon where id = any($4::text[])
     ) order by id for no key update`,
    [clusters, nodePools, nodes, addons],
  )
  return rows.map(clusterOf)
}

export async function readNodePools(connection: Queryable, where: 'id' | 'cluster_id', ids: readonly string[]): Promise<readonly NodePoolRecord[]> {
  const rows = await connection.query<NodePoolRow>(`select ${NODE_POOL_COLUMNS} from node_pool where ${isAmong(where, '$1')} order by created_at, id`, [asIds(ids)])
  return rows.map(nodePoolOf)
}

export async function readNodes(connection: Queryable, where: 'id' | 'cluster_id' | 'node_pool_id', ids: readonly string[]): Promise<readonly NodeRecord[]> {
  const rows = await connection.query<NodeRow>(`select ${NODE_COLUMNS} from node where ${isAmong(where, '$1')} order by created_at, id`, [asIds(ids)])
  return rows.map(nodeOf)
}

export async function readAddons(connection: Queryable, where: 'id' | 'cluster_id', ids: readonly string[]): Promise<readonly AddonRecord[]> {
  const rows = await connection.query<AddonRow>(`select ${ADDON_COLUMNS} from addon where ${isAmong(where, '$1')} order by created_at, id`, [asIds(ids)])
  return rows.map(addonOf)
}

export async function isNameTaken(connection: Queryable, table: 'cluster' | 'node_pool' | 'node', place: { accountId: string; region: string; clusterId?: string }, name: string): Promise<boolean> {
  if (table === 'cluster') return await clusterNamed(connection, place, name) !== undefined
  return (await connection.query(`select 1 from ${table} where cluster_id = $1 and name = $2`, [place.clusterId, name])).length > 0
}
