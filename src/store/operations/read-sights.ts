import type { Sight, SightKind } from '#ports/store.ts'
import type { Queryable } from '../connection/database.ts'
import { asIds, eachAmong } from '../connection/statements.ts'

interface SightRow {
  readonly kind: SightKind
  readonly id: string
  readonly fact: unknown
  readonly seen_at: number
  readonly observer: string
  readonly stale: boolean
  readonly stale_since: number | null
}

/** Sights with what became of their watch: stale where it said that it is blind, where nobody holds it, or where the lease of who holds it has lapsed. Many sights are of one watch, which is looked at once. */
export async function readSights(connection: Queryable, kind: SightKind, ids: readonly string[]): Promise<readonly Sight[]> {
  const rows = await connection.query<SightRow>(
    `with seen as materialized (select kind, id, fact, seen_at, observer, subject from ${eachAmong('sight', 'kind = $1', 'id', '$2')}),
     watched as materialized (
       select w.subject, (w.stale_since is not null or l.name is null or l.expires_at <= clock_timestamp()) as stale,
         coalesce(w.stale_since, case when l.expires_at <= clock_timestamp() then floor(extract(epoch from l.expires_at) * 1000)::bigint end) as stale_since
       from watch w left join lease l on l.name = w.owner and l.epoch = w.owner_epoch
       where w.subject in (select subject from seen)
     )
     select kind, id, fact, seen_at, observer, stale, stale_since from seen join watched using (subject)`,
    [kind, asIds(ids)],
  )
  return rows.map(row => ({
    kind: row.kind, id: row.id, fact: row.fact, seenAt: row.seen_at, observer: row.observer, stale: row.stale,
    ...(row.stale && row.stale_since !== null ? { staleSince: row.stale_since } : {}),
  }))
}
