import type { Queryable } from '../connection/database.ts'
import { sentRows } from '../connection/sent-rows.ts'
import { COLUMNS_OF } from '../records/columns.ts'
import type { UnitOfWork } from '../unit-of-work.ts'

/**
 * How many nodes of an account in a region show what, as the sum over rows that are only added: whoever changes nodes adds what that moved, in its own transaction, so that nobody waits for
 * another and every snapshot's sum is exact. Now and then the rows are summed up.
 */
export const NODE_TALLY = ['node_tally', 'nodes'] as const

/** What a unit of work moved; nothing where no node came, went or shows something else. */
export function tallyOf(work: UnitOfWork): { readonly text: string; readonly values: readonly unknown[] }[] {
  const moved = new Map<string, number>()
  for (const { before, now, gone, changed } of work.nodes.values()) {
    if (!changed && !gone) continue
    const add = (record: typeof now, count: number) => {
      const name = JSON.stringify([record.accountId, record.region, record.said.status.phase, record.said.status.conditions])
      moved.set(name, (moved.get(name) ?? 0) + count)
    }
    if (before) add(before, -1)
    if (!gone) add(now, 1)
  }
  const rows = [...moved].flatMap(([name, nodes]) => {
    const [account_id, region, phase, conditions] = JSON.parse(name) as [string, string, string, readonly string[]]
    return nodes === 0 ? [] : [{ account_id, region, phase, conditions, nodes }]
  })
  if (rows.length === 0) return []
  const { into, values } = sentRows(COLUMNS_OF.node_tally, rows)
  return [{ text: into('node_tally'), values }]
}

/** Makes one row of all that tell of the same. Two at once are correct, but wait for each other. */
export async function sumUpTally(connection: Queryable): Promise<void> {
  await connection.query(
    `with gone as (delete from node_tally returning account_id, region, phase, conditions, nodes)
     insert into node_tally (account_id, region, phase, conditions, nodes)
     select account_id, region, phase, conditions, sum(nodes) from gone group by account_id, region, phase, conditions having sum(nodes) <> 0`,
  )
}

/**
 * Counts anew: a server of a version that did not tally may have changed nodes beside one that does, until it was ended. For a moment nobody changes nodes.
 */
export async function countNodesAnew(connection: Queryable): Promise<void> {
  await connection.query('lock table node_status in share mode')
  await connection.query('lock table node_tally in share row exclusive mode')
  await connection.query('delete from node_tally')
  await connection.query('insert into node_tally (account_id, region, phase, conditions, nodes) select account_id, region, phase, conditions, count(*) from node_status group by account_id, region, phase, conditions')
}
