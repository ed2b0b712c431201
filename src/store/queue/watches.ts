import { LostWatch, watchedCluster } from '#ports/queue.ts'
import type { Sight, SightKind, WorkKey } from '#ports/store.ts'
import type { Queryable } from '../connection/database.ts'
import { enqueue } from './enqueue.ts'
import { LIVE_LEASE } from './lease.ts'

/** A watch that this process holds, as it knows it. */
export interface HeldWatch {
  readonly lease: { readonly name: string; readonly epoch: number }
  readonly subject: string
  readonly epoch: number
}

type RegionKey = WorkKey & { readonly region: string }
export type SightToPut = Pick<Sight, 'id' | 'fact' | 'seenAt' | 'observer'> & { readonly kind: SightKind; readonly key: RegionKey | undefined }
export interface SightGone { readonly kind: SightKind; readonly id: string; readonly key: RegionKey | undefined }

/**
 * Takes the watch of a subject unless somebody alive has it. A new owner gets a new epoch, and what its predecessor saw counts as stale, from when that
 * one's lease ended, until the new owner says with markWatch that it sees.
 */
export async function claimWatch(connection: Queryable, lease: { name: string; epoch: number }, subject: string, realNow: number): Promise<number | undefined> {
  return await take(connection, lease, subject, realNow) ?? (await begin(connection, subject) ? take(connection, lease, subject, realNow) : undefined)
}

/** Makes the row of a watch that nobody had before. A cluster that is being forgotten is waited for, so that its watch is never made again behind that. */
async function begin(connection: Queryable, subject: string): Promise<boolean> {
  const clusterId = watchedCluster(subject)
  const made = clusterId === undefined
    ? await connection.query('insert into watch (subject, epoch) values ($1, 0) on conflict do nothing returning 1', [subject])
    : await connection.query(
        `insert into watch (subject, epoch) select $1, 0 from (select 1 from cluster where id = $2 and not exists (select 1 from watch where subject = $1) for key share) there
         on conflict do nothing returning 1`,
        [subject, clusterId],
      )
  return made.length > 0
}

async function take(connection: Queryable, lease: { name: string; epoch: number }, subject: string, realNow: number): Promise<number | undefined> {
  const [row] = await connection.query<{ epoch: number }>(
    `update watch w set
       epoch = case when w.owner = $2 and w.owner_epoch = $3 then w.epoch else w.epoch + 1 end,
       stale_since = case when w.owner = $2 and w.owner_epoch = $3 then w.stale_since
         else coalesce(w.stale_since, (select floor(extract(epoch from l.expires_at) * 1000)::bigint from lease l where l.name = w.owner and l.epoch = w.owner_epoch), $4::bigint) end,
       owner = $2, owner_epoch = $3
     where subject = $1
       and exists (select 1 from lease where name = $2 and epoch = $3 and ${LIVE_LEASE})
       and (w.owner is null or (w.owner = $2 and w.owner_epoch = $3)
         or not exists (select 1 from lease l where l.name = w.owner and l.epoch = w.owner_epoch and l.${LIVE_LEASE}))
     returning epoch`,
    [subject, lease.name, lease.epoch, Math.floor(realNow)],
  )
  return row?.epoch
}

export async function releaseWatch(connection: Queryable, lease: { name: string; epoch: number }, subject: string, realNow: number): Promise<void> {
  await connection.query(
    'update watch set owner = null, owner_epoch = null, stale_since = coalesce(stale_since, $4::bigint) where subject = $1 and owner = $2 and owner_epoch = $3',
    [subject, lease.name, lease.epoch, Math.floor(realNow)],
  )
}

/** Writes what changed and enqueues its keys; answers whether anything was enqueued. Inside the caller's transaction. */
export async function putSights(connection: Queryable, watch: HeldWatch, sights: readonly SightToPut[], gone: readonly SightGone[]): Promise<boolean> {
  await holdWatch(connection, watch, 'share')
  const changed = await connection.query<{ kind: SightKind; id: string }>(
    `insert into sight as s (kind, id, subject, epoch, fact, seen_at, observer, key_kind, key_id, key_region)
     select kind, id, $1, $2, fact::json, seen_at, observer, key_kind, key_id, key_region
     from unnest($3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[], $9::text[], $10::text[])
       as t (kind, id, fact, seen_at, observer, key_kind, key_id, key_region)
     on conflict (kind, id) do update set subject = excluded.subject, epoch = excluded.epoch, fact = excluded.fact, seen_at = excluded.seen_at,
       observer = excluded.observer, key_kind = excluded.key_kind, key_id = excluded.key_id, key_region = excluded.key_region
     where s.fact::jsonb <> excluded.fact::jsonb or s.subject <> excluded.subject
     returning kind, id`,
    [
      watch.subject, watch.epoch,
      sights.map(sight => sight.kind), sights.map(sight => sight.id), sights.map(sight => JSON.stringify(sight.fact ?? null)),
      sights.map(sight => Math.floor(sight.seenAt)), sights.map(sight => sight.observer),
      sights.map(sight => sight.key?.kind ?? null), sights.map(sight => sight.key?.id ?? null), sights.map(sight => sight.key?.region ?? null),
    ],
  )
  const removed: { readonly kind: SightKind; readonly id: string }[] = []
  for (const [kind, those] of Map.groupBy(gone, sight => sight.kind)) {
    removed.push(...await connection.query<{ kind: SightKind; id: string }>('delete from sight where kind = $2 and id = any($3::text[]) and subject = $1 returning kind, id', [watch.subject, kind, those.map(({ id }) => id)]))
  }
  const names = new Set([...changed, ...removed].map(row => `${row.kind}/${row.id}`))
  const keys = [...sights, ...gone].flatMap(sight => (sight.key && names.has(`${sight.kind}/${sight.id}`) ? [{ ...sight.key, dueAt: 0 }] : []))
  await enqueue(connection, keys)
  return keys.length > 0
}

/** Says that the watch went blind, or sees again; a change of that enqueues the keys of all it ever saw, so that stale marks come and go. */
export async function markWatch(connection: Queryable, watch: HeldWatch, staleSince: number | undefined, quietly = false): Promise<boolean> {
  await holdWatch(connection, watch)
  const changed = await connection.query(
    'update watch set stale_since = $2::bigint where subject = $1 and (stale_since is null) <> ($2::bigint is null) returning 1',
    [watch.subject, staleSince === undefined ? null : Math.floor(staleSince)],
  )
  if (changed.length === 0 || quietly) return false
  const keys = await connection.query<RegionKey>('select key_kind as kind, key_id as id, key_region as region from sight where subject = $1 and key_kind is not null', [watch.subject])
  await enqueue(connection, keys.map(key => ({ ...key, dueAt: 0 })))
  return keys.length > 0
}

/** Locks the watch against being taken over until the transaction ends; throws LostWatch if it is not ours. Any number of transactions share it. */
async function holdWatch(connection: Queryable, watch: HeldWatch, lock: 'share' | 'no key update' = 'no key update'): Promise<void> {
  const rows = await connection.query(
    `select 1 from watch w join lease l on l.name = w.owner and l.epoch = w.owner_epoch
     where w.subject = $1 and w.owner = $2 and w.owner_epoch = $3 and w.epoch = $4 and l.${LIVE_LEASE} for ${lock} of w`,
    [watch.subject, watch.lease.name, watch.lease.epoch, watch.epoch],
  )
  if (rows.length === 0) throw new LostWatch(`The watch ${watch.subject} is not this process's any more`)
}
