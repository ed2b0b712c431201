import type { AddonRecord } from '#model/addon/record.ts'
import type { ClusterRecord } from '#model/cluster/record.ts'
import type { NodePoolRecord } from '#model/node-pool/record.ts'
import type { NodeRecord } from '#model/node/record.ts'
import type { HistoryRow } from '#model/settle.ts'
import { CLUSTER_WATCHES, clusterWatch } from '#ports/queue.ts'
import type { SightKind } from '#ports/store.ts'
import type { TransactionConnection } from '../connection/database.ts'
import { NO_TEXT } from '../connection/statements.ts'
import { addonRow, clusterRow, historyRow, nodePoolRow, nodeRow } from '../records/rows.ts'
import type { Tracked, UnitOfWork } from '../unit-of-work.ts'
import { tallyOf } from './tally-nodes.ts'

type Table = 'cluster' | 'node_pool' | 'node' | 'addon'
type AnyRecord = ClusterRecord | NodePoolRecord | NodeRecord | AddonRecord

/** Columns that follow from a record's spec, beside that itself. */
const OF_SPEC: Readonly<Record<Table, readonly string[]>> = {
  cluster: ['name', 'delete_protection', 'pod_network_mode', 'profile', 'tags'],
  node_pool: ['name', 'type', 'auto_scaling', 'tags'],
  node: ['name', 'address', 'machine_id', 'instance_id'],
  addon: ['name', 'deploy_mode', 'deploy_node_type'],
}

interface Statement {
  readonly text: string
  readonly values: readonly unknown[]
}

/** Sends what a unit of work did, without waiting: parents are inserted before children and deleted after them. One statement a table and kind of write, however many rows. */
export function writeRecords(connection: TransactionConnection, work: UnitOfWork, history: readonly HistoryRow[]): void {
  const goneNodes = goneIds(work.nodes)
  const gonePools = goneIds(work.nodePools)
  const goneClusters = goneIds(work.clusters)
  const statements = [
    ...writesOf('cluster', work.clusters, clusterRow),
    ...writesOf('node_pool', work.nodePools, nodePoolRow),
    ...writesOf('node', work.nodes, nodeRow),
    ...writesOf('addon', work.addons, addonRow),
    ...deletesOf('addon', goneIds(work.addons)),
    ...deletesOf('node', goneNodes),
    ...deletesOf('node_pool', gonePools),
    ...deletesOf('cluster', goneClusters),
    ...watchesOf(goneClusters),
    ...endsWithParents(work.now, gonePools, goneClusters),
    ...historyOf(work, history),
    ...tallyOf(work),
  ]
  for (const { text, values } of statements) connection.send(text, values)
}

function writesOf<Written extends AnyRecord>(table: Table, tracked: ReadonlyMap<string, Tracked<Written>>, rowOf: (record: Written) => object): Statement[] {
  const changed = [...tracked.values()].filter(one => one.changed && !one.gone)
  const inserted = changed.filter(one => !one.before).map(one => rowOf(one.now))
  const insert = { text: `insert into ${table} select * from json_populate_recordset(null::${table}, $1::json)`, values: [jsonOf(inserted)] }
  // Whoever has nodes below it is written at each of their changes: of most of these only its counters move.
  const moved = changed.flatMap(({ before, now }) => (before ? [{ columns: movedColumns(table, before, now), now }] : [])).filter(({ columns }) => columns.length > 0)
  const [counters, others] = parted(moved, ({ columns }) => columns.length === 1 && columns[0] === 'counts')
  return [...(inserted.length > 0 ? [insert] : []), ...[counters, others].flatMap(some => (some.length > 0 ? [updateOf(table, some, rowOf)] : []))]
}

/** All rows get what moved in any of them. */
function updateOf<Written extends AnyRecord>(table: Table, moved: readonly { readonly columns: readonly string[]; readonly now: Written }[], rowOf: (record: Written) => object): Statement {
  const columns = [...new Set(moved.flatMap(one => one.columns))].sort()
  const kept = new Set(['id', ...columns])
  const rows = moved.map(({ now }) => Object.fromEntries(Object.entries(rowOf(now)).filter(([name]) => kept.has(name))))
  return {
    text: `update ${table} t set ${columns.map(column => `${column} = r.${column}`).join(', ')} from json_populate_recordset(null::${table}, $1::json) r where t.id = r.id`,
    values: [jsonOf(rows)],
  }
}

