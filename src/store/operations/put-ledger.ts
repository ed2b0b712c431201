import { priceOf } from '#model/account/prices.ts'
import type { LedgerEntry, Scope } from '#ports/store.ts'
import type { Queryable, TransactionConnection } from '../connection/database.ts'
import { sentRows } from '../connection/sent-rows.ts'
import { asIds, isAmong } from '../connection/statements.ts'
import { COLUMNS_OF } from '../records/columns.ts'
import { LEDGER_COLUMNS, ledgerEntryOf, ledgerRow, type LedgerRow } from '../records/ledger-row.ts'
import { tallying } from './tally-costs.ts'

/** Adds the entries, under ids that nobody else adds, or brings those of their ids up to date; what each cost until now is added up, and what that moved of its account's costs. Answers the accounts of those that cost, or did. */
export async function putLedger(connection: Queryable, entries: readonly LedgerEntry[], now: number): Promise<readonly Scope[]> {
  const moved = LEDGER_COLUMNS.split(', ').filter(column => column !== 'id').map(column => `${column} = excluded.${column}`)
  const rows = entries.toSorted((one, other) => (one.id < other.id ? -1 : 1)).map(entry => ({ ...ledgerRow(entry), price: priceOf({ kind: entry.kind, state: entry.state, ...(entry.power && { power: entry.power }) }), priced_at: Math.floor(now) }))
  const { names, selected, source, values, next } = sentRows<string>(COLUMNS_OF.ledger, rows)
  // What was there before is read, and locked, before anything is written.
  return connection.query<Scope>(
    `with before as materialized (select account_id, region, spent, price, priced_at from ledger where id = any(${next}::text[]) order by id for update),
     put as (
       insert into ledger as l (${names}) select ${selected} from ${source} as sent (${names}) where (select count(*) from before) >= 0
       on conflict (id) do update set ${moved.join(', ')}, spent = l.spent + l.price::numeric * greatest(0, excluded.priced_at - l.priced_at), price = excluded.price, priced_at = excluded.priced_at
       returning account_id, region, spent, price, priced_at
     ),
     moved as (${tallying('select account_id, region, spent, price, priced_at, 1 as sign from put union all select account_id, region, spent, price, priced_at, -1 from before')})
     select distinct account_id as "accountId", region from put where price > 0 or spent > 0`,
    [...values, rows.map(({ id }) => id)],
  )
}

/** Rows of intents, which cost nothing yet, under ids that are new; sent, not waited for. */
export function insertIntents(connection: TransactionConnection, entries: readonly (LedgerEntry & { readonly state: 'Intended' })[], now: number): void {
  const { into, values } = sentRows<string>(COLUMNS_OF.ledger, entries.map(entry => ({ ...ledgerRow(entry), price: 0, priced_at: Math.floor(now) })))
  connection.send(into('ledger'), values)
}

export async function ledgersOf(connection: Queryable, ownerIds: readonly string[]): Promise<readonly LedgerEntry[]> {
  const rows = await connection.query<LedgerRow>(`select ${LEDGER_COLUMNS} from ledger where ${isAmong('owner_id', '$1')} order by since, id`, [asIds(ownerIds)])
  return rows.map(ledgerEntryOf)
}
