import type { RegionRecord } from '#ports/store.ts'
import type { Queryable } from '../connection/database.ts'

export async function listRegions(connection: Queryable): Promise<readonly RegionRecord[]> {
  return connection.query<RegionRecord>('select region, kind, ready, text, settings from region order by region')
}

export async function findRegion(connection: Queryable, region: string): Promise<RegionRecord | undefined> {
  const [row] = await connection.query<RegionRecord>('select region, kind, ready, text, settings from region where region = $1', [region])
  return row
}

/** Nobody waits for it but who locks it, too, or removes it: those who hold it go on. */
export async function lockRegion(connection: Queryable, region: string): Promise<RegionRecord | undefined> {
  const [row] = await connection.query<RegionRecord>('select region, kind, ready, text, settings from region where region = $1 for no key update', [region])
  return row
}

/** Any number of transactions hold a region at once; its removal waits for them, and who comes after it began waits for its end. */
export async function holdRegion(connection: Queryable, region: string): Promise<boolean> {
  return (await connection.query('select 1 from region where region = $1 for key share', [region])).length > 0
}

export async function latestInstant(connection: Queryable, region: string): Promise<number | undefined> {
  const [row] = await connection.query<{ at: number | null }>(
    `select greatest(
       (select max(at) from status_change where region = $1 and ordinal > (select history_after from region where region = $1)), (select max(updated_at) from cluster where region = $1), (select max(updated_at) from node where region = $1),
       (select max(created_at) from machine where region = $1), (select max(updated_at) from onboarding where region = $1), (select max(since) from ledger where region = $1)
     ) as at`,
    [region],
  )
  return row?.at ?? undefined
}

/** Writes nothing where nothing changed: every start says the same about its regions. */
export async function putRegion(connection: Queryable, region: RegionRecord): Promise<void> {
  await connection.query(
    `insert into region as r (region, kind, ready, text, settings, history_after) values ($1, $2, $3, $4, $5::json, coalesce((select max(ordinal) from status_change), 0))
     on conflict (region) do update set kind = excluded.kind, ready = excluded.ready, text = excluded.text, settings = excluded.settings
     where (r.kind, r.ready, r.text, r.settings::jsonb) is distinct from (excluded.kind, excluded.ready, excluded.text, excluded.settings::jsonb)`,
    [region.region, region.kind, region.ready, region.text, JSON.stringify(region.settings)],
  )
}