/** The parts of a record are replaced and never changed, so that those which stayed are the same. */
function movedColumns(table: Table, before: AnyRecord, now: AnyRecord): readonly string[] {
  return [
    ...(now.revision === before.revision && now.updatedAt === before.updatedAt ? [] : ['revision', 'updated_at']),
    ...(now.updateClientToken === before.updateClientToken ? [] : ['update_client_token']),
    ...(now.spec === before.spec ? [] : ['spec', ...OF_SPEC[table]]),
    ...(now.facts === before.facts ? [] : ['facts']),
    ...(now.said === before.said ? [] : ['said', 'phase', 'conditions']),
    ...(countsOf(now) === countsOf(before) ? [] : ['counts']),
    ...(table === 'cluster' && addressOf(now) !== addressOf(before) ? ['address'] : []),
  ]
}

function countsOf(record: AnyRecord): unknown {
  return 'counts' in record ? record.counts : undefined
}

function addressOf(record: AnyRecord): unknown {
  return 'address' in record ? record.address : undefined
}

function parted<Item>(items: readonly Item[], isFirst: (item: Item) => boolean): [first: readonly Item[], second: readonly Item[]] {
  return [items.filter(isFirst), items.filter(item => !isFirst(item))]
}

function goneIds<Written extends AnyRecord>(tracked: ReadonlyMap<string, Tracked<Written>>): string[] {
  return [...tracked.values()].filter(one => one.gone && one.before).map(one => one.now.id)
}

const SIGHT_OF: Partial<Record<Table, SightKind>> = { cluster: 'ControlPlane', node: 'KubernetesNode' }

/** A ClientToken is free again once its resource is gone (design 6); what was seen of it is of no use to anybody. */
function deletesOf(table: Table, ids: readonly string[]): Statement[] {
  if (ids.length === 0) return []
  return [
    { text: `delete from ${table} where id = any($1::text[])`, values: [ids] },
    { text: 'delete from client_token where resource_id = any($1::text[])', values: [ids] },
    ...(table === 'node' ? [{ text: 'delete from node_token where node_id = any($1::text[])', values: [ids] }] : []),
    ...(SIGHT_OF[table] === undefined ? [] : [{ text: 'delete from sight where kind = $2 and id = any($1::text[])', values: [ids, SIGHT_OF[table]] }]),
  ]
}

/** Whoever still holds such a watch has lost it. The watch is locked before its sights, as by who writes them. */
function watchesOf(clusterIds: readonly string[]): Statement[] {
  if (clusterIds.length === 0) return []
  const subjects = clusterIds.flatMap(id => CLUSTER_WATCHES.map(what => clusterWatch(what, id)))
  return [
    { text: 'select 1 from watch where subject = any($1::text[]) order by subject for update', values: [subjects] },
    { text: 'delete from sight where subject = any($1::text[])', values: [subjects] },
    { text: 'delete from watch where subject = any($1::text[])', values: [subjects] },
  ]
}

/** Scripts and kubeconfigs end with what they lead to; a script's row stays, so that who still runs it is told since when. */
function endsWithParents(now: number, poolIds: readonly string[], clusterIds: readonly string[]): Statement[] {
  if (poolIds.length + clusterIds.length === 0) return []
  return [
    { text: 'update onboarding set deleted_at = $3 where deleted_at is null and (node_pool_id = any($1::text[]) or cluster_id = any($2::text[]))', values: [poolIds, clusterIds, now] },
    { text: 'delete from kubeconfig where cluster_id = any($1::text[])', values: [clusterIds] },
    { text: 'delete from cluster_range where cluster_id = any($1::text[])', values: [clusterIds] },
  ]
}

const HISTORY_COLUMNS = 'at, account_id, region, kind, id, name, cluster_id, phase, conditions, rule, because, evidence, caused_by, operation'

function historyOf(work: UnitOfWork, history: readonly HistoryRow[]): Statement[] {
  if (history.length === 0) return []
  const rows = history.map(row => {
    const { id } = row.resource
    const owner = (work.clusters.get(id) ?? work.nodePools.get(id) ?? work.nodes.get(id) ?? work.addons.get(id))?.now
    if (!owner) throw new Error(`E-HISTORY: ${id} is in the history and not in the transaction`)
    return historyRow(row, owner)
  })
  return [{ text: `insert into status_change (${HISTORY_COLUMNS}) select ${HISTORY_COLUMNS} from json_populate_recordset(null::status_change, $1::json)`, values: [jsonOf(rows)] }]
}

/** As JSON that PostgreSQL takes: the last words of a program may hold bytes that are no text, and would keep a status from ever being written. */
function jsonOf(rows: readonly object[]): string {
  const text = JSON.stringify(rows)
  if (!NO_TEXT.test(text)) return text
  return JSON.stringify(rows, (_name, value: unknown) => (typeof value === 'string' ? value.replaceAll('\0', '\uFFFD').toWellFormed() : value))
}
