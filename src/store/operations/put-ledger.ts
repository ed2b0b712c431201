import { priceOf } from '#model/account/prices.ts'
import type { LedgerEntry } from '#ports/store.ts'
import type { Queryable } from '../connection/database.ts'
import { LEDGER_COLUMNS, ledgerEntryOf, ledgerRow, type LedgerRow } from '../records/ledger-row.ts'

/** Adds the entry, or brings the one of that id up to date; what it cost until now is added up. True where it costs, or did. */
export async function putLedger(connection: Queryable, entry: LedgerEntry, now: number): Promise<boolean> {
  const moved = LEDGER_COLUMNS.split(', ').filter(column => column !== 'id').map(column => `${column} = excluded.${column}`)
  const price = priceOf({ kind: entry.kind, state: entry.state, ...(entry.power && { power: entry.power }) })
  const [row] = await connection.query<{ costs: boolean }>(
    `insert into ledger as l (${LEDGER_COLUMNS}, price, priced_at) select ${LEDGER_COLUMNS}, $2::bigint, $3::bigint from json_populate_record(null::ledger, $1::json)
     on conflict (id) do update set ${moved.join(', ')}, spent = l.spent + l.price::numeric * greatest(0, excluded.priced_at - l.priced_at), price = excluded.price, priced_at = excluded.priced_at
     returning price > 0 or spent > 0 as costs`,
    [JSON.stringify(ledgerRow(entry)), price, Math.floor(now)],
  )
  return row?.costs === true
}

/** Rows of intents, which cost nothing yet, under ids that are new. */
export async function insertIntents(connection: Queryable, entries: readonly (LedgerEntry & { readonly state: 'Intended' })[], now: number): Promise<void> {
  await connection.query(
    `insert into ledger (${LEDGER_COLUMNS}, price, priced_at) select ${LEDGER_COLUMNS}, 0, $2::bigint from json_populate_recordset(null::ledger, $1::json)`, [JSON.stringify(entries.map(ledgerRow)), Math.floor(now)],
  )
}

export async function ledgerOf(connection: Queryable, ownerId: string): Promise<readonly LedgerEntry[]> {
  const rows = await connection.query<LedgerRow>(`select ${LEDGER_COLUMNS} from ledger where owner_id = $1 order by since, id`, [ownerId])
  return rows.map(ledgerEntryOf)
}
