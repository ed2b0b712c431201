import type { AccountRecord, Meter } from '#model/account/record.ts'
import type { Scope } from '#ports/store.ts'
import type { Queryable } from '../connection/database.ts'
import { isText } from '../texts.ts'

interface AccountRow {
  readonly amount: number | null
  readonly set_at: number | null
  readonly spent_before: string | null
  readonly arrears_since: number | null
  readonly stopped_since: number | null
}

const COLUMNS = 'amount, set_at, trunc(spent_before)::text as spent_before, arrears_since, stopped_since'

/** An account that nobody set a balance for has none: it is unlimited. */
export async function lockAccount(connection: Queryable, scope: Scope): Promise<AccountRecord> {
  const [row] = await connection.query<AccountRow>(`select ${COLUMNS} from account_balance where account_id = $1 and region = $2 for update`, [scope.accountId, scope.region])
  return accountOf(scope, row)
}

/** Those for which somebody set a balance, or that are in arrears. */
export async function findAccounts(connection: Queryable, scopes: readonly Scope[]): Promise<readonly AccountRecord[]> {
  const rows = await connection.query<AccountRow & { readonly account_id: string; readonly region: string }>(
    `select b.account_id, b.region, ${COLUMNS} from account_balance b where (b.account_id, b.region) in (select * from json_to_recordset($1::json) as asked (account_id text, region text))`,
    [JSON.stringify(scopes.filter(({ accountId, region }) => isText(accountId) && isText(region)).map(({ accountId, region }) => ({ account_id: accountId, region })))],
  )
  return rows.map(row => accountOf({ accountId: row.account_id, region: row.region }, row))
}

export function accountOf({ accountId, region }: Scope, row: AccountRow | undefined): AccountRecord {
  return {
    accountId, region,
    ...(row && row.amount !== null && { balance: { amount: row.amount, at: row.set_at ?? 0, spentBefore: BigInt(row.spent_before ?? '0') } }),
    ...(row && row.arrears_since !== null && { arrearsSince: row.arrears_since }),
    ...(row && row.stopped_since !== null && { stoppedSince: row.stopped_since }),
  }
}

export async function putAccount(connection: Queryable, account: AccountRecord): Promise<void> {
  await connection.query(
    `insert into account_balance (account_id, region, amount, set_at, spent_before, arrears_since, stopped_since) values ($1, $2, $3, $4, $5::numeric, $6, $7)
     on conflict (account_id, region) do update set amount = excluded.amount, set_at = excluded.set_at, spent_before = excluded.spent_before,
       arrears_since = excluded.arrears_since, stopped_since = excluded.stopped_since`,
    [account.accountId, account.region, account.balance?.amount ?? null, account.balance?.at ?? null, account.balance?.spentBefore.toString() ?? null, account.arrearsSince ?? null, account.stoppedSince ?? null],
  )
}

export async function meterOf(connection: Queryable, { accountId, region }: Scope): Promise<Meter> {
  const [row] = await connection.query<{ spent: string; price: string; priced_since: string }>(
    `select coalesce(sum(spent), 0)::text as spent, coalesce(sum(price), 0)::text as price, coalesce(sum(priced_since), 0)::text as priced_since
     from ledger_tally where account_id = $1 and region = $2`, [accountId, region])
  return { spent: BigInt(row?.spent ?? '0'), price: BigInt(row?.price ?? '0'), pricedSince: BigInt(row?.priced_since ?? '0') }
}

/** Accounts with a balance, whose end is to be solved anew once what they hold has changed. */
export async function limitedAmong(connection: Queryable, scopes: readonly Scope[]): Promise<readonly Scope[]> {
  const rows = await connection.query<{ account_id: string; region: string }>(
    'select account_id, region from account_balance where amount is not null and (account_id, region) in (select * from unnest($1::text[], $2::text[]))',
    [scopes.map(scope => scope.accountId), scopes.map(scope => scope.region)],
  )
  return rows.map(row => ({ accountId: row.account_id, region: row.region }))
}
