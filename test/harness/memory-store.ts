/** The store in memory; over three hundred lines, since it is one port's one implementation, and its parts are in the folder beside it. */
import type { AddonRecord } from '#model/addon/record.ts'
import type { AccountRecord, Meter } from '#model/account/record.ts'
import type { ClusterRecord } from '#model/cluster/record.ts'
import type { KubeconfigRecord } from '#model/kubeconfig/record.ts'
import type { NodePoolRecord } from '#model/node-pool/record.ts'
import { instanceIdOf } from '#model/node/instance.ts'
import type { NodeRecord } from '#model/node/record.ts'
import type { OnboardingRecord } from '#model/onboarding/record.ts'
import { ONBOARDING_SHOWS } from '#model/onboarding/status.ts'
import type { Settled, SettleInput } from '#model/settle.ts'
import type { AccessKey, ChangesAfter, FollowFilter, HistoryStand, LedgerEntry, Listing, MachineRecord, MachineSecret, NodePlace, NodeToken, Page, RegionRecord, Scope, Sight, SightKind, StatusChange, Store, Transaction, WriteInstants } from '#ports/store.ts'
import type { AddonFilter, ClusterFilter, HistoryFilter, NodeFilter, NodePoolFilter, OnboardingFilter, StatusFilter } from '#ports/store-filters.ts'
import { MemoryQueue } from './memory/memory-queue.ts'
import { inOrder, isIn, machinesWhere, MemoryTransaction } from './memory/memory-transaction.ts'
import { heldIn, meterIn, Tables } from './memory/tables.ts'

/**
 * Store and queue in memory, for tests only. Statuses come from the same model; transactions run one after another and are all or nothing. The contract suites
 * hold it to what PostgreSQL does.
 */
export class MemoryStore implements Store {
  #tables = new Tables()
  #last: Promise<unknown> = Promise.resolve()
  readonly #realNow: () => number
  readonly queue: MemoryQueue
  readonly #followers = new Set<() => void>()
  /** Told of each tree of records as a transaction settles it. */
  onSettled?: (input: SettleInput, settled: Settled) => void

  constructor(realNow: () => number = () => 0, left?: MemoryStore) {
    this.#realNow = realNow
    if (left) this.#tables = left.#tables.snapshot()
    const tables = () => this.#tables
    this.queue = left ? left.queue.copy(tables) : new MemoryQueue(tables, realNow)
  }

