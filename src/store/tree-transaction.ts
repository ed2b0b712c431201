import type { AddonRecord } from '#model/addon/record.ts'
import type { ClusterRecord } from '#model/cluster/record.ts'
import type { NodePoolRecord } from '#model/node-pool/record.ts'
import type { NodeRecord } from '#model/node/record.ts'
import type { HistoryRow } from '#model/settle.ts'
import { NameTaken, type Because, type Scope, type Transaction, type WorkKey, type WriteInstants } from '#ports/store.ts'
import { UnitOfWork, type Tracked } from './unit-of-work.ts'

/** What stands for clusters: themselves, and what is below them. */
export interface TreeIds {
  readonly clusters: readonly string[]
  readonly nodePools: readonly string[]
  readonly nodes: readonly string[]
  readonly addons: readonly string[]
}

/** Where a transaction's clusters, pools and nodes come from. Locking a cluster locks its whole tree until the transaction ends. */
export interface TreeSource {
  lockCluster(id: string): Promise<ClusterRecord | undefined>
  lockClustersOf(table: 'node_pool' | 'node' | 'addon', ids: readonly string[]): Promise<readonly ClusterRecord[]>
  /** Locks these clusters, and those of these pools, nodes and add-ons, in the order of their ids. */
  lockClusters(ids: TreeIds): Promise<readonly ClusterRecord[]>
  readAddons(where: 'id' | 'cluster_id', ids: readonly string[]): Promise<readonly AddonRecord[]>
  clustersOf(scope: Scope): Promise<readonly ClusterRecord[]>
  clusterNamed(scope: Scope, name: string): Promise<ClusterRecord | undefined>
  readNodePools(where: 'id' | 'cluster_id', ids: readonly string[]): Promise<readonly NodePoolRecord[]>
  readNodes(where: 'id' | 'cluster_id' | 'node_pool_id', ids: readonly string[]): Promise<readonly NodeRecord[]>
  /** True if another living record of that name is in the same place: account and region for a cluster, else the cluster. */
  isNameTaken(table: 'cluster' | 'node_pool' | 'node', place: { accountId: string; region: string; clusterId?: string }, name: string): Promise<boolean>
}

type TreeMethod = 'lockTrees' | 'nextWriter' | 'treeOf' | 'lockCluster' | 'lockNodePool' | 'lockNode' | 'lockNodes' | 'clustersOf' | 'clusterNamed' | 'nodePoolsOf' | 'nodesOf'
  | 'lockAddon' | 'addonsOf' | 'insertAddon' | 'changeAddon' | 'insertCluster' | 'insertNodePool' | 'insertNode' | 'changeCluster' | 'changeNodePool' | 'changeNode' | 'forget'

/** The part of a transaction that is about records with a status: locks and reads from a source, writes into a unit of work. */
export class TreeTransaction implements Pick<Transaction, TreeMethod> {
  readonly work: UnitOfWork
  readonly #source: TreeSource
  /** Clusters all of whose pools are here, read under their lock. */
  readonly #withAllPools = new Set<string>()
  /** Names that were looked for and were no cluster's, as `account/region/name`. */
  readonly #free = new Set<string>()

  constructor(source: TreeSource, now: number, instants: () => WriteInstants = () => ({ now, heardUntil: now })) {
    this.#source = source
    this.work = new UnitOfWork(() => {
      const asked = instants()
      return { now: Math.floor(asked.now), heardUntil: Math.floor(asked.heardUntil) }
    })
  }

  nextWriter(clusterId?: string): void {
    this.work.nextWriter(clusterId)
  }

  treeOf({ kind, id }: WorkKey): string | undefined {
    switch (kind) {
      case 'cluster': return this.work.clusters.get(id)?.now.id
      case 'node-pool': return this.work.nodePools.get(id)?.now.clusterId
      case 'node': return this.work.nodes.get(id)?.now.clusterId
      case 'addon': return this.work.addons.get(id)?.now.clusterId
      case 'kubeconfig': case 'machine': case 'account': case 'given-back': return undefined
    }
  }

