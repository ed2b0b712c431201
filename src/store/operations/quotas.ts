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

/** Machines that pools ordered, and that were made or may be. One that goes, or is no node's and stays until then, leaves its place to the machine that its server becomes instead, as soon as that has one. */
export async function machinesHeld(connection: Queryable, { accountId, region }: Scope, asking?: string): Promise<number> {
  const [row] = await connection.query<{ held: number }>(
    `select count(*) as held from machine m where account_id = $1 and region = $2 and (template is not null or owner_node_pool_id is not null) and (machine_id is not null or granted)
      and not ((deletion_requested_at is not null or owner_node_pool_id is null) and exists (
        select from machine n where n.account_id = $1 and n.region = $2 and n.instance_id in (m.instance_id, m.id) and n.id <> m.id and n.deletion_requested_at is null and (n.machine_id is not null or n.granted or n.id = $3)
          and (m.deletion_requested_at is not null or n.owner_node_pool_id is not null)))`,
    [accountId, region, asking ?? null],
  )
  return row?.held ?? 0
}
