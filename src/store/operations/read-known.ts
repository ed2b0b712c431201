import type { Queryable } from '../connection/database.ts'
import { asIds, isAmong } from '../connection/statements.ts'
import { versionOf, type KnownRecords, type Versioned } from '../records/known-records.ts'

/** A table of records, and what is known of it. */
export interface KnownTable<Row extends { readonly id: string }, Item extends { readonly id: string }> {
  readonly table: string
  readonly columns: string
  readonly of: (row: Row) => Item
  readonly known: KnownRecords<Item>
}

/**
 * The records whose rows meet a condition, in its order, with its locks. Of those that are known the row's version alone is read. `asked`: their ids, or those of what they are below; where most of these are unknown
 * everything is read by one statement. Without a lock those that a second statement reads may be of a later instant than the others, or gone by then.
 */
export async function readKnown<Row extends { readonly id: string }, Item extends { readonly id: string }>(connection: Queryable, table: KnownTable<Row, Item>, rest: string, values: readonly unknown[], asked?: readonly string[]): Promise<readonly Item[]> {
  if (asked && !table.known.hasMostOf(asked)) return (await readWhole(connection, table, rest, values)).map(({ record }) => record)
  const heads = await connection.query<Versioned>(`select id, ${versionOf(table.table)} from ${table.table} ${rest}`, values)
  const found = heads.map(head => ({ id: head.id, record: table.known.get(head) }))
  const others = found.filter(({ record }) => record === undefined).map(({ id }) => id)
  const read = new Map(others.length === 0 ? [] : (await readWhole(connection, table, `where ${isAmong('id', '$1')}`, [asIds(others)])).map(({ id, record }) => [id, record]))
  return found.flatMap(({ id, record }) => record ?? read.get(id) ?? [])
}

async function readWhole<Row extends { readonly id: string }, Item extends { readonly id: string }>(connection: Queryable, { table, columns, of, known }: KnownTable<Row, Item>, rest: string, values: readonly unknown[]): Promise<readonly { readonly id: string; readonly record: Item }[]> {
  const rows = await connection.query<Row & Versioned>(`select ${columns}, ${versionOf(table)} from ${table} ${rest}`, values)
  return rows.map(row => {
    const record = of(row)
    known.keep(row, record)
    return { id: row.id, record }
  })
}
