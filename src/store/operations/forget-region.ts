import type { Queryable } from '../connection/database.ts'
import { tallying } from './tally-costs.ts'

/** Tables without a column of their own for the region: their rows go with those that they are of. */
const BY_OWNER = [
  `delete from node_token where machine_id in (select id from machine where region = $1) or node_id in (select id from node where region = $1)`,
  // Tombstones of clusters that are gone as well: a region with the same seed gives the same secrets, and its machines would be taken for removed ones. The ledger knows every cluster that there was.
  `delete from machine_secret where cluster_id in (select id from cluster where region = $1 union select cluster_id from ledger where region = $1)`,
  `delete from cluster_range where cluster_id in (select id from cluster where region = $1)`,
  // Names that begin with a prefix, by the index of names; the character after "/" is "0".
  `delete from secret where name >= 'region/' || $1 || '/' and name < 'region/' || $1 || '0'`,
  `delete from secret where name in (select s.name from cluster c join secret s on s.name >= 'cluster/' || c.id || '/' and s.name < 'cluster/' || c.id || '0' where c.region = $1)`,
  `delete from sight where key_region = $1 or subject in (select subject from watch where split_part(subject, '/', 2) = $1 or split_part(subject, '/', 2) in (select id from cluster where region = $1))`,
  `delete from watch where (split_part(subject, '/', 2) = $1 and subject <> 'region/' || $1) or split_part(subject, '/', 2) in (select id from cluster where region = $1)`,
]

/**
 * What others write under these locks is committed before anything is removed; who comes later waits and finds that its region, cluster or machine is gone. So nothing is left that came between two of the
 * statements below.
 */
const LOCKS = [
  'select 1 from region where region = $1 for update',
  'select count(*) from (select 1 from cluster where region = $1 order by id for update) locked',
  'select count(*) from (select 1 from machine where region = $1 order by id for update) locked',
]

/** Children before their parents, and the region itself last. The history stays: it is only added to. */
const FIRST = ['addon', 'node', 'node_pool'], LAST = ['cluster', 'region'], STAYS = ['status_change', 'node_tally', 'ledger_tally']

/** All rows of a region, in whatever tables there are that name it. */
export async function forgetRegion(connection: Queryable, region: string): Promise<void> {
  for (const text of LOCKS) await connection.query(text, [region])
  const named = await connection.query<{ table_name: string }>(
    `select table_name from information_schema.columns where table_schema = current_schema() and column_name = 'region' order by table_name`,
  )
  const others = named.map(row => row.table_name).filter(name => !['node_status', 'ledger', ...FIRST, ...LAST, ...STAYS].includes(name))
  for (const text of BY_OWNER) await connection.query(text, [region])
  // In the order in which whoever counts nodes and costs anew takes them.
  await connection.query('lock table ledger, ledger_tally in row exclusive mode')
  await connection.query('lock table node_status in row exclusive mode')
  // Rows of the tally are only added: whoever sums them up at this moment would keep what was deleted, and wait for this transaction.
  await connection.query(
    `with gone as (delete from node_status where region = $1 returning account_id, region, phase, conditions)
     insert into node_tally (account_id, region, phase, conditions, nodes) select account_id, region, phase, conditions, -count(*) from gone group by account_id, region, phase, conditions`,
    [region],
  )
  await connection.query(`with gone as (delete from ledger where region = $1 returning account_id, region, spent, price, priced_at) ${tallying('select account_id, region, spent, price, priced_at, -1 as sign from gone')}`, [region])
  for (const table of [...FIRST, ...others, ...LAST]) await connection.query(`delete from ${table} where region = $1`, [region])
}
