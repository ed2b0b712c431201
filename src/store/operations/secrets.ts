import type { KeyObject } from 'node:crypto'

import type { Queryable, TransactionConnection } from '../connection/database.ts'
import { asIds, isAmong } from '../connection/statements.ts'
import { seal, unseal } from '../encryption/seal.ts'

function place(name: string): string {
  return `secret/${name}`
}

/** Sent, not waited for. */
export function putSecret(connection: TransactionConnection, key: KeyObject, name: string, value: string): void {
  connection.send('insert into secret (name, sealed) values ($1, $2) on conflict (name) do update set sealed = excluded.sealed', [name, seal(key, place(name), value)])
}

/** Sealed, by their names; those that are not there are left out. */
export async function readSealed(connection: Queryable, names: readonly string[]): Promise<ReadonlyMap<string, Buffer>> {
  const rows = await connection.query<{ name: string; sealed: Buffer }>(`select name, sealed from secret where ${isAmong('name', '$1')}`, [asIds(names)])
  return new Map(rows.map(({ name, sealed }) => [name, sealed]))
}

export function openSecret(key: KeyObject, name: string, sealed: Buffer): string {
  return unseal(key, place(name), sealed)
}

/** All whose names begin with it; found by the index of names, whose order is that of code points. */
export async function deleteSecrets(connection: Queryable, prefix: string): Promise<void> {
  const end = prefix.slice(0, -1) + String.fromCodePoint((prefix.codePointAt(prefix.length - 1) ?? 0) + 1)
  await connection.query('delete from secret where name >= $1 and name < $2', [prefix, end])
}
