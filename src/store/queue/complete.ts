import type { ClaimedWork, EndedWork } from '#ports/queue.ts'
import type { Queryable, TransactionConnection } from '../connection/database.ts'

const MINE = `kind = $1 and id = $2 and owner = $3 and owner_epoch = $4
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
  const values = [lease.name, lease.epoch, ended.map(({ work }) => work.kind), ended.map(({ work }) => work.id), ended.map(({ work }) => work.generation), ended.map(({ lookAgainAt }) => (lookAgainAt === undefined ? null : Math.floor(lookAgainAt)))]
  const mine = `w.kind = t.kind and w.id = t.id and w.owner = $1 and w.owner_epoch = $2 and exists (select 1 from lease l where l.name = $1 and l.epoch = $2 and l.expires_at > clock_timestamp())`
  const these = 'unnest($3::text[], $4::text[], $5::bigint[], $6::bigint[]) as t (kind, id, generation, look)'
  connection.send('set local synchronous_commit to off')
  connection.send(`select 1 from work w join ${these} on ${mine} order by w.kind collate "C", w.id collate "C" for update of w`, values)
  connection.send(`delete from work w using ${these} where ${mine} and w.generation = t.generation and t.look is null`, values)
  connection.send(
    `update work w set owner = null, owner_epoch = null, failures = 0, last_error = null, due_at = case when w.generation = t.generation then t.look else least(w.due_at, t.look) end
     from ${these} where ${mine}`,
    values,
  )
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
