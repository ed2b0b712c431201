import type { Scope } from '#ports/store.ts'
import type { Queryable, TransactionConnection } from '../connection/database.ts'

export type ClaimedToken = { kind: 'fresh' } | { kind: 'repeat'; result: unknown } | { kind: 'mismatch' }

/** Two calls with one token at once: the second waits here until the first has committed or failed. A token that was claimed and never bound is fresh. */
export async function claimClientToken(connection: Queryable, scope: Scope, action: string, token: string, requestHash: string): Promise<ClaimedToken> {
  const place = [scope.accountId, scope.region, action, token]
  const claimed = await connection.query(
    'insert into client_token (account_id, region, action, token, request_hash) values ($1, $2, $3, $4, $5) on conflict do nothing returning 1',
    [...place, requestHash],
  )
  if (claimed.length > 0) return { kind: 'fresh' }
  const [found] = await connection.query<{ request_hash: string; resource_id: string | null; result: unknown }>(
    'select request_hash, resource_id, result from client_token where account_id = $1 and region = $2 and action = $3 and token = $4 for update',
    place,
  )
  // Freed between the two statements: its resource went just now.
  if (!found) return claimClientToken(connection, scope, action, token, requestHash)
  if (found.resource_id === null) {
    await connection.query('update client_token set request_hash = $5 where account_id = $1 and region = $2 and action = $3 and token = $4', [...place, requestHash])
    return { kind: 'fresh' }
  }
  return found.request_hash === requestHash ? { kind: 'repeat', result: found.result } : { kind: 'mismatch' }
}

export function bindClientToken(connection: TransactionConnection, scope: Scope, action: string, token: string, resourceId: string, result: unknown): void {
  connection.send(
    'update client_token set resource_id = $5, result = $6 where account_id = $1 and region = $2 and action = $3 and token = $4',
    [scope.accountId, scope.region, action, token, resourceId, JSON.stringify(result ?? null)],
  )
}

/** Frees the tokens of resources that are gone. */
export async function freeClientTokens(connection: Queryable, resourceId: string): Promise<void> {
  await connection.query('delete from client_token where resource_id = $1', [resourceId])
}
