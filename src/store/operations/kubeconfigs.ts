import type { KeyObject } from 'node:crypto'

import type { KubeconfigRecord } from '#model/kubeconfig/record.ts'
import type { Queryable } from '../connection/database.ts'
import { seal } from '../encryption/seal.ts'
import { KUBECONFIG_COLUMNS, kubeconfigOf, kubeconfigPlace, type KubeconfigRow } from '../records/kubeconfig-row.ts'
import { freeClientTokens } from './client-tokens.ts'

export async function findKubeconfig(connection: Queryable, key: KeyObject, id: string): Promise<KubeconfigRecord | undefined> {
  const [row] = await connection.query<KubeconfigRow>(`select ${KUBECONFIG_COLUMNS} from kubeconfig where id = $1`, [id])
  return row && kubeconfigOf(row, key)
}

/** Those of a cluster, locked; without ids all of them. */
export async function lockKubeconfigs(connection: Queryable, key: KeyObject, clusterId: string, ids: readonly string[] | undefined): Promise<readonly KubeconfigRecord[]> {
  const rows = await connection.query<KubeconfigRow>(
    `select ${KUBECONFIG_COLUMNS} from kubeconfig where cluster_id = $1 and ($2::text[] is null or id = any($2)) order by id for update`,
    [clusterId, ids ?? null],
  )
  return rows.map(row => kubeconfigOf(row, key))
}

export async function insertKubeconfig(connection: Queryable, key: KeyObject, record: KubeconfigRecord): Promise<void> {
  await connection.query(
    `insert into kubeconfig (${KUBECONFIG_COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    [
      record.id, record.accountId, record.region, record.clusterId, record.type, record.userId, record.roleId, record.createdAt, record.expiresAt,
      record.text === undefined ? null : seal(key, kubeconfigPlace(record.id), record.text), record.deletionRequestedAt ?? null,
    ],
  )
}

export async function changeKubeconfig(connection: Queryable, key: KeyObject, id: string, change: { text?: string; deletionRequestedAt?: number }): Promise<void> {
  const sealed = change.text === undefined ? null : seal(key, kubeconfigPlace(id), change.text)
  await connection.query('update kubeconfig set sealed_text = coalesce($2, sealed_text), deletion_requested_at = coalesce($3, deletion_requested_at) where id = $1', [id, sealed, change.deletionRequestedAt ?? null])
}

export async function forgetKubeconfig(connection: Queryable, id: string): Promise<void> {
  await connection.query('delete from kubeconfig where id = $1', [id])
  await freeClientTokens(connection, id)
}
