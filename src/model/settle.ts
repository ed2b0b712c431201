import type { AddonRecord } from './addon/record.ts'
import { ADDON_RULES } from './addon/rules.ts'
import { addonSight } from './addon/sight.ts'
import { ADDON_CONDITIONS_TOGETHER, ADDON_STATUS, type AddonStatus } from './addon/status.ts'
import type { ClusterRecord, NodeCounts, Said } from './cluster/record.ts'
import { CHILDREN_FAIL_UNDER, CLUSTER_RULES } from './cluster/rules.ts'
import { clusterSight } from './cluster/sight.ts'
import { CLUSTER_CONDITIONS_TOGETHER, CLUSTER_STATUS, type ClusterStatus } from './cluster/status.ts'
import { countMove, NO_NODES, sameCounts, sumCounts } from './counts.ts'
import type { Evidence, ResourceName } from './evidence.ts'
import type { NodePoolRecord } from './node-pool/record.ts'
import { NODE_POOL_RULES } from './node-pool/rules.ts'
import { nodePoolSight } from './node-pool/sight.ts'
import { NODE_POOL_CONDITIONS_TOGETHER, NODE_POOL_STATUS, type NodePoolStatus } from './node-pool/status.ts'
import type { NodeRecord } from './node/record.ts'
import { NODE_RULES } from './node/rules.ts'
import { nodeSight } from './node/sight.ts'
import { NODE_CONDITIONS_TOGETHER, NODE_STATUS, type NodeStatus } from './node/status.ts'
import { verdict, type Verdict } from './status/rules.ts'
import { isAllowed, sameStatus, statusText, type AnyStatus, type ConditionSets, type StatusRow } from './status/table.ts'

/** Who wrote, what it saw, and which call asked for it; stands in the history row of the touched record. */
export interface WriterBecause {
  readonly evidence: readonly Evidence[]
  readonly causedBy?: ResourceName
  readonly operation?: string
}

/** A record as it was written: without `said` and `counts` if this transaction inserted it, with the old ones otherwise. */
export type Written<Record> = Omit<Record, 'said' | 'counts'> & Partial<Pick<Record, Extract<keyof Record, 'said' | 'counts'>>>

export interface SettleInput {
  /** What is written is of this instant. */
  readonly now: number
  /** Up to which all that happened is known, where that is not until `now`: no deadline after it has passed. */
  readonly heardUntil?: number
  /** Undefined if the transaction forgot it. */
  readonly cluster: Written<ClusterRecord> | undefined
  /** All pools of the cluster that are still there, touched or not. */
  readonly nodePools: readonly Written<NodePoolRecord>[]
  /** The touched nodes that are still there. */
  readonly nodes: readonly Written<NodeRecord>[]
  /** The touched add-ons that are still there; all of them where `stopsOrStarts` says that the cluster takes its children along. */
  readonly addons?: readonly Written<AddonRecord>[]
  /** What the transaction dropped, as it was before. `text`: why it is gone. */
  readonly forgotten: readonly Forgotten[]
  /** Of every touched record, by id; a record that is not in it is looked at only as a parent or child. */
  readonly touched: ReadonlyMap<string, WriterBecause>
}

export type Forgotten =
  | { readonly kind: 'Cluster'; readonly record: ClusterRecord; readonly because: WriterBecause; readonly text: string }
  | { readonly kind: 'NodePool'; readonly record: NodePoolRecord; readonly because: WriterBecause; readonly text: string }
  | { readonly kind: 'Addon'; readonly record: AddonRecord; readonly because: WriterBecause; readonly text: string }
  | { readonly kind: 'Node'; readonly record: NodeRecord; readonly because: WriterBecause; readonly text: string }

/** A history row before it has its position. `status` undefined: the resource is gone. */
export interface HistoryRow {
  readonly at: number
  readonly resource: ResourceName
  readonly status: AnyStatus | undefined
  readonly rule: string
  readonly because: string
  readonly evidence: readonly Evidence[]
  readonly causedBy?: ResourceName
  readonly operation?: string
}

export interface Settled {
  /** Only what must be written: records whose `said` or `counts` differ from what was read. */
  readonly cluster?: { readonly id: string; readonly said: Said<ClusterStatus>; readonly counts: NodeCounts }
  readonly nodePools: readonly { readonly id: string; readonly said: Said<NodePoolStatus>; readonly counts: NodeCounts }[]
  readonly nodes: readonly { readonly id: string; readonly said: Said<NodeStatus> }[]
  readonly addons: readonly { readonly id: string; readonly said: Said<AddonStatus> }[]
  /** In the order in which causes run: what was written itself, then what follows from it. */
  readonly history: readonly HistoryRow[]
}

