import type { Listing, Page } from '#ports/store.ts'
import { pageOf, type Conditions } from '../conditions.ts'
import type { Queryable } from '../connection/database.ts'

/** Lists one page of a table, oldest first unless told otherwise, with the exact count of all that match. */
export async function listPage<Row, Item>(
  connection: Queryable, table: string, columns: string, conditions: Conditions, page: Page, itemOf: (row: Row) => Item, order: readonly string[] = ['created_at', 'id'], key = 'id',
): Promise<Listing<Item>> {
  const { text, values } = pageOf(table, key, columns, conditions, order, page)
  const rows = await connection.query<{ total_count: number; id: string | null } & Row>(text, values)
  return { items: rows.filter(row => row.id !== null).map(itemOf), totalCount: rows[0]?.total_count ?? 0 }
}
