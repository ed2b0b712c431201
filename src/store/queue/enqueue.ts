import type { WorkKey } from '#ports/store.ts'
import type { Queryable } from '../connection/database.ts'

/** A key with the instant at which it is due in its region's time; 0 means now. */
export interface EnqueuedKey extends WorkKey {
  readonly region: string
  readonly dueAt: number
}

/** An event is a new cause, so what failed for years is not tried as seldom as that again; and it is not tried as often as what fails for the first time. */
const FAILURES_KEPT = 44

/**
 * Puts keys into the queue, each once, in the order of their names so that two transactions never wait for each other. A key that waits gets the sooner
 * of both times and loses its back-off (in a region that is run in order as much of it as is more than half a minute); one that runs gets a new generation, by which its completion knows that it must run again.
 */
export async function enqueue(connection: Queryable, keys: readonly EnqueuedKey[]): Promise<void> {
  for (const { text, values } of enqueueing(keys)) await connection.query(text, values)
}

/** The same as statements: one, or none where there is no key. */
export function enqueueing(keys: readonly EnqueuedKey[]): { text: string; values: unknown[] }[] {
  const soonest = new Map<string, EnqueuedKey>()
  for (const key of keys) {
    const name = `${key.kind}\0${key.id}`
    const found = soonest.get(name)
    if (!found || key.dueAt < found.dueAt) soonest.set(name, key)
  }
  if (soonest.size === 0) return []
  const rows = [...soonest.entries()].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, key]) => key)
  return [{
    text: `insert into work as w (kind, id, region, due_at)
     select * from unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
     on conflict (kind, id) do update set generation = w.generation + 1, due_at = least(w.due_at, excluded.due_at), failures = case when excluded.due_at = 0 then least(w.failures, ${FAILURES_KEPT}) else w.failures end, retry_at = case when excluded.due_at = 0 then null else w.retry_at end`,
    values: [rows.map(key => key.kind), rows.map(key => key.id), rows.map(key => key.region), rows.map(key => Math.floor(key.dueAt))],
  }]
}

/** In the order of their names, as everybody else locks them. A pass that is under way saw what was before, so its key, too, is of another generation. */
export async function hasten(connection: Queryable, region: string, after: number): Promise<void> {
  await connection.query(
    `update work set generation = generation + 1, due_at = case when due_at > $2 then 0 else due_at end, failures = case when due_at > $2 then least(failures, ${FAILURES_KEPT}) else failures end
     where (kind, id) in (select kind, id from work where region = $1 and owner is null order by kind collate "C", id collate "C" for update)`,
    [region, Math.floor(after)],
  )
}
