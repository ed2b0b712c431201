import { hash } from 'node:crypto'

import type { ClusterRecord } from '#model/cluster/record.ts'
import type { Scope } from '#ports/store.ts'
import type { Queryable } from '../connection/database.ts'
import { CLUSTER_COLUMNS, clusterOf, type ClusterRow } from '../records/rows.ts'

/** Between a refused claim and the look at who is in the way, that cluster may go: then the ranges are claimed again. */
const TRIES = 5

/**
 * Claims ranges in the VPC of account and region for a cluster, until it is forgotten; answers the clusters that have overlapping ones, none if the claim stands. A call
 * that claims an overlapping range at the same moment is waited for.
 */
export async function claimRanges(connection: Queryable, scope: Scope, clusterId: string, cidrs: readonly string[]): Promise<readonly ClusterRecord[]> {
  const spans = cidrs.map(cidr => spanOf(scope, cidr))
  for (let tries = 0; tries < TRIES; tries++) {
    const claimed = await connection.query('insert into cluster_range (span, cluster_id) select unnest($1::inet[]), $2 on conflict do nothing returning 1', [spans, clusterId])
    if (claimed.length === spans.length) return []
    const rows = await connection.query<ClusterRow>(
      `select ${CLUSTER_COLUMNS} from cluster where id in (select cluster_id from cluster_range where cluster_id <> $2 and span && any($1::inet[])) order by created_at, id`,
      [spans, clusterId],
    )
    // Some of them may have been free.
    await connection.query('delete from cluster_range where cluster_id = $1', [clusterId])
    if (rows.length > 0) return rows.map(clusterOf)
  }
  throw new Error(`E-RANGES: the ranges ${cidrs.join(' and ')} are in the way of each other`)
}

/** As the migration that made the table says. */
function spanOf({ accountId, region }: Scope, cidr: string): string {
  const [address = '', prefix = ''] = cidr.split('/')
  return `${hash('sha256', `${accountId}\n${region}`, 'hex').slice(0, 24).replaceAll(/.{4}/g, '$&:')}${address}/${96 + Number(prefix)}`
}
