import type { KeyObject } from 'node:crypto'

import type { OnboardingRecord } from '#model/onboarding/record.ts'
import type { Queryable, TransactionConnection } from '../connection/database.ts'
import { seal, unseal } from '../encryption/seal.ts'
import { ONBOARDING_COLUMNS, onboardingOf, type OnboardingRow } from '../records/onboarding-row.ts'
import { freeClientTokens } from './client-tokens.ts'

function place(id: string): string {
  return `onboarding/${id}`
}

/** Deleted ones too: their `deletedAt` is what a machine that still runs the script is told. */
export async function findOnboarding(connection: Queryable, column: 'id' | 'token_hash', value: string): Promise<OnboardingRecord | undefined> {
  const [row] = await connection.query<OnboardingRow>(`select ${ONBOARDING_COLUMNS} from onboarding where ${column} = $1`, [value])
  return row && onboardingOf(row)
}

/** The token itself, as it stands in the script; undefined once the onboarding was deleted. */
export async function onboardingToken(connection: Queryable, key: KeyObject, id: string): Promise<string | undefined> {
  const [row] = await connection.query<{ sealed_token: Buffer }>('select sealed_token from onboarding where id = $1 and deleted_at is null', [id])
  return row && unseal(key, place(id), row.sealed_token)
}

export function insertOnboarding(connection: TransactionConnection, key: KeyObject, record: OnboardingRecord, token: string): void {
  connection.send(
    `insert into onboarding (${ONBOARDING_COLUMNS}, sealed_token) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
    [
      record.id, record.accountId, record.region, record.revision, record.createdAt, record.updatedAt, record.createClientToken ?? null, record.updateClientToken ?? null,
      record.clusterId, record.nodePoolId, record.name, record.expiresAt, record.expirationDate ?? null, record.tokenHash, record.deletedAt ?? null, seal(key, place(record.id), token),
    ],
  )
}

export async function changeOnboarding(connection: Queryable, now: number, id: string, change: { expiresAt?: number; expirationDate?: number; updateClientToken?: string }): Promise<void> {
  await connection.query(
    `update onboarding set expires_at = coalesce($2, expires_at), expiration_date = coalesce($3, expiration_date), update_client_token = coalesce($4, update_client_token),
       revision = revision + 1, updated_at = $5 where id = $1`,
    [id, change.expiresAt ?? null, change.expirationDate ?? null, change.updateClientToken ?? null, Math.floor(now)],
  )
}

export async function forgetOnboarding(connection: Queryable, id: string, deletedAt: number): Promise<void> {
  await connection.query('update onboarding set deleted_at = $2 where id = $1 and deleted_at is null', [id, Math.floor(deletedAt)])
  await freeClientTokens(connection, id)
}