/**
 * What every status and counter of one cluster is after a write: the rules over each touched node, then its pools, then the cluster; pools of a cluster that
 * is stopped, or was not seen working since, besides. Pure: the same input gives the same answer, and settling the outcome again changes nothing.
 * A row of history is written when the pair or the rule changed; when only the sentence changed, `said.because` and its evidence are brought up to date without
 * a row. `said.since` moves only if the pair moved. Rows of touched records carry the writer's evidence; rows that follow from a child or parent (and those of
 * rules that are derived by their nature, whoever wrote) carry the observer `derived` and, as `causedBy`, the record that brought them about; where only time
 * passed the observer is `deadline`. A rule that holds by facts of its own record is caused by none of its children, though one of them may have uncovered it:
 * its evidence is what those facts remember, else the observer `record`. No status is ever without evidence: a writer that saw nothing new leaves what was seen
 * before. Throws E-STATUS if a rule shows what its table does not allow.
 */
export function settle(input: SettleInput): Settled {
  const known = knownUntil(input)
  const nodes = input.nodes.map(node => change(node, NODES, verdict(NODE_RULES, nodeSight(node, known)), input))
  const ownVerdict = input.cluster && verdict(CLUSTER_RULES, clusterSight(input.cluster, [], known))
  const clusterStops = stopsChildren(ownVerdict)
  // Its pools follow it only into a stop and out of it.
  const clusterCause = input.cluster && (clusterStops || stopsChildren(input.cluster.said)) ? clusterName(input.cluster) : undefined

  const nodeChanges: ChildChange[] = [...nodes, ...forgottenOf(input, 'Node')]
  const pools = input.nodePools.map(pool => {
    const members = nodeChanges.filter(node => node.parentId === pool.id)
    const counts = members
      .reduce((sum, node) => countMove(sum, node.from?.phase as NodeStatus['phase'] | undefined, node.to?.phase as NodeStatus['phase'] | undefined), pool.counts ?? NO_NODES)
    const seen = nodePoolSight({ facts: pool.facts, counts }, ownVerdict, known)
    const found = verdict(NODE_POOL_RULES, seen)
    const mover = clusterStops ? undefined : members.findLast(hasStopped)?.name ?? members.findLast(phaseMoved)?.name
    const causes = { derived: (clusterStops ? undefined : movingNode(members, found.rule === pool.said?.rule ? pool.said.causedBy : undefined)) ?? clusterCause, ended: mover ?? clusterCause }
    return { ...change(pool, POOLS, found, input, causes), counts, countsMoved: !pool.counts || !sameCounts(pool.counts, counts) }
  })

  const cluster = input.cluster && settleCluster(input.cluster, pools, input)
  const addons = (input.addons ?? []).map(addon => change(addon, ADDONS, verdict(ADDON_RULES, addonSight(addon, cluster, known)), input, { derived: clusterCause, ended: clusterCause }))
  return {
    ...(cluster && (cluster.written || cluster.countsMoved) ? { cluster: { id: cluster.id, said: cluster.said, counts: cluster.counts } } : {}),
    nodePools: pools.filter(pool => pool.written || pool.countsMoved).map(({ id, said, counts }) => ({ id, said, counts })),
    nodes: nodes.filter(node => node.written).map(({ id, said }) => ({ id, said })),
    addons: addons.filter(addon => addon.written).map(({ id, said }) => ({ id, said })),
    history: inOrderOfCause([...nodes, ...addons, ...pools, ...(cluster ? [cluster] : [])].flatMap(one => one.history), [...input.forgotten].map(gone => goneRow(gone, input.now)), input.touched),
  }
}

function settleCluster(record: Written<ClusterRecord>, pools: readonly (Change<NodePoolStatus> & { counts: NodeCounts })[], input: SettleInput) {
  const counts = sumCounts(pools.map(pool => pool.counts))
  const seen = clusterSight(record, pools.map(pool => ({ id: pool.id, name: pool.name.name, status: pool.said.status, because: pool.said.because, failed: pool.counts.failed })), knownUntil(input))
  const movedPool = [...pools, ...forgottenOf(input, 'NodePool')].findLast(phaseMoved)
  const found = verdict(CLUSTER_RULES, seen)
  const known = found.rule === record.said?.rule ? record.said.causedBy?.id : undefined
  const told = record.facts.deletion ? seen.stuckPools : seen.movingPools
  const moving = pools.filter(pool => told.some(one => one.id === pool.id)).toSorted((one, other) => one.said.since - other.said.since || (one.id < other.id ? -1 : 1))
  const cause = moving.find(pool => pool.id === known) ?? (known === undefined ? moving.find(pool => pool.id === movedPool?.name.id) : undefined) ?? moving[0]
  return { ...change(record, CLUSTERS, found, input, { derived: cause?.name, ended: movedPool?.name }), counts, countsMoved: !record.counts || !sameCounts(record.counts, counts) }
}

