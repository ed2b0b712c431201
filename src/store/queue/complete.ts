import type { ClaimedWork, EndedWork } from '#ports/queue.ts'
import type { Queryable, TransactionConnection } from '../connection/database.ts'

const MINE = `kind = $1 and id = $2 and owner = $3 and owner_epoch = $4
  and exists (select 1 from lease l where l.name = $3 and l.epoch = $4 and l.expires_at > clock_timestamp())`

/**
 * The same of many keys of a kind, found by their names: an index of what runs is full of what ran, and as a join with a list they would be looked for in a table that was empty when PostgreSQL last
 * looked at it.
 */
const MINE_AMONG = `kind = $1 and id = any($2::text[]) and (owner, owner_epoch) is not distinct from ($3::text, $4::bigint)
  and exists (select 1 from lease l where l.name = $3 and l.epoch = $4 and l.expires_at > clock_timestamp())`

/**
 * Ends a run. Nothing happens where the key is not ours any more: the lease lapsed, and whether or not another process has taken the key yet, it runs again. The row goes only if nothing was
 * enqueued since the claim and nobody needs to look again.
 */
export async function complete(connection: Queryable, lease: { name: string; epoch: number }, work: ClaimedWork, lookAgainAt: number | undefined): Promise<void> {
  const values = [work.kind, work.id, lease.name, lease.epoch, work.generation]
  if (lookAgainAt === undefined) {
    const gone = await connection.query(`delete from work where ${MINE} and generation = $5 returning 1`, values)
    if (gone.length > 0) return
  }
  await connection.query(
    `update work set owner = null, owner_epoch = null, failures = 0, last_error = null,
       due_at = case when generation = $5 then $6::bigint else least(due_at, $6::bigint) end
     where ${MINE}`,
    [...values, lookAgainAt === undefined ? null : Math.floor(lookAgainAt)],
  )
}

/**
 * As `complete` of each; sent, not waited for. The rows are locked first, in the order in which keys are enqueued. The end of a run that a crash of the database takes back only makes the key run
 * again, so nobody waits for the disk.
 */
export function completeMany(connection: TransactionConnection, lease: { name: string; epoch: number }, ended: readonly EndedWork[]): void {
  connection.send('set local synchronous_commit to off')
  const byKind = [...Map.groupBy(ended, ({ work }) => work.kind)].toSorted(([one], [other]) => (one < other ? -1 : 1))
  const among = ([kind, these]: (typeof byKind)[number]) => [kind, these.map(({ work }) => work.id), lease.name, lease.epoch] as const
  for (const each of byKind) connection.send(`select 1 from work where ${MINE_AMONG} order by id collate "C" for update`, among(each))
  for (const [kind, these] of byKind) {
    const over = these.filter(({ lookAgainAt }) => lookAgainAt === undefined)
    if (over.length > 0) connection.send(`delete from work where ${MINE_AMONG} and generation = ($5::jsonb -> id)::bigint`, [...among([kind, over]), JSON.stringify(Object.fromEntries(over.map(({ work }) => [work.id, work.generation])))])
    // What was enqueued meanwhile keeps those whose run is over, too.
    connection.send(
      `update work set owner = null, owner_epoch = null, failures = 0, last_error = null,
         due_at = case when generation = ($5::jsonb -> id -> 0)::bigint then nullif($5::jsonb -> id -> 1, 'null')::bigint else least(due_at, nullif($5::jsonb -> id -> 1, 'null')::bigint) end
       where ${MINE_AMONG}`,
      [...among([kind, these]), JSON.stringify(Object.fromEntries(these.map(({ work, lookAgainAt }) => [work.id, [work.generation, lookAgainAt === undefined ? null : Math.floor(lookAgainAt)]])))],
    )
  }
}

/** Ends a run that failed; it runs again at `retryAt`, or at once if it was enqueued meanwhile. */
export async function fail(connection: Queryable, lease: { name: string; epoch: number }, work: ClaimedWork, retryAt: number, error: string): Promise<void> {
  await connection.query(
    `update work set owner = null, owner_epoch = null, failures = failures + 1, last_error = $6, due_at = 0,
       retry_at = case when generation = $5 then $7::bigint else null end
     where ${MINE}`,
    [work.kind, work.id, lease.name, lease.epoch, work.generation, error, Math.floor(retryAt)],
  )
}

/** As `fail`, in the region's time. */
export async function failUntil(connection: Queryable, lease: { name: string; epoch: number }, work: ClaimedWork, dueAt: number, error: string): Promise<void> {
  await connection.query(
    `update work set owner = null, owner_epoch = null, failures = failures + 1, last_error = $6, retry_at = null,
       due_at = case when generation = $5 then $7::bigint else least(due_at, $7::bigint) end
     where ${MINE}`,
    [work.kind, work.id, lease.name, lease.epoch, work.generation, error, Math.floor(dueAt)],
  )
}
