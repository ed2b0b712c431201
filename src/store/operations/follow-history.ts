import type { ChangesAfter, FollowFilter, HistoryStand, Scope } from '#ports/store.ts'
import { Conditions } from '../conditions.ts'
import type { Queryable } from '../connection/database.ts'
import { STATUS_CHANGE_COLUMNS, statusChangeOf, type StatusChangeRow } from '../records/status-change-row.ts'

interface Stand { readonly newest: number; readonly since: number | null }

/** One statement, and so one snapshot: whoever sees the sequencer at a position sees every row up to it. There is always a row; where nothing is behind the position its columns are null. */
export async function changesAfter(connection: Queryable, scope: Scope, filter: FollowFilter, after: number, most: number): Promise<ChangesAfter> {
  const conditions = Conditions.inScope(scope).where('position > ?', after).plain('ordinal > coalesce(stand.since, 0)').oneOf('cluster_id', filter.clusterIds).oneOf('kind', filter.kinds)
  const values = [...conditions.values, most]
  const rows = await connection.query<Stand & (StatusChangeRow | { readonly position: null })>(
    `select stand.newest, stand.since, changes.*
     from (select last as newest, (select history_after from region where region = $2) as since from sequencer) stand
     left join lateral (select ${STATUS_CHANGE_COLUMNS} from status_change where ${conditions.text} order by position limit $${values.length}::bigint) changes on true
     order by changes.position`,
    values,
  )
  const changes = rows.flatMap(row => (row.position === null ? [] : [statusChangeOf(row)]))
  const [stand] = rows, last = changes.at(-1)
  return { changes, upTo: last && changes.length === most ? last.position : Math.max(after, stand?.newest ?? 0), region: stand?.since ?? undefined }
}

/** The row that was the newest when the region was made is no row of it, and has its position before any of them; so has the first one that bears its name, if that is of an earlier region. */
export async function historyStand(connection: Queryable, scope: Scope): Promise<HistoryStand> {
  const [row] = await connection.query<Stand & { readonly first: number | null; readonly begins: number | null }>(
    `select s.last as newest, r.history_after as since, (select position from status_change where ordinal = r.history_after) as begins,
       (select ordinal from status_change where account_id = $1 and region = $2 and position is not null order by account_id, region, position limit 1) as first
     from sequencer s left join region r on r.region = $2`,
    [scope.accountId, scope.region],
  )
  if (!row) throw new Error('E-STAND: the sequencer has no row')
  const hadEarlier = row.since !== null && row.first !== null && row.first <= row.since
  return { newest: row.newest, begins: hadEarlier ? row.begins ?? row.newest : 0, region: row.since ?? undefined }
}
