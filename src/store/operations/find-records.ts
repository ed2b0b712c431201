import type { ClusterRecord } from '#model/cluster/record.ts'
import type { NodeRecord } from '#model/node/record.ts'
import type { NodePlace, Scope } from '#ports/store.ts'
import type { Queryable } from '../connection/database.ts'
import { asIds, isAmong } from '../connection/statements.ts'
import { CLUSTER_COLUMNS, clusterOf, NODE_COLUMNS, nodeOf, type ClusterRow, type NodeRow } from '../records/rows.ts'

export async function clustersOfRegion(connection: Queryable, region: string): Promise<readonly ClusterRecord[]> {
  const rows = await connection.query<ClusterRow>(`select ${CLUSTER_COLUMNS} from cluster where region = $1 order by created_at, id`, [region])
  return rows.map(clusterOf)
}

export async function clustersOf(connection: Queryable, scope: Scope): Promise<readonly ClusterRecord[]> {
  const rows = await connection.query<ClusterRow>(`select ${CLUSTER_COLUMNS} from cluster where account_id = $1 and region = $2 order by created_at, id`, [scope.accountId, scope.region])
  return rows.map(clusterOf)
}

export async function clusterNamed(connection: Queryable, scope: Scope, name: string): Promise<ClusterRecord | undefined> {
  // By the order of the index of names: another one begins with the account and the region, too, and while PostgreSQL knows of few rows it may read all that these have.
  const [row] = await connection.query<ClusterRow>(
    `select ${CLUSTER_COLUMNS} from (select * from cluster where (account_id, region, name) >= ($1, $2, $3) order by account_id, region, name limit 1) found where account_id = $1 and region = $2 and name = $3`,
    [scope.accountId, scope.region, name],
  )
  return row && clusterOf(row)
}

export async function nodesOfMachines(connection: Queryable, region: string, machineIds: readonly string[]): Promise<readonly NodeRecord[]> {
  const rows = await connection.query<NodeRow>(`select ${NODE_COLUMNS} from node where region = $1 and ${isAmong('machine_id', '$2')} order by created_at, id`, [region, asIds(machineIds)])
  return rows.map(nodeOf)
}

/** Few columns of rows that are mostly JSON. */
export async function nodePlaces(connection: Queryable, where: { readonly ids: readonly string[] } | { readonly clusterIds: readonly string[] } | { readonly region: string; readonly machineIds: readonly string[] }): Promise<readonly NodePlace[]> {
  const [condition, values] = 'ids' in where ? [isAmong('id', '$1'), [asIds(where.ids)]] : 'clusterIds' in where ? [isAmong('cluster_id', '$1'), [asIds(where.clusterIds)]]
    : [`region = $1 and ${isAmong('machine_id', '$2')} order by created_at, id`, [where.region, asIds(where.machineIds)]]
  const rows = await connection.query<{ id: string; cluster_id: string; name: string; machine_id: string; deleting: boolean }>(`select id, cluster_id, name, machine_id, facts -> 'deletion' is not null as deleting from node where ${condition}`, values)
  return rows.map(row => ({ id: row.id, clusterId: row.cluster_id, name: row.name, machineId: row.machine_id, deleting: row.deleting }))
}
