import type { OnboardingRecord } from '#model/onboarding/record.ts'
import { baseOf, type BaseRow } from './rows.ts'

export interface OnboardingRow extends BaseRow {
  readonly cluster_id: string
  readonly node_pool_id: string
  readonly name: string
  readonly expires_at: number
  readonly expiration_date: number | null
  readonly token_hash: string
  readonly deleted_at: number | null
}

export const ONBOARDING_COLUMNS =
  'id, account_id, region, revision, created_at, updated_at, create_client_token, update_client_token, cluster_id, node_pool_id, name, expires_at, expiration_date, token_hash, deleted_at'

export function onboardingOf(row: OnboardingRow): OnboardingRecord {
  return {
    ...baseOf(row), clusterId: row.cluster_id, nodePoolId: row.node_pool_id, name: row.name, expiresAt: row.expires_at, tokenHash: row.token_hash,
    ...(row.expiration_date === null ? {} : { expirationDate: row.expiration_date }),
    ...(row.deleted_at === null ? {} : { deletedAt: row.deleted_at }),
  }
}
