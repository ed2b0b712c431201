import type { ClusterRecord } from '#model/cluster/record.ts'
import type { NodePoolRecord } from '#model/node-pool/record.ts'
import type { NodeRecord } from '#model/node/record.ts'
import type { HistoryRow } from '#model/settle.ts'
import type { Queryable } from '../connection/database.ts'
import { clusterRow, historyRow, nodePoolRow, nodeRow } from '../records/rows.ts'
import type { Tracked, UnitOfWork } from '../unit-of-work.ts'

const BASE = ['revision', 'updated_at', 'update_client_token', 'name', 'phase', 'conditions', 'spec', 'facts', 'said']
/** Columns that a change may move. */
const MOVED = {
  cluster: [...BASE, 'delete_protection', 'pod_network_mode', 'profile', 'tags', 'address', 'counts'],
  node_pool: [...BASE, 'type', 'counts'],
  node: [...BASE, 'address', 'machine_id'],
}

/** Writes what a unit of work did: parents are inserted before children and deleted after them. One statement a table and kind of write, however many rows. */
export async function writeRecords(connection: Queryable, work: UnitOfWork, history: readonly HistoryRow[]): Promise<void> {
  await writeTable(connection, 'cluster', work.clusters, clusterRow)
  await writeTable(connection, 'node_pool', work.nodePools, nodePoolRow)
  await writeTable(connection, 'node', work.nodes, nodeRow)
  await deleteGone(connection, 'node', work.nodes)
  const poolIds = await deleteGone(connection, 'node_pool', work.nodePools)
  const clusterIds = await deleteGone(connection, 'cluster', work.clusters)
  if (poolIds.length + clusterIds.length > 0) await endWithParents(connection, work.now, poolIds, clusterIds)
  await insertHistory(connection, work, history)
}

async function writeTable<Record extends ClusterRecord | NodePoolRecord | NodeRecord>(
  connection: Queryable, table: keyof typeof MOVED, tracked: Map<string, Tracked<Record>>, rowOf: (record: Record) => object,
): Promise<void> {
  const changed = [...tracked.values()].filter(one => one.changed && !one.gone)
  const inserted = changed.filter(one => !one.before).map(one => rowOf(one.now))
  const updated = changed.filter(one => one.before).map(one => rowOf(one.now))
  if (inserted.length > 0) await connection.query(`insert into ${table} select * from json_populate_recordset(null::${table}, $1::json)`, [JSON.stringify(inserted)])
  if (updated.length === 0) return
  await connection.query(
    `update ${table} t set ${MOVED[table].map(column => `${column} = r.${column}`).join(', ')} from json_populate_recordset(null::${table}, $1::json) r where t.id = r.id`,
    [JSON.stringify(updated)],
  )
}

/** A ClientToken is free again once its resource is gone (design 6). */
async function deleteGone(connection: Queryable, table: keyof typeof MOVED, tracked: Map<string, Tracked<ClusterRecord | NodePoolRecord | NodeRecord>> | ReadonlyMap<string, Tracked<never>>): Promise<string[]> {
  const ids = [...(tracked as Map<string, Tracked<NodeRecord>>).values()].filter(one => one.gone && one.before).map(one => one.now.id)
  if (ids.length === 0) return ids
  await connection.query(`delete from ${table} where id = any($1::text[])`, [ids])
  await connection.query('delete from client_token where resource_id = any($1::text[])', [ids])
  return ids
}

/** Scripts and kubeconfigs end with what they lead to; a script's row stays, so that who still runs it is told since when. */
async function endWithParents(connection: Queryable, now: number, poolIds: readonly string[], clusterIds: readonly string[]): Promise<void> {
  await connection.query('update onboarding set deleted_at = $3 where deleted_at is null and (node_pool_id = any($1::text[]) or cluster_id = any($2::text[]))', [poolIds, clusterIds, Math.floor(now)])
  await connection.query('delete from kubeconfig where cluster_id = any($1::text[])', [clusterIds])
}

const HISTORY_COLUMNS = 'at, account_id, region, kind, id, name, cluster_id, phase, conditions, rule, because, evidence, caused_by, operation'

async function insertHistory(connection: Queryable, work: UnitOfWork, history: readonly HistoryRow[]): Promise<void> {
  if (history.length === 0) return
  const rows = history.map(row => {
    const { id } = row.resource
    const owner = (work.clusters.get(id) ?? work.nodePools.get(id) ?? work.nodes.get(id))?.now
    if (!owner) throw new Error(`E-HISTORY: ${id} is in the history and not in the transaction`)
    return historyRow(row, owner)
  })
  await connection.query(`insert into status_change (${HISTORY_COLUMNS}) select ${HISTORY_COLUMNS} from json_populate_recordset(null::status_change, $1::json)`, [JSON.stringify(rows)])
}
