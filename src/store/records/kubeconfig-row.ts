import type { KeyObject } from 'node:crypto'

import type { KubeconfigRecord } from '#model/kubeconfig/record.ts'
import { unseal } from '../encryption/seal.ts'

export interface KubeconfigRow {
  readonly id: string
  readonly account_id: string
  readonly region: string
  readonly cluster_id: string
  readonly type: 'Public' | 'Private'
  readonly user_id: number
  readonly role_id: number
  readonly created_at: number
  readonly expires_at: number
  readonly sealed_text: Buffer | null
  readonly deletion_requested_at: number | null
}

export const KUBECONFIG_COLUMNS = 'id, account_id, region, cluster_id, type, user_id, role_id, created_at, expires_at, sealed_text, deletion_requested_at'

/** Where a kubeconfig's text is sealed: it holds a client key. */
export function kubeconfigPlace(id: string): string {
  return `kubeconfig/${id}`
}

export function kubeconfigOf(row: KubeconfigRow, key: KeyObject): KubeconfigRecord {
  return {
    id: row.id, accountId: row.account_id, region: row.region, clusterId: row.cluster_id, type: row.type, userId: row.user_id, roleId: row.role_id,
    createdAt: row.created_at, expiresAt: row.expires_at,
    ...(row.sealed_text === null ? {} : { text: unseal(key, kubeconfigPlace(row.id), row.sealed_text) }),
    ...(row.deletion_requested_at === null ? {} : { deletionRequestedAt: row.deletion_requested_at }),
  }
}
