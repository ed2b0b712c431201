import type { AddonRecord } from '#model/addon/record.ts'
import type { ClusterRecord } from '#model/cluster/record.ts'
import type { NodePoolRecord } from '#model/node-pool/record.ts'
import type { NodeRecord } from '#model/node/record.ts'
import { CLUSTER_WATCHES, clusterWatch } from '#ports/queue.ts'
import type { SightKind } from '#ports/store.ts'
import type { TransactionConnection } from '../connection/database.ts'
import { sentRows } from '../connection/sent-rows.ts'
import { COLUMNS_OF, someOf } from '../records/columns.ts'
import { versionOf, type KnownInTransaction, type RecordsMet, type Versioned } from '../records/known-records.ts'
import { addonRow, clusterRow, nodePoolRow, nodeRow, nodeStatusRow } from '../records/rows.ts'
import type { Tracked, UnitOfWork } from '../unit-of-work.ts'
import { tallyOf } from './tally-nodes.ts'

type Table = 'cluster' | 'node_pool' | 'node' | 'addon'
type AnyRecord = ClusterRecord | NodePoolRecord | NodeRecord | AddonRecord

/** What moved of a record, from the least: what its children count; what is known and shown of it; anything else. */
const EXTENTS = ['counts', 'state', 'all'] as const
type Extent = (typeof EXTENTS)[number]

const NODE_STATE = ['revision', 'updated_at', 'facts', 'said'], STATE = [...NODE_STATE, 'phase', 'conditions']
const REST = ['update_client_token', 'name', 'spec']

/** Columns that are written of each extent. A few sets, as each is a statement that every connection prepares. */
const COLUMNS: Readonly<Record<Table, Readonly<Record<Extent, readonly string[]>>>> = {
  cluster: { counts: ['counts'], state: [...STATE, 'counts'], all: [...STATE, 'counts', ...REST, 'delete_protection', 'pod_network_mode', 'profile', 'tags', 'address'] },
  node_pool: { counts: ['counts'], state: [...STATE, 'counts'], all: [...STATE, 'counts', ...REST, 'type', 'auto_scaling', 'tags'] },
  node: { counts: [], state: NODE_STATE, all: [...NODE_STATE, ...REST, 'address', 'machine_id', 'instance_id'] },
  addon: { counts: [], state: STATE, all: [...STATE, ...REST, 'deploy_mode', 'deploy_node_type'] },
}

interface Statement {
  readonly text: string
  readonly values: readonly unknown[]
}

/** Sends what a unit of work did, without waiting: parents are inserted before children and deleted after them. One statement a table and kind of write, however many rows. */
export function writeRecords(connection: TransactionConnection, known: KnownInTransaction, work: UnitOfWork): void {
  const goneNodes = goneIds(work.nodes)
  const gonePools = goneIds(work.nodePools)
  const goneClusters = goneIds(work.clusters)
  const send = (statements: readonly Statement[]) => statements.map(({ text, values }) => connection.send<Versioned>(text, values))
  const write = <Written extends AnyRecord>(table: Table, records: RecordsMet<Written>, tracked: ReadonlyMap<string, Tracked<Written>>, rowOf: (record: Written) => object) => {
    for (const written of send(writesOf(table, tracked, rowOf))) records.wrote(written, id => tracked.get(id)?.now)
    for (const id of goneIds(tracked)) records.drop(id)
  }
  write('cluster', known.clusters, work.clusters, clusterRow)
  write('node_pool', known.nodePools, work.nodePools, nodePoolRow)
  write('node', known.nodes, work.nodes, nodeRow)
  send(nodeStatusesOf(work.nodes))
  write('addon', known.addons, work.addons, addonRow)
  send([
    ...deletesOf('addon', goneIds(work.addons)),
    ...deletesOf('node', goneNodes),
    ...deletesOf('node_pool', gonePools),
    ...deletesOf('cluster', goneClusters),
    ...watchesOf(goneClusters),
    ...endsWithParents(work.now, gonePools, goneClusters),
    ...tallyOf(work),
  ])
}

function writesOf<Written extends AnyRecord>(table: Table, tracked: ReadonlyMap<string, Tracked<Written>>, rowOf: (record: Written) => object): Statement[] {
  const changed = [...tracked.values()].filter(one => one.changed && !one.gone)
  const inserted = changed.filter(one => !one.before).map(one => rowOf(one.now))
  // Whoever has nodes below it is written at each of their changes: of most of these only its counters move.
  const updated = Map.groupBy(changed.flatMap(({ before, now }) => (before ? [{ extent: extentOf(before, now), now }] : [])), ({ extent }) => extent)
  const updates = EXTENTS.flatMap(extent => updateOf(table, COLUMNS[table][extent], (updated.get(extent) ?? []).map(({ now }) => rowOf(now))))
  return [...insertOf(table, inserted), ...updates]
}

/** What nodes show, where it is new: it stands beside them (migration 11). */
function nodeStatusesOf(nodes: UnitOfWork['nodes']): Statement[] {
  const changed = [...nodes.values()].filter(one => one.changed && !one.gone)
  const inserted = changed.filter(({ before }) => !before), moved = changed.filter(({ before, now }) => before && !isListedSame(before, now))
  const rowsOf = (those: typeof changed) => those.map(({ now }) => nodeStatusRow(now))
  return [...insertOf('node_status', rowsOf(inserted)), ...updateOf('node_status', ['name', 'phase', 'conditions'], rowsOf(moved))]
}

function isListedSame(one: NodeRecord, other: NodeRecord): boolean {
  const { status } = one.said, now = other.said.status
  return one.spec.name === other.spec.name && status.phase === now.phase && status.conditions.join() === now.conditions.join()
}

function insertOf(table: Table | 'node_status', rows: readonly object[]): Statement[] {
  if (rows.length === 0) return []
  const { into, values } = sentRows<string>(COLUMNS_OF[table], rows)
  return [{ text: `${into(table)}${answeringVersions(table)}`, values }]
}

function updateOf(table: Table | 'node_status', columns: readonly string[], rows: readonly object[]): Statement[] {
  if (rows.length === 0) return []
  const { names, cell, source, values } = sentRows<string>(someOf(COLUMNS_OF[table], ['id', ...columns]), rows)
  return [{ text: `update ${table} t set ${columns.map(column => `${column} = ${cell(column)}`).join(', ')} from ${source} as sent (${names}) where t.id = sent.id${answeringVersions(table, 't')}`, values }]
}

/** What nodes show is known with them. */
function answeringVersions(table: Table | 'node_status', name: string = table): string {
  return table === 'node_status' ? '' : ` returning ${name}.id, ${versionOf(name)}`
}

/** Undefined where nothing moved. The parts of a record are replaced and never changed, so that those which stayed are the same. */
function extentOf(before: AnyRecord, now: AnyRecord): Extent | undefined {
  if (now.spec !== before.spec || now.updateClientToken !== before.updateClientToken || ('address' in now && now.address) !== ('address' in before && before.address)) return 'all'
  if (now.facts !== before.facts || now.said !== before.said || now.revision !== before.revision || now.updatedAt !== before.updatedAt) return 'state'
  return 'counts' in now && 'counts' in before && now.counts !== before.counts ? 'counts' : undefined
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
    ...(table === 'node' ? [
      { text: 'delete from node_status where id = any($1::text[])', values: [ids] },
      { text: 'delete from node_token where node_id = any($1::text[])', values: [ids] },
    ] : []),
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
