import type { KeyObject } from 'node:crypto'

import type { Queryable, TransactionConnection } from '../connection/database.ts'
import { seal, unseal } from '../encryption/seal.ts'

function place(name: string): string {
  return `secret/${name}`
}

/** Sent, not waited for. */
export function putSecret(connection: TransactionConnection, key: KeyObject, name: string, value: string): void {
  connection.send('insert into secret (name, sealed) values ($1, $2) on conflict (name) do update set sealed = excluded.sealed', [name, seal(key, place(name), value)])
}

export async function readSecret(connection: Queryable, key: KeyObject, name: string): Promise<string | undefined> {
  const [row] = await connection.query<{ sealed: Buffer }>('select sealed from secret where name = $1', [name])
  return row && unseal(key, place(name), row.sealed)
}

export async function deleteSecrets(connection: Queryable, prefix: string): Promise<void> {
  await connection.query('delete from secret where starts_with(name, $1)', [prefix])
}
