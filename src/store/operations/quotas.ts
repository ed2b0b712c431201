import type { Scope } from '#ports/store.ts'
import type { Queryable } from '../connection/database.ts'

export function quotasOf(connection: Queryable, { accountId, region }: Scope): Promise<readonly { readonly kind: string; readonly limit: number }[]> {
  return connection.query('select kind, most as "limit" from quota where account_id = $1 and region = $2 and most is not null order by kind', [accountId, region])
}

/** Who takes a place under a quota holds it until the end of its transaction; without a quota nobody is counted against another. */
export async function lockQuota(connection: Queryable, { accountId, region }: Scope, kind: string): Promise<number | undefined> {
  const [row] = await connection.query<{ most: number | null }>('select most from quota where account_id = $1 and region = $2 and kind = $3 for update', [accountId, region, kind])
  return row?.most ?? undefined
}

export async function setQuota(connection: Queryable, { accountId, region }: Scope, kind: string, limit: number | undefined): Promise<void> {
  await connection.query(
    'insert into quota (account_id, region, kind, most) values ($1, $2, $3, $4) on conflict (account_id, region, kind) do update set most = excluded.most, changes = quota.changes + 1',
    [accountId, region, kind, limit ?? null],
  )
}

export async function quotaChanges(connection: Queryable, region: string): Promise<number> {
  const [row] = await connection.query<{ changes: number }>('select coalesce(sum(changes), 0)::bigint as changes from quota where region = $1', [region])
  return row?.changes ?? 0
}

/** Machines that pools ordered, and that were made or may be. */
export async function machinesHeld(connection: Queryable, { accountId, region }: Scope): Promise<number> {
  const [row] = await connection.query<{ held: number }>('select count(*) as held from machine where account_id = $1 and region = $2 and (template is not null or owner_node_pool_id is not null) and (machine_id is not null or granted)', [accountId, region])
  return row?.held ?? 0
}