function knownUntil({ now, heardUntil }: SettleInput): number {
  return heardUntil ?? now
}

/** The node by which a pool is Scaling: the one that is known for it, for as long as nobody hears that it has stopped coming or going. */
function movingNode(members: readonly ChildChange[], known: ResourceName | undefined): ResourceName | undefined {
  if (known !== undefined && !members.some(node => node.name.id === known.id && !comesOrGoes(node.to))) return known
  return (members.findLast(node => comesOrGoes(node.to) && phaseMoved(node)) ?? members.find(node => comesOrGoes(node.to)))?.name
}

function comesOrGoes(status: AnyStatus | undefined): boolean {
  return status?.phase === 'Creating' || status?.phase === 'Deleting'
}

function hasStopped({ from, to }: ChildChange): boolean {
  return comesOrGoes(from) && !comesOrGoes(to)
}

interface Kind<Record, Status> {
  readonly rows: readonly StatusRow[]
  readonly together: ConditionSets
  readonly nameOf: (record: Written<Record>) => ResourceName
  readonly parentOf: (record: Written<Record>) => string | undefined
  readonly statusType?: Status
}
const CLUSTERS: Kind<ClusterRecord, ClusterStatus> = { rows: CLUSTER_STATUS, together: CLUSTER_CONDITIONS_TOGETHER, nameOf: clusterName, parentOf: () => undefined }
const POOLS: Kind<NodePoolRecord, NodePoolStatus> = { rows: NODE_POOL_STATUS, together: NODE_POOL_CONDITIONS_TOGETHER, nameOf: nodePoolName, parentOf: pool => pool.clusterId }
const ADDONS: Kind<AddonRecord, AddonStatus> = { rows: ADDON_STATUS, together: ADDON_CONDITIONS_TOGETHER, nameOf: addonName, parentOf: addon => addon.clusterId }
const NODES: Kind<NodeRecord, NodeStatus> = { rows: NODE_STATUS, together: NODE_CONDITIONS_TOGETHER, nameOf: nodeName, parentOf: node => node.nodePoolId }

interface ChildChange {
  readonly name: ResourceName
  readonly parentId: string | undefined
  readonly from: AnyStatus | undefined
  readonly to: AnyStatus | undefined
}

/** Who may have brought a status about that follows from others. */
interface Causes {
  /** The child or parent of which a derived rule speaks. */
  readonly derived?: ResourceName | undefined
  /** Who ended what stood above the rule that holds now. */
  readonly ended?: ResourceName | undefined
}

interface Change<Status> extends ChildChange {
  readonly id: string
  readonly said: Said<Status>
  /** The pair or the rule changed. */
  readonly moved: boolean
  /** Something of `said` changed. */
  readonly written: boolean
  readonly history: readonly HistoryRow[]
}

function change<Record extends { readonly id: string; readonly said: Said<Status> }, Status extends AnyStatus>(
  record: Written<Record>, kind: Kind<Record, Status>, found: Verdict<Status>, input: SettleInput, causes: Causes = {},
): Change<Status> {
  if (!isAllowed(kind.rows, kind.together, found.status)) throw new Error(`E-STATUS: the rule "${found.rule}" shows ${statusText(found.status)}, which its table does not allow`)
  const before = record.said as Said<Status> | undefined
  const name = kind.nameOf(record)
  const writer = input.touched.get(record.id as string)
  const pairMoved = !before || !sameStatus(before.status, found.status)
  const moved = pairMoved || before?.rule !== found.rule
  const written = moved || before?.because !== found.because
  const isOwn = writer !== undefined && !found.derived
  // What holds by facts of its own has no child or parent for a cause, though one of them may have uncovered it.
  const derivedFrom = found.derived ? causes.derived : found.rest ? causes.ended : undefined
  // Under the same rule a cause stays what it was until another one is known.
  const causedBy = (isOwn ? writer.causedBy : derivedFrom ?? writer?.causedBy) ?? (moved ? undefined : before?.causedBy)
  const seen = writer && writer.evidence.length > 0 ? writer.evidence : undefined
  const from = derivedFrom ?? (moved ? undefined : causes.ended)
  const saw = (isOwn ? seen : undefined)
    ?? (from && !isOwn ? [derivedEvidence(from, found.because, input.now)] : undefined)
    ?? seen
    ?? (!moved && before && before.evidence.length > 0 ? before.evidence : undefined)
    ?? (found.evidence.length > 0 ? [] : [writer ? timeEvidence(found.because, input.now) : ownEvidence(name, found.because, input.now)])
  const evidence = [...saw, ...found.evidence.filter(one => !saw.some(other => isSame(one, other)))]
  const said: Said<Status> = !written && before ? before : {
    status: found.status, since: pairMoved ? input.now : (before?.since ?? input.now), rule: found.rule, because: found.because, evidence, ...(causedBy ? { causedBy } : {}),
  }
  const history = moved ? [{
    at: input.now, resource: name, status: found.status, rule: found.rule, because: found.because, evidence: said.evidence,
    ...(said.causedBy ? { causedBy: said.causedBy } : {}), ...(writer?.operation ? { operation: writer.operation } : {}),
  }] : []
  return { id: record.id as string, name, parentId: kind.parentOf(record), from: before?.status, to: found.status, said, moved, written, history }
}

