import type { Queryable } from '../connection/database.ts'

/** The soonest due time of each region, and the soonest retry (real time) of what is due otherwise. Two looks into indexes. */
export async function nextDue(connection: Queryable, regions: readonly string[]): Promise<{ dueAt?: { region: string; at: number }[]; retryAt?: number }> {
  const due = await connection.query<{ region: string; at: number }>(
    `select t.region, w.due_at as at from unnest($1::text[]) as t (region)
     cross join lateral (select due_at from work where region = t.region and owner is null and due_at is not null and retry_at is null order by due_at limit 1) w`,
    [regions],
  )
  const [retry] = await connection.query<{ at: number }>('select retry_at as at from work where retry_at is not null and owner is null and region = any($1::text[]) order by retry_at limit 1', [regions])
  return { ...(due.length > 0 ? { dueAt: due } : {}), ...(retry ? { retryAt: retry.at } : {}) }
}
