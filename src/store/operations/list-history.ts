import type { Listing, Page, Scope, StatusChange } from '#ports/store.ts'
import type { HistoryFilter } from '#ports/store-filters.ts'
import { Conditions } from '../conditions.ts'
import type { Queryable } from '../connection/database.ts'
import { STATUS_CHANGE_COLUMNS, statusChangeOf, type StatusChangeRow } from '../records/status-change-row.ts'
import { listPage } from './list-page.ts'

const NEWEST_FIRST = { order: ['position desc'], key: 'position' }

/** Numbered rows only, newest first. With `at`: for each resource the row that held then, none for what was not there yet or gone. */
export function listHistory(connection: Queryable, scope: Scope, filter: HistoryFilter, page: Page): Promise<Listing<StatusChange>> {
  const conditions = Conditions.inScope(scope)
    .plain('position is not null')
    .where('ordinal > coalesce((select history_after from region r where r.region = ?), 0)', scope.region)
    .oneOf('id', filter.ids)
    .oneOf('cluster_id', filter.clusterIds)
    .oneOf('kind', filter.kinds)
  if (filter.from !== undefined) conditions.where('at >= ?', Math.floor(filter.from))
  if (filter.to !== undefined) conditions.where('at <= ?', Math.floor(filter.to))
  if (filter.at === undefined) return listPage(connection, 'status_change', STATUS_CHANGE_COLUMNS, conditions, page, statusChangeOf, NEWEST_FIRST)
  conditions.where('at <= ?', Math.floor(filter.at))
  const held = `(select distinct on (id) ${STATUS_CHANGE_COLUMNS} from status_change where ${conditions.text} order by id, position desc) held`
  const outer = conditions.continued().plain('phase is not null')
  return listPage(connection, held, STATUS_CHANGE_COLUMNS, outer, page, statusChangeOf, NEWEST_FIRST)
}

/** The newest row of one resource, also of one that is gone. */
export async function latestChange(connection: Queryable, accountId: string, id: string): Promise<StatusChange | undefined> {
  const [row] = await connection.query<StatusChangeRow>(
    `select ${STATUS_CHANGE_COLUMNS} from status_change where id = $2 and account_id = $1 and position is not null order by position desc limit 1`,
    [accountId, id],
  )
  return row && statusChangeOf(row)
}