  /** All that is written now, apart from this store, as processes find it that come after those of now have died. */
  copy(): MemoryStore {
    return new MemoryStore(this.#realNow, this)
  }

  /** The keys that wait or run, as `kind/id`, with the time at which each is due. */
  waiting(): ReadonlyMap<string, number | undefined> {
    return new Map([...this.#tables.work].map(([name, row]) => [name, row.owner ? undefined : row.dueAt]))
  }

  write<T>(now: number, work: (tx: Transaction) => Promise<T>, instants?: () => WriteInstants): Promise<T> {
    const run = async () => {
      const tables = this.#tables.copy()
      const tx = new MemoryTransaction(tables, now, instants)
      if (this.onSettled) tx.work.onSettled = this.onSettled
      const result = await work(tx)
      await tx.finish()
      this.queue.forgetWatches([...this.#tables.clusters.keys()].filter(id => !tables.clusters.has(id)))
      this.queue.forgetRegions(tx.forgotten)
      this.#tables = tables
      this.queue.announce()
      for (const onMoved of this.#followers) onMoved()
      return result
    }
    const mine = this.#last.then(run, run)
    this.#last = mine.catch(() => {}) // its own caller sees it
    return mine
  }

  async findAccessKey(accessKeyId: string): Promise<AccessKey | undefined> {
    return this.#tables.accessKeys.get(accessKeyId)?.key
  }

  async findCluster(id: string): Promise<ClusterRecord | undefined> {
    return this.#tables.clusters.get(id)
  }

  async findNodePool(id: string): Promise<NodePoolRecord | undefined> {
    return this.#tables.nodePools.get(id)
  }

  async findNode(id: string): Promise<NodeRecord | undefined> {
    return this.#tables.nodes.get(id)
  }

  async findOnboarding(id: string): Promise<OnboardingRecord | undefined> {
    return this.#tables.onboardings.get(id)?.record
  }

  async findOnboardingByTokenHash(tokenHash: string): Promise<OnboardingRecord | undefined> {
    return [...this.#tables.onboardings.values()].find(kept => kept.record.tokenHash === tokenHash)?.record
  }

  async findKubeconfig(id: string): Promise<KubeconfigRecord | undefined> {
    return this.#tables.kubeconfigs.get(id)
  }

  async findMachine(id: string): Promise<MachineRecord | undefined> {
    return this.#tables.machines.get(id)
  }

  async clustersById(ids: readonly string[]): Promise<readonly ClusterRecord[]> {
    return ids.flatMap(id => this.#tables.clusters.get(id) ?? [])
  }

  async nodePoolsById(ids: readonly string[]): Promise<readonly NodePoolRecord[]> {
    return ids.flatMap(id => this.#tables.nodePools.get(id) ?? [])
  }

  async nodesById(ids: readonly string[]): Promise<readonly NodeRecord[]> {
    return ids.flatMap(id => this.#tables.nodes.get(id) ?? [])
  }

  async machinesById(ids: readonly string[]): Promise<readonly MachineRecord[]> {
    return ids.flatMap(id => this.#tables.machines.get(id) ?? [])
  }

  async addonsById(ids: readonly string[]): Promise<readonly AddonRecord[]> {
    return ids.flatMap(id => this.#tables.addons.get(id) ?? [])
  }

  async nodePoolsOf(clusterId: string): Promise<readonly NodePoolRecord[]> {
    return inOrder([...this.#tables.nodePools.values()].filter(pool => pool.clusterId === clusterId))
  }

  async nodePoolsOfClusters(clusterIds: readonly string[]): Promise<readonly NodePoolRecord[]> {
    return inOrder([...this.#tables.nodePools.values()].filter(pool => clusterIds.includes(pool.clusterId)))
  }

  async nodesOf(parent: { clusterId: string } | { nodePoolId: string }): Promise<readonly NodeRecord[]> {
    return inOrder([...this.#tables.nodes.values()].filter(node => ('clusterId' in parent ? node.clusterId === parent.clusterId : node.nodePoolId === parent.nodePoolId)))
  }

  async nodePlaces(ids: readonly string[]): Promise<readonly NodePlace[]> {
    return (await this.nodesById(ids)).map(placeOf)
  }

  async nodesOfClusters(clusterIds: readonly string[]): Promise<readonly NodePlace[]> {
    return [...this.#tables.nodes.values()].filter(node => clusterIds.includes(node.clusterId)).map(placeOf)
  }

  async nodesOfMachine(region: string, machineId: string): Promise<readonly NodeRecord[]> {
    return inOrder([...this.#tables.nodes.values()].filter(node => node.region === region && node.spec.machineId === machineId))
  }

  async nodesOfMachines(region: string, machineIds: readonly string[]): Promise<readonly NodePlace[]> {
    return (await Promise.all([...new Set(machineIds)].map(machineId => this.nodesOfMachine(region, machineId)))).flat().map(placeOf)
  }

  async clustersOfRegion(region: string): Promise<readonly ClusterRecord[]> {
    return inOrder([...this.#tables.clusters.values()].filter(cluster => cluster.region === region))
  }

  async listClusters(scope: Scope, filter: ClusterFilter, page: Page): Promise<Listing<ClusterRecord>> {
    return paged(inOrder([...this.#tables.clusters.values()].filter(one =>
      isIn(one, scope) && isOneOf(one.id, filter.ids) && one.spec.name.includes(filter.name ?? '') && isEqual(one.spec.deleteProtectionEnabled, filter.deleteProtectionEnabled)
      && isEqual(one.spec.podNetworkMode, filter.podNetworkMode) && isOneOf(one.spec.profile, filter.profiles) && isEqual(one.createClientToken, filter.createClientToken)
      && isEqual(one.updateClientToken, filter.updateClientToken) && shows(one.said.status, filter.statuses)
      && (filter.tags ?? []).every(tag => one.spec.tags.some(own => own.key === tag.key && isEqual(own.value, tag.value))))), page)
  }

  async listNodePools(scope: Scope, filter: NodePoolFilter, page: Page): Promise<Listing<NodePoolRecord>> {
    return paged(inOrder([...this.#tables.nodePools.values()].filter(one =>
      isIn(one, scope) && isOneOf(one.id, filter.ids) && isOneOf(one.clusterId, filter.clusterIds) && one.spec.name.includes(filter.name ?? '') && isOneOf(one.spec.type, filter.types)
      && isEqual(one.createClientToken, filter.createClientToken) && isEqual(one.updateClientToken, filter.updateClientToken) && shows(one.said.status, filter.statuses)
      && isEqual(one.spec.scaling?.enabled ?? false, filter.autoScalingEnabled) && (!filter.refused || one.facts.refused !== undefined) && (filter.tags ?? []).every(tag => one.spec.tags?.some(own => own.key === tag.key && isEqual(own.value, tag.value))))), page)
  }

  async findAddon(id: string): Promise<AddonRecord | undefined> {
    return this.#tables.addons.get(id)
  }

  async addonsOf(clusterId: string): Promise<readonly AddonRecord[]> {
    return inOrder([...this.#tables.addons.values()].filter(addon => addon.clusterId === clusterId))
  }

  async listAddons(scope: Scope, filter: AddonFilter, page: Page): Promise<Listing<AddonRecord>> {
    return paged(inOrder([...this.#tables.addons.values()].filter(one =>
      isIn(one, scope) && isOneOf(one.clusterId, filter.clusterIds) && isOneOf(one.spec.name, filter.names) && isOneOf(one.spec.deployMode, filter.deployModes) && isOneOf(one.spec.deployNodeType, filter.deployNodeTypes)
      && isEqual(one.createClientToken, filter.createClientToken) && isEqual(one.updateClientToken, filter.updateClientToken) && shows(one.said.status, filter.statuses))), page)
  }

  async listNodes(scope: Scope, filter: NodeFilter, page: Page): Promise<Listing<NodeRecord>> {
    return paged(inOrder([...this.#tables.nodes.values()].filter(one =>
      isIn(one, scope) && isOneOf(one.id, filter.ids) && isOneOf(one.clusterId, filter.clusterIds) && isOneOf(one.nodePoolId, filter.nodePoolIds) && one.spec.name.includes(filter.name ?? '')
      && isOneOf(one.spec.address, filter.ips) && isOneOf(instanceIdOf(one.spec), filter.instanceIds) && isEqual(one.createClientToken, filter.createClientToken) && shows(one.said.status, filter.statuses))), page)
  }

  async listOnboardings(scope: Scope, filter: OnboardingFilter, page: Page): Promise<Listing<OnboardingRecord>> {
    const all = [...this.#tables.onboardings.values()].map(kept => kept.record)
    return paged(inOrder(all.filter(one =>
      isIn(one, scope) && one.deletedAt === undefined && isOneOf(one.id, filter.ids) && isOneOf(one.clusterId, filter.clusterIds) && isOneOf(one.nodePoolId, filter.nodePoolIds)
      && one.name.includes(filter.name ?? '') && isEqual(one.createClientToken, filter.createClientToken) && shows(ONBOARDING_SHOWS, filter.statuses))), page)
  }

  async listKubeconfigs(scope: Scope, filter: Parameters<Store['listKubeconfigs']>[1], page: Page): Promise<Listing<KubeconfigRecord>> {
    return paged(inOrder([...this.#tables.kubeconfigs.values()].filter(one =>
      isIn(one, scope) && isOneOf(one.id, filter.ids) && isOneOf(one.clusterId, filter.clusterIds) && isOneOf(one.type, filter.types) && isOneOf(one.userId, filter.userIds)
      && isOneOf(one.roleId, filter.roleIds))), page)
  }

  async listHistory(scope: Scope, filter: HistoryFilter, page: Page): Promise<Listing<StatusChange>> {
    const matching = this.#tables.history.filter(row =>
      isIn(row, scope) && row.position > (this.#tables.historyAfter.get(scope.region) ?? 0) && isOneOf(row.resource.id, filter.ids) && isOneOf(row.resource.kind === 'Cluster' ? row.resource.id : row.resource.clusterId, filter.clusterIds)
      && isOneOf(row.resource.kind, filter.kinds) && row.at >= (filter.from ?? Number.NEGATIVE_INFINITY) && row.at <= (filter.to ?? Number.POSITIVE_INFINITY) && row.at <= (filter.at ?? Number.POSITIVE_INFINITY))
    const newestFirst = matching.map(asChange).reverse()
    if (filter.at === undefined) return paged(newestFirst, page)
    const held = [...new Map(matching.map(row => [row.resource.id, asChange(row)] as const)).values()].filter(row => row.status !== undefined)
    return paged(held.sort((one, other) => other.position - one.position), page)
  }

  async changesAfter(scope: Scope, filter: FollowFilter, after: number, most: number): Promise<ChangesAfter> {
    const { region, newest } = await this.historyStand(scope)
    const matching = this.#tables.history.filter(row =>
      isIn(row, scope) && row.position > Math.max(after, region ?? 0) && isOneOf(row.resource.kind === 'Cluster' ? row.resource.id : row.resource.clusterId, filter.clusterIds) && isOneOf(row.resource.kind, filter.kinds))
    const changes = matching.slice(0, most).map(asChange), last = changes.at(-1)
    return { changes, upTo: last && changes.length === most ? last.position : Math.max(after, newest), region }
  }

  async historyStand(scope: Scope): Promise<HistoryStand> {
    const { history, historyAfter, regions } = this.#tables
    const since = regions.has(scope.region) ? historyAfter.get(scope.region) ?? 0 : undefined
    const first = history.find(row => isIn(row, scope))
    return { newest: history.length, begins: since !== undefined && first && first.position <= since ? since : 0, region: since }
  }

  async listenToHistory(onMoved: () => void, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    const { promise, resolve } = Promise.withResolvers<void>()
    signal.addEventListener('abort', () => resolve(), { once: true })
    this.#followers.add(onMoved)
    onMoved()
    await promise
    this.#followers.delete(onMoved)
  }

  async listLedger(scope: Scope, filter: Parameters<Store['listLedger']>[1], page: Page): Promise<Listing<LedgerEntry>> {
    const matching = [...this.#tables.ledger.values()].filter(one =>
      isIn(one, scope) && isOneOf(one.clusterId, filter.clusterIds) && isOneOf(one.kind, filter.kinds) && isOneOf(one.owner.id, filter.ownerIds)
      && one.since >= (filter.since ?? 0)
      && (filter.states && filter.states.length > 0 ? filter.states.includes(one.state) : one.state !== 'Released'))
    return paged(matching.sort((one, other) => (one.id < other.id ? -1 : 1)), page)
  }

  async ledgersOf(ownerIds: readonly string[]): Promise<readonly LedgerEntry[]> {
    return [...this.#tables.ledger.values()].filter(one => ownerIds.includes(one.owner.id)).sort((one, other) => one.since - other.since || (one.id < other.id ? -1 : 1))
  }

  async listMachines(scope: Scope, filter: Parameters<Store['listMachines']>[1], page: Page): Promise<Listing<MachineRecord>> {
    return paged(machinesWhere(this.#tables, one => isIn(one, scope) && isOneOf(one.id, filter.ids) && isOneOf(one.name, filter.names)), page)
  }

  async machinesOfRegion(region: string): Promise<readonly MachineRecord[]> {
    return machinesWhere(this.#tables, machine => machine.region === region)
  }

  async findMachineByMachineId(region: string, machineId: string): Promise<MachineRecord | undefined> {
    return (await this.machinesOfRegion(region)).find(machine => machine.machineId === machineId)
  }

  async latestChange(accountId: string, id: string): Promise<StatusChange | undefined> {
    const row = this.#tables.history.findLast(change => change.accountId === accountId && change.resource.id === id)
    return row && asChange(row)
  }

  async sights(kind: SightKind, ids: readonly string[]): Promise<readonly Sight[]> {
    return this.queue.sights(kind, ids)
  }

  async readSecret(name: string): Promise<string | undefined> {
    return this.#tables.secrets.get(name)
  }

  async findMachineSecret(secretHash: string): Promise<MachineSecret | undefined> {
    return this.#tables.machineSecrets.get(secretHash)
  }

  async machineSecretsOf(clusterId: string): Promise<readonly MachineSecret[]> {
    return [...this.#tables.machineSecrets.values()].filter(secret => secret.clusterId === clusterId).sort((one, other) => one.changedAt - other.changedAt || (one.secretHash < other.secretHash ? -1 : 1))
  }

  async machineSecretsByHash(secretHashes: readonly string[]): Promise<readonly MachineSecret[]> {
    return secretHashes.flatMap(secretHash => this.#tables.machineSecrets.get(secretHash) ?? [])
  }

  async nodeTokensByHash(tokenHashes: readonly string[]): Promise<readonly NodeToken[]> {
    return tokenHashes.flatMap(tokenHash => this.#tables.nodeTokens.get(tokenHash) ?? [])
  }

  async findNodeToken(tokenHash: string): Promise<NodeToken | undefined> {
    return this.#tables.nodeTokens.get(tokenHash)
  }

  async findRegion(region: string): Promise<RegionRecord | undefined> {
    return this.#tables.regions.get(region)
  }

  async listRegions(): Promise<readonly RegionRecord[]> {
    return [...this.#tables.regions.values()].sort((one, other) => (one.region < other.region ? -1 : 1))
  }

  async latestInstant(region: string): Promise<number | undefined> {
    const { history, clusters, nodes, machines, onboardings, ledger } = this.#tables
    const instants = [
      ...history.filter(row => row.region === region && row.position > (this.#tables.historyAfter.get(region) ?? 0)).map(row => row.at), ...[...clusters.values(), ...nodes.values()].filter(one => one.region === region).map(one => one.updatedAt),
      ...[...machines.values()].filter(one => one.region === region).map(one => one.createdAt), ...[...onboardings.values()].filter(one => one.record.region === region).map(one => one.record.updatedAt),
      ...[...ledger.values()].filter(one => one.region === region).map(one => one.since),
    ]
    return instants.length === 0 ? undefined : Math.max(...instants)
  }

  async findAccount(scope: Scope): Promise<AccountRecord> {
    return this.#tables.accounts.get(`${scope.accountId}/${scope.region}`) ?? { accountId: scope.accountId, region: scope.region }
  }

  async meterOf(scope: Scope): Promise<Meter> {
    return meterIn(this.#tables, scope)
  }

  async quotasOf(scope: Scope): ReturnType<Store['quotasOf']> {
    return [...this.#tables.quotas.values()].flatMap(({ kind, limit, ...of }) => (isIn(of, scope) && limit !== undefined ? [{ kind, limit }] : [])).sort((one, other) => (one.kind < other.kind ? -1 : 1))
  }

  async quotaChanges(region: string): Promise<number> {
    return [...this.#tables.quotas.values()].filter(quota => quota.region === region).reduce((sum, { changes }) => sum + changes, 0)
  }

  async machinesHeld(scope: Scope): Promise<number> {
    return heldIn(this.#tables, scope)
  }

  async onboardingToken(id: string): Promise<string | undefined> {
    const kept = this.#tables.onboardings.get(id)
    return kept?.record.deletedAt === undefined ? kept?.token : undefined
  }
}

function paged<Item>(items: readonly Item[], page: Page): Listing<Item> {
  return { items: items.slice((page.number - 1) * page.size, page.number * page.size), totalCount: items.length }
}

/** An absent or empty list means all. */
function isOneOf<Value>(value: Value | undefined, wanted: readonly Value[] | undefined): boolean {
  return wanted === undefined || wanted.length === 0 || (value !== undefined && wanted.includes(value))
}

function isEqual<Value>(value: Value, wanted: Value | undefined): boolean {
  return wanted === undefined || value === wanted
}

function shows(status: { readonly phase: string; readonly conditions: readonly string[] }, filters: readonly StatusFilter[] | undefined): boolean {
  if (filters === undefined || filters.length === 0) return true
  return filters.some(({ phase, condition }) => (phase === undefined || phase === status.phase) && (condition === undefined || status.conditions.includes(condition)))
}

function asChange({ accountId: _accountId, region: _region, ...change }: StatusChange & { accountId: string; region: string }): StatusChange {
  return change
}

function placeOf({ id, clusterId, spec, facts }: NodeRecord): NodePlace {
  return { id, clusterId, name: spec.name, machineId: spec.machineId, deleting: facts.deletion !== undefined }
}
