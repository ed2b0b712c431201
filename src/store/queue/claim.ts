import type { ClaimedWork } from '#ports/queue.ts'
import type { Queryable } from '../connection/database.ts'

/** Which regions' work this process may run now, each with its own time. */
export interface RegionTime {
  readonly region: string
  readonly now: number
}

/**
 * A round of this process through the keys, by their ordinals: those above `at` and up to `end` are still to have their turn in it. What comes meanwhile joins it for a few claims, so that what was
 * just told goes first and a parent hears of many children at once; then it waits for the next round. So what is enqueued all the time, and always due sooner than any deadline, keeps nothing from its turn.
 */
export interface Round {
  at: number
  end: number
  claims: number
}

/** Still open: everything that is new joins. */
const OPEN = Number.MAX_SAFE_INTEGER
const OPEN_FOR_CLAIMS = 4

export function firstRound(): Round {
  return { at: 0, end: OPEN, claims: 0 }
}

type Claimed = ClaimedWork & { readonly latest: number }

/**
 * Takes due keys that nobody runs. Claiming takes the key's due time away: what stands there at its completion came in while it ran.
 * The lease is looked at in the same statement, so a process that lost it claims nothing.
 */
export async function claim(connection: Queryable, lease: { name: string; epoch: number }, regions: readonly RegionTime[], realNow: number, limit: number, round: Round): Promise<readonly ClaimedWork[]> {
  return next(round, await connection.query<Claimed>(
    `with free as materialized (
       select w.kind, w.id
       from unnest($3::text[], $4::bigint[]) as t (region, now)
       cross join lateral (
         select kind, id, ordinal from work
         where region = t.region and owner is null and due_at <= t.now and (retry_at is null or retry_at <= $5)
         order by ordinal > $7 and ordinal <= $8 desc, ordinal limit $6 for update skip locked
       ) w
       where exists (select 1 from lease where name = $1 and epoch = $2 and expires_at > clock_timestamp())
       order by w.ordinal > $7 and w.ordinal <= $8 desc, w.ordinal limit $6
     )
     update work set owner = $1, owner_epoch = $2, due_at = null, retry_at = null
     from free where work.kind = free.kind and work.id = free.id
     returning work.kind, work.id, work.region, work.generation, work.failures, work.ordinal, (select last_value from work_ordinal_seq) as latest`,
    [lease.name, lease.epoch, regions.map(region => region.region), regions.map(region => Math.floor(region.now)), Math.floor(realNow), limit, round.at, round.end],
  ))
}

/**
 * One region's due keys in turn, none of them claimed: half of them told, by the round, and half deadlines that have come, the longest due first; where there are fewer of one, more of the other. Nothing is sorted, however
 * many are due: each half is where the index has it.
 */
export async function dueInTurn(connection: Queryable, lease: { name: string; epoch: number }, { region, now, limit }: OfRegion, round: Round): Promise<readonly ClaimedWork[]> {
  const rows = await connection.query<Claimed & { part: 'told' | 'deadline' }>(
    `with mine as materialized (select 1 from lease where name = $1 and epoch = $2 and expires_at > clock_timestamp()),
     ahead as materialized (
       select ${DUE} from work where region = $3 and owner is null and due_at = 0 and ordinal > $6 and ordinal <= $7 and exists (select 1 from mine) order by ordinal limit $5
     ),
     later as materialized (
       select ${DUE} from work where region = $3 and owner is null and due_at = 0 and (ordinal <= $6 or ordinal > $7) and exists (select 1 from mine)
       order by ordinal limit $5 - (select count(*) from ahead)
     ),
     deadline as materialized (
       select ${DUE} from work where region = $3 and owner is null and due_at > 0 and due_at <= $4 and exists (select 1 from mine) order by due_at, ordinal limit $5
     )
     select *, 'told' as part, (select last_value from work_ordinal_seq) as latest from (select * from ahead union all select * from later) told
     union all select *, 'deadline', 0 from deadline`,
    [lease.name, lease.epoch, region, Math.floor(now), limit, round.at, round.end],
  )
  const { told = [], deadline = [] } = Object.groupBy(rows, ({ part }) => part)
  const half = Math.ceil(limit / 2)
  return [...next(round, told.slice(0, Math.max(half, limit - deadline.length))), ...deadline.slice(0, Math.max(limit - half, limit - told.length)).map(workOf)]
}

/** The same in the order (due, kind, id). */
export async function dueInOrder(connection: Queryable, lease: { name: string; epoch: number }, { region, now, limit }: OfRegion): Promise<readonly ClaimedWork[]> {
  const rows = await connection.query<ClaimedWork>(
    `select ${DUE} from work
     where region = $3 and owner is null and due_at <= $4 and exists (select 1 from lease where name = $1 and epoch = $2 and expires_at > clock_timestamp())
     order by due_at, kind collate "C", id collate "C" limit $5`,
    [lease.name, lease.epoch, region, Math.floor(now), limit],
  )
  return rows.map(workOf)
}

interface OfRegion { readonly region: string; readonly now: number; readonly limit: number }

const DUE = 'kind, id, region, generation, failures, ordinal'

function next(round: Round, rows: readonly Claimed[]): readonly ClaimedWork[] {
  const isLater = ({ ordinal }: Claimed) => Number(ordinal <= round.at || ordinal > round.end)
  const inTurn = rows.toSorted((one, other) => isLater(one) - isLater(other) || one.ordinal - other.ordinal)
  const last = inTurn.at(-1)
  if (last) {
    if (isLater(last)) Object.assign(round, firstRound())
    round.at = last.ordinal
    round.claims += 1
    if (round.claims === OPEN_FOR_CLAIMS) round.end = last.latest
  }
  return inTurn.map(workOf)
}

const workOf = ({ kind, id, region, ordinal, generation, failures }: ClaimedWork): ClaimedWork => ({ kind, id, region, ordinal, generation, failures })

/** Frees the keys of processes that are not there any more; they are due now. Answers whether there were any. Writes nothing where there are none. */
export async function freeAbandoned(connection: Queryable): Promise<boolean> {
  const abandoned = `owner is not null and not exists (select 1 from lease l where l.name = work.owner and l.epoch = work.owner_epoch and l.expires_at > clock_timestamp())`
  const [some] = await connection.query(`select 1 from work where ${abandoned} limit 1`)
  if (!some) return false
  await connection.query(
    `update work set owner = null, owner_epoch = null, due_at = 0
     where (kind, id) in (select kind, id from work where ${abandoned} order by kind, id for update skip locked)`,
  )
  return true
}
