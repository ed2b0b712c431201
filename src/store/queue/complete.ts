import type { ClaimedWork, EndedWork } from '#ports/queue.ts'
import type { Queryable, TransactionConnection } from '../connection/database.ts'

const MINE = `kind = $1 and id = $2 and owner = $3 and owner_epoch = $4
  and exists (select 1 from lease l where l.name = $3 and l.epoch = $4 and l.expires_at > clock_timestamp())`

/**
 * Many keys of a kind in a region that is run in order, where nobody claims them and only whoever holds the region's watch ends runs. They are found by their names: as a join with a list they would be
 * looked for in a table that was empty when PostgreSQL last looked at it.
 */
const RUN_BY_US = `kind = $1 and id = any($2::text[]) and owner is null
  and exists (select 1 from lease l where l.name = $3 and l.epoch = $4 and l.expires_at > clock_timestamp())`

/**
 * The row is the one that was read, and nothing was enqueued since. A row that went and came again begins with its first generation, so its ordinal is looked at too: an end whose commit nobody heard of is
 * written once more, and must not take what came between.
 */
const UNCHANGED = '(ordinal = ($5::jsonb -> id -> 0)::bigint and generation = ($5::jsonb -> id -> 1)::bigint)'

function readOf(ended: readonly EndedWork[]): string {
  return JSON.stringify(Object.fromEntries(ended.map(({ work, lookAgainAt }) => [work.id, [work.ordinal, work.generation, Math.floor(lookAgainAt ?? 0)]])))
}

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
 * Ends runs of keys that nobody claimed; sent, not waited for. One that was enqueued meanwhile stays due. The rows are locked first, in the order in which keys are enqueued. The end of a run that a
 * crash of the database takes back only makes the key run again, so nobody waits for the disk.
 */
export function completeMany(connection: TransactionConnection, lease: { name: string; epoch: number }, ended: readonly EndedWork[]): void {
  connection.send('set local synchronous_commit to off')
  const byKind = [...Map.groupBy(ended, ({ work }) => work.kind)].toSorted(([one], [other]) => (one < other ? -1 : 1))
  const among = (kind: string, these: readonly EndedWork[]) => [kind, these.map(({ work }) => work.id), lease.name, lease.epoch] as const
  for (const [kind, these] of byKind) connection.send(`select 1 from work where ${RUN_BY_US} order by id collate "C" for update`, among(kind, these))
  for (const [kind, these] of byKind) {
    const over = these.filter(({ lookAgainAt }) => lookAgainAt === undefined)
    if (over.length > 0) connection.send(`delete from work where ${RUN_BY_US} and ${UNCHANGED}`, [...among(kind, over), readOf(over)])
    // Of those that are over and were enqueued meanwhile, only what failed before has something to forget.
    const again = these.filter(({ work, lookAgainAt }) => lookAgainAt !== undefined || work.failures > 0)
    if (again.length > 0) connection.send(
      `update work set failures = 0, last_error = null,
         due_at = case when ${UNCHANGED} then ($5::jsonb -> id -> 2)::bigint else due_at end
       where ${RUN_BY_US} and (${UNCHANGED} or failures > 0)`,
      [...among(kind, again), readOf(again)],
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

/** As `fail`, of a key that nobody claimed, in the time of its region. Of a failure that is written twice one is counted. */
export async function failUntil(connection: Queryable, lease: { name: string; epoch: number }, work: ClaimedWork, dueAt: number, error: string): Promise<void> {
  await connection.query(
    `update work set failures = failures + 1, last_error = $6, due_at = case when ${UNCHANGED} then ($5::jsonb -> id -> 2)::bigint else due_at end
     where ${RUN_BY_US} and ordinal = $7 and failures = $8`,
    [work.kind, [work.id], lease.name, lease.epoch, readOf([{ work, lookAgainAt: dueAt }]), error, work.ordinal, work.failures],
  )
}
