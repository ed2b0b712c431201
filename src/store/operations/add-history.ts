import type { HistoryRow } from '#model/settle.ts'
import type { TransactionConnection } from '../connection/database.ts'
import { jsonOf } from '../connection/statements.ts'
import { historyRow } from '../records/rows.ts'
import type { UnitOfWork } from '../unit-of-work.ts'

/** From so many rows on it costs less to wait for the sequencer's lock than to write each row once more. */
const MANY = 10

const COLUMNS = 'at, account_id, region, kind, id, name, cluster_id, phase, conditions, rule, because, evidence, caused_by, operation'

/** Whoever has this lock is the sequencer until its transaction ends. */
export const LOCK_SEQUENCER = 'select 1 from sequencer for update'

/** Gives positions to committed rows that have none, in the order of their insertion; answers how many, as `numbered`. Under the lock. */
export function numberWaiting(limit = ''): string {
  return `with fresh as (
       select ordinal, (select last from sequencer) + row_number() over (order by ordinal) as position
       from (select ordinal from status_change where position is null order by ordinal ${limit}) unnumbered
     ),
     numbered as (update status_change s set position = fresh.position from fresh where s.ordinal = fresh.ordinal returning s.position),
     moved as (update sequencer set last = numbers.last from (select max(position) as last from numbered having count(*) > 0) numbers)
     select count(*) as numbered from numbered`
}

/**
 * Sends the rows of a transaction as its last statements, without waiting; answers whether they get their positions by its commit. A few are numbered after it, so that small transactions wait for nobody.
 * Of many the transaction is the sequencer itself: those that are committed and wait for their positions come first, as some may be of the same resources.
 */
export function addHistory(connection: TransactionConnection, work: UnitOfWork, history: readonly HistoryRow[]): boolean {
  if (history.length === 0) return false
  const rows = jsonOf(history.map(row => {
    const { id } = row.resource
    const owner = (work.clusters.get(id) ?? work.nodePools.get(id) ?? work.nodes.get(id) ?? work.addons.get(id))?.now
    if (!owner) throw new Error(`E-HISTORY: ${id} is in the history and not in the transaction`)
    return historyRow(row, owner)
  }))
  const populated = 'json_populate_recordset(null::status_change, $1::json)'
  if (history.length < MANY) {
    connection.send(`insert into status_change (${COLUMNS}) select ${COLUMNS} from ${populated}`, [rows])
    return false
  }
  connection.send(LOCK_SEQUENCER)
  connection.send(numberWaiting())
  connection.send(`insert into status_change (position, ${COLUMNS}) select (select last from sequencer) + ordinality, ${COLUMNS} from ${populated} with ordinality`, [rows])
  connection.send('update sequencer set last = last + $1::bigint', [history.length])
  return true
}
