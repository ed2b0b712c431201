import type { Sight, SightKind } from '#ports/store.ts'
import type { Queryable } from '../connection/database.ts'

interface SightRow {
  readonly kind: SightKind
  readonly id: string
  readonly fact: unknown
  readonly seen_at: number
  readonly observer: string
  readonly stale: boolean
  readonly stale_since: number | null
}

/** Sights with what became of their watch: stale where it said that it is blind, where nobody holds it, or where the lease of who holds it has lapsed. */
export async function readSights(connection: Queryable, kind: SightKind, ids: readonly string[]): Promise<readonly Sight[]> {
  const rows = await connection.query<SightRow>(
    `select s.kind, s.id, s.fact, s.seen_at, s.observer,
       (w.stale_since is not null or l.name is null or l.expires_at <= clock_timestamp()) as stale,
       coalesce(w.stale_since, case when l.expires_at <= clock_timestamp() then floor(extract(epoch from l.expires_at) * 1000)::bigint end) as stale_since
     from sight s join watch w on w.subject = s.subject left join lease l on l.name = w.owner and l.epoch = w.owner_epoch
     where s.kind = $1 and s.id = any($2::text[])`,
    [kind, ids],
  )
  return rows.map(row => ({
    kind: row.kind, id: row.id, fact: row.fact, seenAt: row.seen_at, observer: row.observer, stale: row.stale,
    ...(row.stale && row.stale_since !== null ? { staleSince: row.stale_since } : {}),
  }))
}
