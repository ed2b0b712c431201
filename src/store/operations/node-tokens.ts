import type { NodeToken } from '#ports/store.ts'
import type { Queryable } from '../connection/database.ts'

export async function putNodeToken(connection: Queryable, token: NodeToken): Promise<void> {
  await connection.query(
    'insert into node_token (token_hash, node_id, machine_id) values ($1, $2, $3) on conflict (token_hash) do update set node_id = excluded.node_id, machine_id = excluded.machine_id',
    [token.tokenHash, token.nodeId, token.machineId],
  )
}

export async function findNodeToken(connection: Queryable, tokenHash: string): Promise<NodeToken | undefined> {
  const [row] = await connection.query<{ token_hash: string; node_id: string; machine_id: string }>('select token_hash, node_id, machine_id from node_token where token_hash = $1', [tokenHash])
  return row && { tokenHash: row.token_hash, nodeId: row.node_id, machineId: row.machine_id }
}
