import type { LedgerEntry } from '#ports/store.ts'
import type { Queryable } from '../connection/database.ts'
import { LEDGER_COLUMNS, ledgerEntryOf, ledgerRow, type LedgerRow } from '../records/ledger-row.ts'

/** Adds the entry, or brings the one of that id up to date. */
export async function putLedger(connection: Queryable, entry: LedgerEntry): Promise<void> {
  const moved = LEDGER_COLUMNS.split(', ').filter(column => column !== 'id').map(column => `${column} = excluded.${column}`)
  await connection.query(
    `insert into ledger (${LEDGER_COLUMNS}) select ${LEDGER_COLUMNS} from json_populate_record(null::ledger, $1::json) on conflict (id) do update set ${moved.join(', ')}`,
    [JSON.stringify(ledgerRow(entry))],
  )
}

export async function ledgerOf(connection: Queryable, ownerId: string): Promise<readonly LedgerEntry[]> {
  const rows = await connection.query<LedgerRow>(`select ${LEDGER_COLUMNS} from ledger where owner_id = $1 order by since, id`, [ownerId])
  return rows.map(ledgerEntryOf)
}
