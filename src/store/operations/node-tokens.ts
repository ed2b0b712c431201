import type { NodeToken } from '#ports/store.ts'
import type { Queryable, TransactionConnection } from '../connection/database.ts'
import { asIds, isAmong } from '../connection/statements.ts'

/** Sent, not waited for. */
export function putNodeTokens(connection: TransactionConnection, tokens: readonly NodeToken[]): void {
  connection.send(
    'insert into node_token (token_hash, node_id, machine_id) select * from unnest($1::text[], $2::text[], $3::text[]) on conflict (token_hash) do update set node_id = excluded.node_id, machine_id = excluded.machine_id',
    [tokens.map(token => token.tokenHash), tokens.map(token => token.nodeId), tokens.map(token => token.machineId)],
  )
}

export async function nodeTokensByHash(connection: Queryable, tokenHashes: readonly string[]): Promise<readonly NodeToken[]> {
  const rows = await connection.query<{ token_hash: string; node_id: string; machine_id: string }>(`select token_hash, node_id, machine_id from node_token where ${isAmong('token_hash', '$1')}`, [asIds(tokenHashes)])
  return rows.map(row => ({ tokenHash: row.token_hash, nodeId: row.node_id, machineId: row.machine_id }))
}

export async function findNodeToken(connection: Queryable, tokenHash: string): Promise<NodeToken | undefined> {
  const [token] = await nodeTokensByHash(connection, [tokenHash])
  return token
}
