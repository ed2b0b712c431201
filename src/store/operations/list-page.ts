import type { Listing, Page } from '#ports/store.ts'
import { pageOf, type Conditions, type Question } from '../conditions.ts'
import type { Queryable } from '../connection/database.ts'
import type { Seen } from '../shared-reads.ts'

/** Lists one page of a table, oldest first unless told otherwise, with the exact count of all that match. */
export async function listPage<Row, Item>(...question: Parameters<typeof seePage<Row, Item>>): Promise<Listing<Item>> {
  return (await seePage(...question)).found
}

/** The same, with the state of the database in which it was so. */
export async function seePage<Row, Item>(
  connection: Queryable, table: string, columns: string, conditions: Conditions, page: Page, itemOf: (row: Row) => Item, more: Partial<Question> = {},
): Promise<Seen<Listing<Item>>> {
  const { text, values } = pageOf({ table, key: 'id', columns, order: ['created_at', 'id'], ...more }, conditions, page)
  const rows = await connection.query<{ total_count: number; state: string; id: string | null } & Row>(text, values)
  return { state: rows[0]?.state ?? '', found: { items: rows.filter(row => row.id !== null).map(itemOf), totalCount: rows[0]?.total_count ?? 0 } }
}