  async lockTrees(keys: readonly WorkKey[]): Promise<void> {
    const idsOf = (kind: WorkKey['kind']) => keys.filter(key => key.kind === kind).map(({ id }) => id)
    const ids: TreeIds = { clusters: idsOf('cluster'), nodePools: idsOf('node-pool'), nodes: idsOf('node'), addons: idsOf('addon') }
    if (ids.clusters.length + ids.nodePools.length + ids.nodes.length + ids.addons.length === 0) return
    const [clusters, nodePools, nodes, addons] = await Promise.all([
      this.#source.lockClusters(ids), ids.nodePools.length > 0 ? this.#source.readNodePools('id', ids.nodePools) : [], ids.nodes.length > 0 ? this.#source.readNodes('id', ids.nodes) : [],
      ids.addons.length > 0 ? this.#source.readAddons('id', ids.addons) : [],
    ])
    for (const read of clusters) this.work.track(this.work.clusters, read)
    for (const read of nodePools) this.work.track(this.work.nodePools, read)
    for (const read of nodes) this.work.track(this.work.nodes, read)
    for (const read of addons) this.work.track(this.work.addons, read)
  }

  async lockCluster(id: string): Promise<ClusterRecord | undefined> {
    const kept = this.work.clusters.get(id)
    if (kept) return kept.gone ? undefined : kept.now
    const read = await this.#source.lockCluster(id)
    return read && this.work.track(this.work.clusters, read)
  }

