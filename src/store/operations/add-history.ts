import type { HistoryRow } from '#model/settle.ts'
import type { TransactionConnection } from '../connection/database.ts'
import { sentRows, type SentRows } from '../connection/sent-rows.ts'
import { COLUMNS_OF } from '../records/columns.ts'
import { historyRow } from '../records/rows.ts'
import type { UnitOfWork } from '../unit-of-work.ts'

/** From so many rows on it costs less to wait for the sequencer's lock than to write each row once more. */
const MANY = 10

/** Whoever has this lock is the sequencer until its transaction ends. */
export const LOCK_SEQUENCER = 'select 1 from sequencer for update'

/** In one transaction; more are left to the next, so that readers never wait long. */
export const NUMBERED_AT_ONCE = 10_000

/** Gives positions to committed rows that have none, in the order of their insertion; answers how many, as `numbered`. Under the lock. */
export const NUMBER_WAITING = `with fresh as (
     select ordinal, (select last from sequencer) + row_number() over (order by ordinal) as position
     from (select ordinal from status_change where position is null order by ordinal limit ${NUMBERED_AT_ONCE}) unnumbered
   ),
   numbered as (update status_change s set position = fresh.position from fresh where s.ordinal = fresh.ordinal returning s.position),
   moved as (update sequencer set last = numbers.last from (select max(position) as last from numbered having count(*) > 0) numbers)
   select count(*) as numbered from numbered`

/** Behind rows that still have no position, these get theirs later, too. */
const addNumbered = ({ names, selected, source, next }: SentRows) => `with behind as materialized (select exists (select 1 from status_change where position is null) as others),
   moved as (update sequencer set last = last + ${next}::bigint where not (select others from behind)),
   added as (
     insert into status_change (position, ${names})
     select case when (select others from behind) then null else (select last from sequencer) + sent.ordinality end, ${selected} from ${source} with ordinality as sent (${names}, ordinality)
   )
   select not others as numbered from behind`

/** What a transaction added to the history. */
export interface HistoryAdded {
  readonly rows: number
  /** Once it is committed: whether they have their positions, as it was the sequencer itself. */
  readonly isNumbered: () => boolean
}

/**
 * Sends the rows of a transaction as its last statements, without waiting. A few are numbered after the commit, so that small transactions wait for nobody. Of many the transaction is the sequencer itself: those
 * that are committed and wait for their positions come first, as some may be of the same resources.
 */
export function addHistory(connection: TransactionConnection, work: UnitOfWork, history: readonly HistoryRow[]): HistoryAdded {
  const count = history.length
  if (count === 0) return { rows: 0, isNumbered: () => true }
  const rows = sentRows<string>(COLUMNS_OF.status_change, history.map(row => {
    const { id } = row.resource
    const owner = (work.clusters.get(id) ?? work.nodePools.get(id) ?? work.nodes.get(id) ?? work.addons.get(id))?.now
    if (!owner) throw new Error(`E-HISTORY: ${id} is in the history and not in the transaction`)
    return historyRow(row, owner)
  }))
  if (count < MANY) {
    connection.send(rows.into('status_change'), rows.values)
    return { rows: count, isNumbered: () => false }
  }
  connection.send(LOCK_SEQUENCER)
  connection.send(NUMBER_WAITING)
  const said = connection.send<{ numbered: boolean }>(addNumbered(rows), [...rows.values, count])
  return { rows: count, isNumbered: () => said.rows[0]?.numbered === true }
}