/** True where what was written, or time alone, takes a cluster's children into a stop, on in it, or out of it: then all its add-ons are settled with it. */
export function stopsOrStarts(cluster: Written<ClusterRecord>, now: number): boolean {
  const found = verdict(CLUSTER_RULES, clusterSight(cluster, [], now))
  return found.rule !== cluster.said?.rule && (stopsChildren(cluster.said) || stopsChildren(found))
}

function stopsChildren(cluster: { readonly rule: string } | undefined): boolean {
  return cluster !== undefined && cluster.rule in CHILDREN_FAIL_UNDER
}

function phaseMoved(child: ChildChange): boolean {
  return child.from?.phase !== child.to?.phase
}

function derivedEvidence(from: ResourceName, fact: string, now: number): Evidence {
  return { observer: 'derived', source: `${from.kind} ${from.name}`, observedAt: now, fact }
}

/** Nobody wrote it: what stood above it has ended, and this is what its record has known before. */
function ownEvidence({ kind, name }: ResourceName, fact: string, now: number): Evidence {
  return { observer: 'record', source: `${kind} ${name}`, observedAt: now, fact }
}

function isSame(one: Evidence, other: Evidence): boolean {
  return one.observer === other.observer && one.source === other.source && one.observedAt === other.observedAt && one.fact === other.fact
}

/** Nobody saw anything new: a deadline or dwell ran out. */
function timeEvidence(fact: string, now: number): Evidence {
  return { observer: 'deadline', source: 'clock of the region', observedAt: now, fact }
}

function forgottenOf(input: SettleInput, kind: 'NodePool' | 'Node'): ChildChange[] {
  return input.forgotten.filter(gone => gone.kind === kind).map(gone => ({
    name: forgottenName(gone), parentId: gone.kind === 'Node' ? gone.record.nodePoolId : gone.kind === 'NodePool' ? gone.record.clusterId : undefined, from: gone.record.said.status, to: undefined,
  }))
}

function goneRow(gone: Forgotten, now: number): HistoryRow {
  const { evidence, causedBy, operation } = gone.because
  return { at: now, resource: forgottenName(gone), status: undefined, rule: 'gone', because: gone.text, evidence, ...(causedBy ? { causedBy } : {}), ...(operation ? { operation } : {}) }
}

/** Own rows first, then the rows of what is gone, then derived ones; each group from the node up. */
function inOrderOfCause(rows: readonly HistoryRow[], gone: readonly HistoryRow[], touched: ReadonlyMap<string, WriterBecause>): HistoryRow[] {
  const isOwn = (row: HistoryRow) => touched.has(row.resource.id)
  return [...rows.filter(isOwn), ...gone, ...rows.filter(row => !isOwn(row))]
}

function forgottenName(gone: Forgotten): ResourceName {
  if (gone.kind === 'Cluster') return clusterName(gone.record)
  if (gone.kind === 'Addon') return addonName(gone.record)
  return gone.kind === 'NodePool' ? nodePoolName(gone.record) : nodeName(gone.record)
}

export function clusterName(cluster: { readonly id: string; readonly spec: { readonly name: string } }): ResourceName {
  return { kind: 'Cluster', id: cluster.id, name: cluster.spec.name }
}

export function nodePoolName(pool: { readonly id: string; readonly clusterId: string; readonly spec: { readonly name: string } }): ResourceName {
  return { kind: 'NodePool', id: pool.id, name: pool.spec.name, clusterId: pool.clusterId }
}

export function addonName(addon: { readonly id: string; readonly clusterId: string; readonly spec: { readonly name: string } }): ResourceName {
  return { kind: 'Addon', id: addon.id, name: addon.spec.name, clusterId: addon.clusterId }
}

export function nodeName(node: { readonly id: string; readonly clusterId: string; readonly spec: { readonly name: string } }): ResourceName {
  return { kind: 'Node', id: node.id, name: node.spec.name, clusterId: node.clusterId }
}