  async lockNodePool(id: string): Promise<NodePoolRecord | undefined> {
    const kept = this.work.nodePools.get(id)
    if (kept) return kept.gone ? undefined : kept.now
    // Sent together: the second statement begins, and sees, after the first has its lock.
    const [, [read]] = await Promise.all([this.#lockClustersOf('node_pool', [id]), this.#source.readNodePools('id', [id])])
    return read && this.work.track(this.work.nodePools, read)
  }

  async lockNode(id: string): Promise<NodeRecord | undefined> {
    const [node] = await this.lockNodes([id])
    return node
  }

  async lockNodes(ids: readonly string[]): Promise<readonly NodeRecord[]> {
    const missing = ids.filter(id => !this.work.nodes.has(id))
    if (missing.length > 0) {
      const [, found] = await Promise.all([this.#lockClustersOf('node', missing), this.#source.readNodes('id', missing)])
      for (const read of found) this.work.track(this.work.nodes, read)
    }
    return ids.flatMap(id => living(this.work.nodes.get(id)))
  }

  async lockAddon(id: string): Promise<AddonRecord | undefined> {
    const kept = this.work.addons.get(id)
    if (kept) return kept.gone ? undefined : kept.now
    const [, [read]] = await Promise.all([this.#lockClustersOf('addon', [id]), this.#source.readAddons('id', [id])])
    return read && this.work.track(this.work.addons, read)
  }

  async addonsOf(clusterId: string): Promise<readonly AddonRecord[]> {
    return this.#overlay(this.work.addons, await this.#source.readAddons('cluster_id', [clusterId]), addon => addon.clusterId === clusterId)
  }

  async clustersOf(scope: Scope): Promise<readonly ClusterRecord[]> {
    const read = await this.#source.clustersOf(scope)
    return withKept(this.work.clusters, read, cluster => isIn(cluster, scope))
  }

  async clusterNamed(scope: Scope, name: string): Promise<ClusterRecord | undefined> {
    const holder = [...this.work.clusters.values()].find(one => !one.gone && one.now.spec.name === name && isIn(one.now, scope))
    if (holder) return holder.now
    const read = await this.#source.clusterNamed(scope, name)
    // One that this transaction holds has another name by now, or is gone.
    const found = read && this.work.clusters.has(read.id) ? undefined : read
    if (!found) this.#free.add(placeOf(scope, name))
    return found
  }

  /** Under the cluster's lock they may be written afterwards; without it they are only to be read. */
  async nodePoolsOf(clusterId: string): Promise<readonly NodePoolRecord[]> {
    const read = this.#withAllPools.has(clusterId) ? this.#poolsRead(clusterId) : await this.#source.readNodePools('cluster_id', [clusterId])
    if (this.work.clusters.has(clusterId)) this.#withAllPools.add(clusterId)
    return this.#overlay(this.work.nodePools, read, pool => pool.clusterId === clusterId)
  }

  async nodesOf(parent: { clusterId: string } | { nodePoolId: string }): Promise<readonly NodeRecord[]> {
    if ('clusterId' in parent) return this.#overlay(this.work.nodes, await this.#source.readNodes('cluster_id', [parent.clusterId]), node => node.clusterId === parent.clusterId)
    return this.#overlay(this.work.nodes, await this.#source.readNodes('node_pool_id', [parent.nodePoolId]), node => node.nodePoolId === parent.nodePoolId)
  }

  async insertCluster(record: Parameters<Transaction['insertCluster']>[0], because: Because): Promise<ClusterRecord> {
    await this.#refuseTakenName('cluster', record)
    return this.work.insertCluster({ ...record, ...this.#newborn() }, because)
  }

  async insertNodePool(record: Parameters<Transaction['insertNodePool']>[0], because: Because): Promise<NodePoolRecord> {
    await this.#lockParent(record.clusterId)
    await this.#refuseTakenName('node_pool', record)
    return this.work.insertNodePool({ ...record, ...this.#newborn() }, because)
  }

  async insertNode(record: Parameters<Transaction['insertNode']>[0], because: Because): Promise<NodeRecord> {
    await this.#lockParent(record.clusterId)
    await this.#refuseTakenName('node', record)
    return this.work.insertNode({ ...record, ...this.#newborn() }, because)
  }

  async insertAddon(record: Parameters<Transaction['insertAddon']>[0], because: Because): Promise<AddonRecord> {
    await this.#lockParent(record.clusterId)
    const known = this.work.addons.get(record.id), isOfNewCluster = this.work.clusters.get(record.clusterId)?.before === undefined
    if (known ? !known.gone : !isOfNewCluster && (await this.#source.readAddons('id', [record.id])).length > 0) throw new NameTaken(record.spec.name)
    return this.work.insertAddon({ ...record, ...this.#newborn() }, because)
  }

  async changeAddon(id: string, change: Parameters<Transaction['changeAddon']>[1], because: Because): Promise<void> {
    this.work.change(this.work.addons, id, change, because)
  }

  /** Of one cluster, under names that are new: the table's own index refuses others at the end. */
  async insertNodes(records: readonly Parameters<Transaction['insertNode']>[0][], because: Because): Promise<void> {
    for (const clusterId of new Set(records.map(record => record.clusterId))) await this.#lockParent(clusterId)
    for (const record of records) this.work.insertNode({ ...record, ...this.#newborn() }, because)
  }

  async changeCluster(id: string, change: Parameters<Transaction['changeCluster']>[1], because: Because): Promise<void> {
    this.work.change(this.work.clusters, id, change, because)
  }

  async changeNodePool(id: string, change: Parameters<Transaction['changeNodePool']>[1], because: Because): Promise<void> {
    this.work.change(this.work.nodePools, id, change, because)
  }

  async changeNode(id: string, change: Parameters<Transaction['changeNode']>[1], because: Because): Promise<void> {
    this.work.change(this.work.nodes, id, change, because)
  }

  async forget(resource: { kind: 'Cluster' | 'NodePool' | 'Node' | 'Addon'; id: string }, because: Because & { text: string }): Promise<void> {
    this.work.forget(resource, because)
  }

  /** Brings in what the model needs to settle, and settles; the outcome is in `work`. */
  async settle(): Promise<HistoryRow[]> {
    const clusterIds = this.work.touchedClusters()
    for (const id of clusterIds) await this.lockCluster(id)
    // A cluster that was inserted here has the pools that were inserted here.
    const older = clusterIds.filter(id => this.work.clusters.get(id)?.before !== undefined && !this.#withAllPools.has(id))
    if (older.length > 0) for (const pool of await this.#source.readNodePools('cluster_id', older)) this.work.track(this.work.nodePools, pool)
    const moving = this.work.stoppingOrStarting()
    if (moving.length > 0) for (const addon of await this.#source.readAddons('cluster_id', moving)) this.work.track(this.work.addons, addon)
    return this.work.settle()
  }

  async #lockClustersOf(table: 'node_pool' | 'node' | 'addon', ids: readonly string[]): Promise<void> {
    for (const cluster of await this.#source.lockClustersOf(table, ids)) this.work.track(this.work.clusters, cluster)
  }

  async #lockParent(clusterId: string): Promise<void> {
    if (!(await this.lockCluster(clusterId))) throw new Error(`E-ORPHAN: the cluster ${clusterId} of a new record is gone`)
  }

  async #refuseTakenName(table: 'cluster' | 'node_pool' | 'node', record: { accountId: string; region: string; clusterId?: string; spec: { name: string } }): Promise<void> {
    const { name } = record.spec
    const here = table === 'cluster'
      ? [...this.work.clusters.values()].filter(one => one.now.accountId === record.accountId && one.now.region === record.region)
      : [...(table === 'node_pool' ? this.work.nodePools : this.work.nodes).values()].filter(one => one.now.clusterId === record.clusterId)
    const holder = here.find(one => one.now.spec.name === name)
    if (holder && !holder.gone) throw new NameTaken(name)
    if (holder || (table === 'cluster' && this.#free.has(placeOf(record, name))) || (table === 'node_pool' && this.#withAllPools.has(record.clusterId ?? ''))) return
    if (await this.#source.isNameTaken(table, record, name)) throw new NameTaken(name)
  }

  /** As they were read, in the order of lists. */
  #poolsRead(clusterId: string): readonly NodePoolRecord[] {
    const read = [...this.work.nodePools.values()].flatMap(({ before }) => (before?.clusterId === clusterId ? [before] : []))
    return read.sort((one, other) => one.createdAt - other.createdAt || (one.id < other.id ? -1 : 1))
  }

  #newborn() {
    return { revision: 1, createdAt: this.work.now, updatedAt: this.work.now }
  }

  #overlay<Record extends ClusterRecord | NodePoolRecord | NodeRecord | AddonRecord>(kept: Map<string, Tracked<Record>>, read: readonly Record[], belongs: (record: Record) => boolean): readonly Record[] {
    for (const record of read) {
      const clusterId = 'clusterId' in record ? record.clusterId : record.id
      if (this.work.clusters.has(clusterId)) this.work.track(kept, record)
    }
    return withKept(kept, read, belongs)
  }
}

/** What was read, as this transaction left it, and what it added. */
function withKept<Record extends ClusterRecord | NodePoolRecord | NodeRecord | AddonRecord>(kept: Map<string, Tracked<Record>>, read: readonly Record[], belongs: (record: Record) => boolean): readonly Record[] {
  const known = read.flatMap(record => (kept.has(record.id) ? living(kept.get(record.id)) : [record]))
  const inserted = [...kept.values()].filter(one => !one.before && !one.gone && belongs(one.now)).map(one => one.now)
  return [...known, ...inserted]
}

function living<Record>(tracked: Tracked<Record> | undefined): Record[] {
  return tracked && !tracked.gone ? [tracked.now] : []
}

function placeOf({ accountId, region }: Scope, name: string): string {
  return [accountId, region, name].join('/')
}

function isIn(record: Scope, scope: Scope): boolean {
  return record.accountId === scope.accountId && record.region === scope.region
}
