import type { KeyObject } from 'node:crypto'

import type { Queryable, TransactionConnection } from '../connection/database.ts'
import { asIds, isAmong } from '../connection/statements.ts'
import { seal, unseal } from '../encryption/seal.ts'

function place(name: string): string {
  return `secret/${name}`
}

/** By their names, in the order of which they are locked. Sent, not waited for. */
export function putSecrets(connection: TransactionConnection, key: KeyObject, values: ReadonlyMap<string, string>): void {
  if (values.size === 0) return
  const sorted = [...values].sort(([one], [other]) => (one < other ? -1 : 1))
  connection.send(
    'insert into secret (name, sealed) select * from unnest($1::text[], $2::bytea[]) on conflict (name) do update set sealed = excluded.sealed',
    [sorted.map(([name]) => name), sorted.map(([name, value]) => `\\x${seal(key, place(name), value).toString('hex')}`)],
  )
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
