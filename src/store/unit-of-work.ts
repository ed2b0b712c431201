import { isDeepStrictEqual } from 'node:util'

import type { AddonRecord } from '#model/addon/record.ts'
import type { ClusterRecord } from '#model/cluster/record.ts'
import { NO_NODES } from '#model/counts.ts'
import type { NodePoolRecord } from '#model/node-pool/record.ts'
import type { NodeRecord } from '#model/node/record.ts'
import { settle, stopsOrStarts, type Forgotten, type HistoryRow, type Settled, type SettleInput, type Written } from '#model/settle.ts'
import { StaleRevision, type Because, type WriteInstants } from '#ports/store.ts'
import { asText, isText } from './texts.ts'

/** A record in a transaction: as it was read (undefined if inserted here), as it is now, and what befell it. */
export interface Tracked<Record> {
  readonly before: Record | undefined
  now: Record
  /** The revision that the writer who goes on now may have read. */
  read: number
  /** Set once somebody wrote it or asked for a new look at it. */
  because: Because | undefined
  /** Its row differs from what was read. */
  changed: boolean
  gone: (Because & { readonly text: string }) | undefined
}

type AnyRecord = ClusterRecord | NodePoolRecord | NodeRecord | AddonRecord

/** The parts of a record that a change may replace. */
interface Change<Record extends AnyRecord> {
  readonly revision?: number
  readonly spec?: Record['spec']
  readonly facts?: Record['facts']
  readonly address?: string
  readonly updateClientToken?: string
}

/**
 * What one transaction does to clusters, pools and nodes, kept in memory until its end; then the model settles all statuses, and what differs is written.
 * PostgreSQL's transaction and the test double's are both made of it: they differ in where records come from and go to.
 */
export class UnitOfWork {
  readonly clusters = new Map<string, Tracked<ClusterRecord>>()
  readonly nodePools = new Map<string, Tracked<NodePoolRecord>>()
  readonly nodes = new Map<string, Tracked<NodeRecord>>()
  readonly addons = new Map<string, Tracked<AddonRecord>>()
  /** Told of each tree as it is settled for good, by those who settle it again. */
  onSettled?: (input: SettleInput, settled: Settled) => void

  readonly #askInstants: () => WriteInstants
  #instants: WriteInstants | undefined

  constructor(instants: () => WriteInstants) {
    this.#askInstants = instants
  }

