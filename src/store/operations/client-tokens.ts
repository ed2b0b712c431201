import type { Scope } from '#ports/store.ts'
import type { Queryable, TransactionConnection } from '../connection/database.ts'
import { sentRows } from '../connection/sent-rows.ts'
import { COLUMNS_OF } from '../records/columns.ts'
import { lockName } from './lock-name.ts'

export type ClaimedToken = { kind: 'fresh' } | { kind: 'repeat'; result: unknown } | { kind: 'mismatch' }

/** Two calls with one token at once: the second waits here until the first has committed or failed. A token that was claimed and never bound is fresh. */
export async function claimClientToken(connection: Queryable, scope: Scope, action: string, token: string, requestHash: string): Promise<ClaimedToken> {
  const place = [scope.accountId, scope.region, action, token]
  // Sent together: the second statement begins, and sees, after the first has its lock.
  const [, [found]] = await Promise.all([
    lockName(connection, `token/${place.join('/')}`),
    connection.query<{ request_hash: string; result: unknown }>(
      'select request_hash, result from client_token where account_id = $1 and region = $2 and action = $3 and token = $4 and resource_id is not null', place,
    ),
  ])
  if (!found) return { kind: 'fresh' }
  return found.request_hash === requestHash ? { kind: 'repeat', result: found.result } : { kind: 'mismatch' }
}

/** A token that a transaction claimed, with the resource whose end frees it and what a repeat is answered. */
export interface BoundToken extends Scope { readonly action: string; readonly token: string; readonly requestHash: string; readonly resourceId: string; readonly result: unknown }

/** Sent, not waited for. */
export function bindClientTokens(connection: TransactionConnection, tokens: readonly BoundToken[]): void {
  if (tokens.length === 0) return
  const rows = tokens.map(({ accountId, region, action, token, requestHash, resourceId, result }) => ({ account_id: accountId, region, action, token, request_hash: requestHash, resource_id: resourceId, result }))
  const { into, values } = sentRows(COLUMNS_OF.client_token, rows)
  connection.send(
    `${into('client_token')}
     on conflict (account_id, region, action, token) do update set request_hash = excluded.request_hash, resource_id = excluded.resource_id, result = excluded.result`,
    values,
  )
}

/** Frees the tokens of resources that are gone. */
export async function freeClientTokens(connection: Queryable, resourceId: string): Promise<void> {
  await connection.query('delete from client_token where resource_id = $1', [resourceId])
}