  /** The instant of all that is written here, asked for once, and only when something is about to be. */
  get now(): number {
    return (this.#instants ??= this.#askInstants()).now
  }

  get #heardUntil(): number {
    return (this.#instants ??= this.#askInstants()).heardUntil
  }

  /** Takes in a record that was read under its lock, unless it is here already; answers what the transaction sees of it. */
  track<Record extends AnyRecord>(kept: Map<string, Tracked<Record>>, read: Record): Record | undefined {
    let tracked = kept.get(read.id)
    if (!tracked) {
      tracked = { before: read, now: read, read: read.revision, because: undefined, changed: false, gone: undefined }
      kept.set(read.id, tracked)
    }
    return tracked.gone ? undefined : tracked.now
  }

  /** Another writer goes on, in that cluster's tree or anywhere: what it read before an earlier one changed it is stale. */
  nextWriter(clusterId?: string): void {
    for (const kept of [this.clusters, this.nodePools, this.nodes, this.addons]) for (const tracked of kept.values()) {
      const tree = 'clusterId' in tracked.now ? tracked.now.clusterId : tracked.now.id
      if (clusterId === undefined || tree === clusterId) tracked.read = tracked.now.revision
    }
  }

  insertCluster(written: Written<ClusterRecord>, because: Because): ClusterRecord {
    const settled = settle({ ...this.#nothingElse(), cluster: written, touched: new Map([[written.id, because]]) })
    return insert(this.clusters, { ...written, counts: NO_NODES, said: theOnly(settled.cluster).said }, because)
  }

  insertNodePool(written: Written<NodePoolRecord>, because: Because): NodePoolRecord {
    const settled = settle({ ...this.#nothingElse(), cluster: this.#livingCluster(written.clusterId), nodePools: [written], touched: new Map([[written.id, because]]) })
    return insert(this.nodePools, { ...written, counts: NO_NODES, said: theOnly(settled.nodePools[0]).said }, because)
  }

  insertNode(written: Written<NodeRecord>, because: Because): NodeRecord {
    const settled = settle({ ...this.#nothingElse(), cluster: this.#livingCluster(written.clusterId), nodes: [written], touched: new Map([[written.id, because]]) })
    return insert(this.nodes, { ...written, said: theOnly(settled.nodes[0]).said }, because)
  }

  insertAddon(written: Written<AddonRecord>, because: Because): AddonRecord {
    const settled = settle({ ...this.#nothingElse(), cluster: this.#livingCluster(written.clusterId), addons: [written], touched: new Map([[written.id, because]]) })
    return insert(this.addons, { ...written, said: theOnly(settled.addons[0]).said }, because)
  }

  /** Deep equality decides: a change that changes nothing moves no revision, but the rules look again. Throws StaleRevision if the record moved on or is gone. */
  change<Record extends AnyRecord>(kept: Map<string, Tracked<Record>>, id: string, change: Change<Record>, because: Because): void {
    const tracked = kept.get(id)
    if (!tracked) {
      if (change.revision !== undefined) throw new StaleRevision(`${id} is gone`)
      throw new Error(`E-UNLOCKED: ${id} is written without having been locked`)
    }
    if (tracked.gone) throw new StaleRevision(`${id} is gone`)
    if (change.revision !== undefined && change.revision !== tracked.read && change.revision !== tracked.now.revision)
      throw new StaleRevision(`${id} is at revision ${tracked.now.revision}; the writer read ${change.revision}`)
    tracked.because = joined(tracked.because, because)
    const { revision: _read, ...wanted } = change
    const parts = withoutUndefined(wanted)
    const current = tracked.now as unknown as { [name: string]: unknown }
    const differing = Object.fromEntries(Object.entries(parts).filter(([name, value]) => !isDeepStrictEqual(value, current[name])))
    if (Object.keys(differing).length === 0) return
    tracked.now = { ...tracked.now, ...differing, revision: tracked.now.revision + 1, updatedAt: this.now }
    tracked.changed = true
  }

  forget(resource: { kind: 'Cluster' | 'NodePool' | 'Node' | 'Addon'; id: string }, because: Because & { text: string }): void {
    const kept = resource.kind === 'Cluster' ? this.clusters : resource.kind === 'NodePool' ? this.nodePools : resource.kind === 'Addon' ? this.addons : this.nodes
    const tracked = kept.get(resource.id)
    if (!tracked) throw new Error(`E-UNLOCKED: ${resource.id} is forgotten without having been locked`)
    tracked.gone ??= because
  }

  /** The clusters whose trees this transaction touched; all their pools must be tracked before `settle`. */
  touchedClusters(): string[] {
    const touched = <Record extends AnyRecord>(kept: Map<string, Tracked<Record>>) => [...kept.values()].filter(one => one.because ?? one.gone)
    const ids = [...touched(this.clusters).map(one => one.now.id), ...[...touched(this.nodePools), ...touched(this.nodes), ...touched(this.addons)].map(one => one.now.clusterId)]
    return [...new Set(ids)].sort()
  }

  /** Of those, the ones that take their children along into a stop or out of it; all their add-ons must be tracked, too. */
  stoppingOrStarting(): string[] {
    return this.touchedClusters().filter(id => {
      const cluster = this.clusters.get(id)
      return cluster?.before && !cluster.gone && stopsOrStarts(cluster.now, this.#heardUntil)
    })
  }

  /** Lets the model settle each touched cluster's tree, takes the outcome into the records, and answers the rows of history in order. */
  settle(): HistoryRow[] {
    const [allPools, allNodes, allAddons] = [byCluster(this.nodePools), byCluster(this.nodes), byCluster(this.addons)]
    const takingAlong = new Set(this.stoppingOrStarting())
    return this.touchedClusters().flatMap(clusterId => {
      const pools = allPools.get(clusterId) ?? [], nodes = allNodes.get(clusterId) ?? [], addons = allAddons.get(clusterId) ?? []
      const cluster = this.clusters.get(clusterId)
      const takesAlong = cluster !== undefined && takingAlong.has(clusterId)
      const wasThere = (one: Tracked<AnyRecord>) => !(one.gone && !one.before)
      const touched = [...(cluster ? [cluster] : []), ...pools, ...nodes, ...addons].flatMap(one => (one.because && !one.gone ? [[one.now.id, one.because] as const] : []))
      const input: SettleInput = {
        now: this.now,
        heardUntil: this.#heardUntil,
        cluster: cluster && !cluster.gone ? asWritten(cluster) : undefined,
        nodePools: pools.filter(one => !one.gone).map(asWritten),
        nodes: nodes.filter(one => one.because && !one.gone).map(asWritten),
        addons: addons.filter(one => !one.gone && (one.because ?? takesAlong)).map(asWritten),
        forgotten: [
          ...addons.filter(wasThere).flatMap(one => forgotten('Addon', one)),
          ...nodes.filter(wasThere).flatMap(one => forgotten('Node', one)),
          ...pools.filter(wasThere).flatMap(one => forgotten('NodePool', one)),
          ...(cluster ? [cluster] : []).filter(wasThere).flatMap(one => forgotten('Cluster', one)),
        ],
        touched: new Map(touched),
      }
      const settled = settle(input)
      this.onSettled?.(input, settled)
      this.#take(settled)
      return settled.history
    })
  }

  #take(settled: Settled): void {
    for (const { id, ...derived } of settled.cluster ? [settled.cluster] : []) bring(this.clusters, id, derived)
    for (const { id, ...derived } of settled.nodePools) bring(this.nodePools, id, derived)
    for (const { id, ...derived } of settled.nodes) bring(this.nodes, id, derived)
    for (const { id, ...derived } of settled.addons) bring(this.addons, id, derived)
  }

  #livingCluster(id: string): Written<ClusterRecord> | undefined {
    const tracked = this.clusters.get(id)
    return tracked && !tracked.gone ? tracked.now : undefined
  }

  #nothingElse() {
    return { now: this.now, cluster: undefined, nodePools: [], nodes: [], forgotten: [] }
  }
}

/** Records are compared and kept as JSON and PostgreSQL have them, so that a member that is undefined is the same as one that is absent. */
export function withoutUndefined<Value>(value: Value): Value {
  return (isPlain(value) ? value : plain(value)) as Value
}

/** Most of what is written is so already. Parts of records are replaced and never changed, so it needs no copy. */
function isPlain(value: unknown): boolean {
  if (typeof value === 'string') return isText(value)
  if (typeof value === 'boolean' || value === null) return true
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0)
  if (Array.isArray(value)) {
    for (const item of value) if (!isPlain(item)) return false
    return true
  }
  if (typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype || 'toJSON' in value) return false
  for (const name in value) if (!isPlain((value as { readonly [name: string]: unknown })[name])) return false
  return true
}

function plain(value: unknown): unknown {
  if (typeof value === 'string') return asText(value)
  if (typeof value === 'boolean' || value === null) return value
  if (typeof value === 'number') return Number.isFinite(value) ? value + 0 : null
  if (Array.isArray(value)) return value.map(item => plain(item) ?? null)
  if (typeof value !== 'object') return undefined
  if ('toJSON' in value) return JSON.parse(JSON.stringify(value)) as unknown
  const copy: { [name: string]: unknown } = {}
  for (const [name, member] of Object.entries(value)) {
    const kept = plain(member)
    if (kept !== undefined) copy[name] = kept
  }
  return copy
}

/** A transaction may touch many clusters. */
function byCluster<Record extends NodePoolRecord | NodeRecord | AddonRecord>(kept: ReadonlyMap<string, Tracked<Record>>): ReadonlyMap<string, readonly Tracked<Record>[]> {
  return Map.groupBy(kept.values(), one => one.now.clusterId)
}

function insert<Record extends AnyRecord>(kept: Map<string, Tracked<Record>>, record: Record, because: Because): Record {
  if (kept.has(record.id)) throw new Error(`E-TWICE: ${record.id} is inserted twice`)
  const clean = withoutUndefined(record)
  kept.set(record.id, { before: undefined, now: clean, read: clean.revision, because, changed: true, gone: undefined })
  return clean
}

function bring<Record extends AnyRecord>(kept: Map<string, Tracked<Record>>, id: string, derived: Partial<Record>): void {
  const tracked = kept.get(id)
  if (!tracked) throw new Error(`E-SETTLED: ${id} was settled without being here`)
  const current = tracked.now as unknown as { readonly [name: string]: unknown }
  // What stays as it was stays the same object, by which whoever writes it sees what moved.
  const moved = Object.fromEntries(Object.entries(derived).filter(([name, value]) => value !== current[name]))
  tracked.now = { ...tracked.now, ...withoutUndefined(moved) }
  tracked.changed = true
}

/** An inserted record has said nothing yet, whatever was shown to the caller that inserted it. */
function asWritten<Record extends AnyRecord>(tracked: Tracked<Record>): Written<Record> {
  if (tracked.before) return tracked.now as Written<Record>
  const { said: _said, counts: _counts, ...written } = tracked.now as Record & { counts?: unknown }
  return written as unknown as Written<Record>
}

function forgotten(kind: Forgotten['kind'], tracked: Tracked<AnyRecord>): Forgotten[] {
  if (!tracked.gone || !tracked.before) return []
  const { text, ...because } = tracked.gone
  return [{ kind, record: tracked.before, because, text } as Forgotten]
}

/** Several writes of one record in one transaction are one row of history; all their evidence stands in it. */
function joined(earlier: Because | undefined, later: Because): Because {
  return earlier ? { ...earlier, ...withoutUndefined(later), evidence: [...earlier.evidence, ...later.evidence] } : later
}

function theOnly<Item>(item: Item | undefined): Item {
  if (item === undefined) throw new Error('E-UNSETTLED: a new record got no status')
  return item
}
