/** The store's transaction in memory; over three hundred lines, since it is one port's one implementation. */
import { priceOf } from '#model/account/prices.ts'
import type { AddonRecord } from '#model/addon/record.ts'
import type { AccountRecord, Meter } from '#model/account/record.ts'
import type { ClusterRecord } from '#model/cluster/record.ts'
import type { KubeconfigRecord } from '#model/kubeconfig/record.ts'
import type { NodePoolRecord } from '#model/node-pool/record.ts'
import type { NodeRecord } from '#model/node/record.ts'
import type { OnboardingRecord } from '#model/onboarding/record.ts'
import { cidrOf, cidrsOverlap } from '#model/cidr.ts'
import { NameTaken, type AccessKeyShown, type Because, type NewAccessKey, type NewClaim, type LedgerEntry, type MachineChange, type MachineOrderChange, type MachineRecord, type MachineSecret, type NodeToken, type RegionRecord, type Scope, type Transaction, type WorkKey, type WriteInstants } from '#ports/store.ts'
import { TreeTransaction } from '#store/tree-transaction.ts'
import type { Tracked } from '#store/unit-of-work.ts'
import { enqueueInto, heldIn, meterIn, type Tables } from './tables.ts'

type AnyRecord = ClusterRecord | NodePoolRecord | NodeRecord | AddonRecord

/** A transaction on a copy of the tables; the store takes the copy over when it commits. One runs at a time, so locks are reads. */
export class MemoryTransaction extends TreeTransaction implements Transaction {
  readonly #tables: Tables
  readonly #keys: { key: WorkKey & { region: string }; dueAt: number | undefined }[] = []

  /** Regions of which nothing stayed, also where one of that name is there again. */
  readonly forgotten: string[] = []

  constructor(tables: Tables, now: number, instants?: () => WriteInstants) {
    const pick = <Record extends AnyRecord>(map: Map<string, Record>, matches: (record: Record) => boolean) => inOrder([...map.values()].filter(matches))
    super({
      lockCluster: async id => tables.clusters.get(id),
      lockClusters: async ({ clusters, nodePools, nodes, addons }) => {
        const ids = [...clusters, ...nodePools.flatMap(id => tables.nodePools.get(id)?.clusterId ?? []), ...nodes.flatMap(id => tables.nodes.get(id)?.clusterId ?? []), ...addons.flatMap(id => tables.addons.get(id)?.clusterId ?? [])]
        return [...new Set(ids)].sort().flatMap(id => tables.clusters.get(id) ?? [])
      },
      lockClustersOf: async (table, ids) => {
        const children = ids.flatMap(id => (table === 'node_pool' ? tables.nodePools : table === 'addon' ? tables.addons : tables.nodes).get(id) ?? [])
        return [...new Set(children.map(child => child.clusterId))].sort().flatMap(id => tables.clusters.get(id) ?? [])
      },
      clustersOf: async scope => pick(tables.clusters, cluster => isIn(cluster, scope)),
      clusterNamed: async (scope, name) => pick(tables.clusters, cluster => isIn(cluster, scope) && cluster.spec.name === name)[0],
      readNodePools: async (where, ids) => pick(tables.nodePools, pool => ids.includes(where === 'id' ? pool.id : pool.clusterId)),
      readAddons: async (where, ids) => pick(tables.addons, addon => ids.includes(where === 'id' ? addon.id : addon.clusterId)),
      readNodes: async (where, ids) => pick(tables.nodes, node => ids.includes(where === 'id' ? node.id : where === 'cluster_id' ? node.clusterId : node.nodePoolId)),
      isNameTaken: async (table, place, name) => table === 'cluster'
        ? [...tables.clusters.values()].some(one => isIn(one, place) && one.spec.name === name)
        : [...(table === 'node_pool' ? tables.nodePools : tables.nodes).values()].some(one => one.clusterId === place.clusterId && one.spec.name === name),
    }, now, instants)
    this.#tables = tables
  }

  async finish(): Promise<void> {
    const history = await this.settle()
    const { clusters, nodePools, nodes, addons } = this.work
    const gone = [...write(this.#tables.clusters, clusters), ...write(this.#tables.nodePools, nodePools), ...write(this.#tables.nodes, nodes), ...write(this.#tables.addons, addons)]
    this.#refuseDoubleNames()
    for (const id of gone) this.#freeClientTokens(id)
    this.#dropTokens(token => gone.includes(token.nodeId))
    for (const [id, kept] of this.#tables.onboardings)
      if (kept.record.deletedAt === undefined && (gone.includes(kept.record.clusterId) || gone.includes(kept.record.nodePoolId))) this.#setOnboarding(id, { deletedAt: this.work.now })
    for (const [id, kubeconfig] of this.#tables.kubeconfigs) if (gone.includes(kubeconfig.clusterId)) this.#tables.kubeconfigs.delete(id)
    const rows = history.map((row, index) => {
      const { id } = row.resource
      const owner = (clusters.get(id) ?? nodePools.get(id) ?? nodes.get(id) ?? addons.get(id))?.now
      if (!owner) throw new Error(`E-HISTORY: ${id} is in the history and not in the transaction`)
      return { ...row, position: this.#tables.history.length + index + 1, accountId: owner.accountId, region: owner.region }
    })
    this.#tables.history = [...this.#tables.history, ...rows]
    for (const { key, dueAt } of this.#keys) enqueueInto(this.#tables.work, key, dueAt)
  }

  async lockName(): Promise<void> {}

  /** Nobody holds a lock here: transactions come one after another. */
  async waitAtMost(): Promise<void> {}

  async claimRanges(scope: Scope, clusterId: string, cidrs: readonly string[]): Promise<readonly ClusterRecord[]> {
    const held = [...this.#tables.ranges].filter(([id, range]) => this.#tables.clusters.has(id) && isIn(range, scope) && range.cidrs.some(one => cidrs.some(other => cidrsOverlap(cidrOf(one), cidrOf(other)))))
    if (held.length === 0) {
      for (const one of this.#ranges) if (isIn(one, scope) && one.cidrs.some(own => cidrs.some(other => cidrsOverlap(cidrOf(own), cidrOf(other))))) throw new Error('Ranges that overlap are claimed in one transaction')
      const claimed = { ...scope, cidrs }
      this.#ranges.push(claimed)
      this.#tables.ranges.set(clusterId, claimed)
    }
    return inOrder(held.flatMap(([id]) => this.#tables.clusters.get(id) ?? []))
  }

  async insertOnboarding(record: OnboardingRecord, token: string): Promise<void> {
    this.#tables.onboardings.set(record.id, { record, token })
  }

  async changeOnboarding(id: string, change: { expiresAt?: number; expirationDate?: number; updateClientToken?: string }): Promise<void> {
    const kept = this.#tables.onboardings.get(id)
    if (kept) this.#setOnboarding(id, { ...change, revision: kept.record.revision + 1, updatedAt: this.work.now })
  }

  async forgetOnboarding(id: string, deletedAt: number): Promise<void> {
    if (this.#tables.onboardings.get(id)?.record.deletedAt === undefined) this.#setOnboarding(id, { deletedAt })
    this.#freeClientTokens(id)
  }

  async findOnboarding(id: string): Promise<OnboardingRecord | undefined> {
    return this.#tables.onboardings.get(id)?.record
  }

  async insertKubeconfig(record: KubeconfigRecord): Promise<void> {
    this.#tables.kubeconfigs.set(record.id, record)
  }

  async changeKubeconfig(id: string, change: { text?: string; deletionRequestedAt?: number }): Promise<void> {
    const kept = this.#tables.kubeconfigs.get(id)
    if (kept) this.#tables.kubeconfigs.set(id, { ...kept, ...change })
  }

  async forgetKubeconfig(id: string): Promise<void> {
    this.#tables.kubeconfigs.delete(id)
    this.#freeClientTokens(id)
  }

  async lockKubeconfigs(clusterId: string, ids?: readonly string[]): Promise<readonly KubeconfigRecord[]> {
    return [...this.#tables.kubeconfigs.values()].filter(one => one.clusterId === clusterId && (ids === undefined || ids.includes(one.id))).sort((one, other) => (one.id < other.id ? -1 : 1))
  }

  async claimClientToken(scope: Scope, action: string, token: string, requestHash: string): Promise<{ kind: 'fresh' } | { kind: 'repeat'; result: unknown } | { kind: 'mismatch' }> {
    const found = this.#tables.clientTokens.get(tokenKey(scope, action, token))
    if (this.#tokenHashes.has(tokenKey(scope, action, token))) throw new Error('A ClientToken is claimed twice in one transaction')
    this.#tokenHashes.set(tokenKey(scope, action, token), requestHash)
    if (!found) return { kind: 'fresh' }
    return found.requestHash === requestHash ? { kind: 'repeat', result: found.result } : { kind: 'mismatch' }
  }

  async bindClientToken(scope: Scope, action: string, token: string, resourceId: string, result: unknown): Promise<void> {
    const key = tokenKey(scope, action, token)
    this.#tables.clientTokens.set(key, { requestHash: this.#tokenHashes.get(key) ?? '', resourceId, result: JSON.parse(JSON.stringify(result ?? null)) })
  }

  readonly #tokenHashes = new Map<string, string>()
  /** Claimed by this transaction. */
  readonly #ranges: (Scope & { readonly cidrs: readonly string[] })[] = []

  async putLedger(entry: LedgerEntry): Promise<void> {
    this.#tables.ledger.set(entry.id, entry)
    const now = BigInt(this.work.now), before = this.#tables.costs.get(entry.id)
    const spent = before ? before.spent + before.price * (now > before.pricedAt ? now - before.pricedAt : 0n) : 0n
    const price = BigInt(priceOf({ kind: entry.kind, state: entry.state, ...(entry.power && { power: entry.power }) }))
    this.#tables.costs.set(entry.id, { spent, price, pricedAt: now })
    const id = `${entry.accountId}/${entry.region}`
    if (spent + price > 0n && this.#tables.accounts.get(id)?.balance) await this.enqueue({ kind: 'account', id, region: entry.region })
  }

  async lockAccount(scope: Scope): Promise<AccountRecord> {
    return this.#tables.accounts.get(`${scope.accountId}/${scope.region}`) ?? { accountId: scope.accountId, region: scope.region }
  }

  async putAccount(account: AccountRecord): Promise<void> {
    this.#tables.accounts.set(`${account.accountId}/${account.region}`, account)
  }

  async meterOf(scope: Scope): Promise<Meter> {
    return meterIn(this.#tables, scope)
  }

  async lockQuota({ accountId, region }: Scope, kind: string): Promise<number | undefined> {
    return this.#tables.quotas.get(JSON.stringify([accountId, region, kind]))?.limit
  }

  async setQuota({ accountId, region }: Scope, kind: string, limit: number | undefined): Promise<void> {
    const key = JSON.stringify([accountId, region, kind])
    this.#tables.quotas.set(key, { accountId, region, kind, limit, changes: (this.#tables.quotas.get(key)?.changes ?? 0) + 1 })
  }

  async machinesHeld(scope: Scope, asking?: string): Promise<number> {
    return heldIn(this.#tables, scope, asking)
  }

  async ledgerOf(ownerId: string): Promise<readonly LedgerEntry[]> {
    return [...this.#tables.ledger.values()].filter(entry => entry.owner.id === ownerId).sort((one, other) => one.since - other.since || (one.id < other.id ? -1 : 1))
  }

  async machinesOf(scope: Scope): Promise<readonly MachineRecord[]> {
    return machinesWhere(this.#tables, machine => isIn(machine, scope))
  }

  async insertMachine(record: MachineRecord): Promise<void> {
    if ((await this.machinesOf(record)).some(machine => machine.name === record.name)) throw new NameTaken(record.name)
    this.#tables.machines.set(record.id, record)
  }

  async lockMachine(id: string): Promise<MachineRecord | undefined> {
    return this.#tables.machines.get(id)
  }

  async changeMachine(id: string, change: MachineChange): Promise<void> {
    const kept = this.#tables.machines.get(id)
    if (!kept) return
    const named = Object.entries(change).filter(([, value]) => value !== undefined)
    this.#tables.machines.set(id, Object.fromEntries(Object.entries({ ...kept, ...Object.fromEntries(named) }).filter(([, value]) => value !== null)) as unknown as MachineRecord)
  }

  async machinesOfInstances(scope: Scope, instanceIds: readonly string[]): Promise<readonly MachineRecord[]> {
    return machinesWhere(this.#tables, machine => isIn(machine, scope) && instanceIds.includes(machine.template?.instanceId ?? ''))
  }

  async insertClaims(claims: readonly NewClaim[], because: Because): Promise<void> {
    await this.insertNodes(claims.map(claim => claim.node), because)
    for (const { machine, ledger, token } of claims) {
      await this.insertMachine(machine)
      await this.putLedger(ledger)
      await this.putNodeToken(token)
    }
  }

  async putNodeToken(token: NodeToken): Promise<void> {
    this.#tables.nodeTokens.set(token.tokenHash, token)
  }

  async findNodeToken(tokenHash: string): Promise<NodeToken | undefined> {
    return this.#tables.nodeTokens.get(tokenHash)
  }

  async lockMachines(ids: readonly string[]): Promise<readonly MachineRecord[]> {
    return ids.flatMap(id => this.#tables.machines.get(id) ?? [])
  }

  lockFreeMachines(ids: readonly string[]): Promise<readonly MachineRecord[]> {
    return this.lockMachines(ids)
  }

  async orderMachines(orders: readonly MachineOrderChange[]): Promise<void> {
    for (const { id, ...change } of orders) await this.changeMachine(id, change)
  }

  async setMachineIds(made: readonly { readonly id: string; readonly machineId: string }[]): Promise<void> {
    for (const { id, machineId } of made) await this.changeMachine(id, { machineId })
  }

  async forgetMachine(id: string): Promise<void> {
    this.#tables.machines.delete(id)
    this.#dropTokens(token => token.machineId === id)
    this.#freeClientTokens(id)
  }

  async findMachineSecret(secretHash: string): Promise<MachineSecret | undefined> {
    return this.#tables.machineSecrets.get(secretHash)
  }

  async machineSecretsOf(clusterId: string): Promise<readonly MachineSecret[]> {
    return [...this.#tables.machineSecrets.values()].filter(secret => secret.clusterId === clusterId).sort((one, other) => one.changedAt - other.changedAt || (one.secretHash < other.secretHash ? -1 : 1))
  }

  async putMachineSecret(secret: MachineSecret): Promise<void> {
    this.#tables.machineSecrets.set(secret.secretHash, secret)
  }

  async putMachineSecrets(secrets: readonly MachineSecret[]): Promise<void> {
    for (const secret of secrets) await this.putMachineSecret(secret)
  }

  async machineSecretsByHash(secretHashes: readonly string[]): Promise<readonly MachineSecret[]> {
    return secretHashes.flatMap(secretHash => this.#tables.machineSecrets.get(secretHash) ?? [])
  }

  async lockRegion(region: string): Promise<RegionRecord | undefined> {
    return this.#tables.regions.get(region)
  }

  async holdRegion(region: string): Promise<boolean> {
    return this.#tables.regions.has(region)
  }

  async forgetRegion(region: string): Promise<void> {
    this.forgotten.push(region)
    const tables = this.#tables
    const clusters = new Set([...tables.clusters.values()].filter(one => one.region === region).map(one => one.id))
    const clustersEver = new Set([...clusters, ...[...tables.ledger.values()].filter(one => one.region === region).map(one => one.clusterId)])
    const machines = new Set([...tables.machines.values(), ...tables.nodes.values()].filter(one => one.region === region).map(one => one.id))
    const drop = <Row>(rows: Map<string, Row>, goes: (row: Row, key: string) => boolean): void => {
      for (const [key, row] of rows) if (goes(row, key)) rows.delete(key)
    }
    const isOf = (one: { readonly region: string }) => one.region === region
    for (const rows of [tables.clusters, tables.nodePools, tables.nodes, tables.addons, tables.kubeconfigs, tables.machines, tables.ledger, tables.ranges, tables.accounts, tables.quotas, tables.work] as Map<string, { region: string }>[]) drop(rows, isOf)
    drop(tables.onboardings, kept => isOf(kept.record))
    drop(tables.nodeTokens, token => machines.has(token.machineId) || machines.has(token.nodeId))
    drop(tables.machineSecrets, secret => clustersEver.has(secret.clusterId))
    drop(tables.addresses, (_, key) => key.startsWith(`${region}/`))
    drop(tables.clientTokens, (_, key) => (JSON.parse(key) as string[])[1] === region)
    drop(tables.secrets, (_, key) => key.startsWith(`region/${region}/`) || clusters.has(key.split('/')[1] ?? ''))
    tables.regions.delete(region)
  }

  async putRegion(region: RegionRecord): Promise<void> {
    if (!this.#tables.regions.has(region.region)) this.#tables.historyAfter.set(region.region, this.#tables.history.length)
    this.#tables.regions.set(region.region, region)
  }

  async putSecret(name: string, value: string): Promise<void> {
    this.#tables.secrets.set(name, value)
  }

  async deleteSecrets(prefix: string): Promise<void> {
    for (const name of this.#tables.secrets.keys()) if (name.startsWith(prefix)) this.#tables.secrets.delete(name)
  }

  async claimAddress(region: string, owner: string, pool: { readonly first: string; readonly last: string }): Promise<string | undefined> {
    return this.#addressFor(region, owner, pool)
  }

  async claimAddresses(region: string, owners: readonly string[], pool: { readonly first: string; readonly last: string }): Promise<readonly string[]> {
    return owners.flatMap(owner => this.#addressFor(region, owner, pool) ?? [])
  }

  #addressFor(region: string, owner: string, pool: { readonly first: string; readonly last: string }): string | undefined {
    const taken = new Map([...this.#tables.addresses].filter(([name]) => name.startsWith(`${region}/`)).map(([name, holder]) => [name.slice(region.length + 1), holder]))
    for (const [address, holder] of taken) if (holder === owner) return address
    for (let number = numberOf(pool.first); number <= numberOf(pool.last); number++) {
      const address = [24, 16, 8, 0].map(shift => (number >>> shift) & 255).join('.')
      if (taken.has(address)) continue
      this.#tables.addresses.set(`${region}/${address}`, owner)
      return address
    }
    return undefined
  }

  async releaseAddress(region: string, owner: string): Promise<void> {
    for (const [name, holder] of this.#tables.addresses) if (holder === owner && name.startsWith(`${region}/`)) this.#tables.addresses.delete(name)
  }

  async enqueue(key: WorkKey & { region: string }, dueAt?: number): Promise<void> {
    this.#keys.push({ key, dueAt })
  }

  async insertAccount({ id, accessKeyId, secret, administrator }: NewAccessKey): Promise<void> {
    this.#tables.accessKeys.set(accessKeyId, { key: { accountId: id, secret, ...administrator && { administrator } }, createdAt: this.work.now })
  }

  async accessKeys(): Promise<readonly AccessKeyShown[]> {
    return [...this.#tables.accessKeys].map(([id, { key, createdAt }]) => ({ id, accountId: key.accountId, administrator: key.administrator === true, createdAt }))
  }

  async setAdministrator(accessKeyId: string, administrator: boolean): Promise<boolean> {
    const kept = this.#tables.accessKeys.get(accessKeyId)
    if (!kept) return false
    const { accountId, secret } = kept.key
    this.#tables.accessKeys.set(accessKeyId, { ...kept, key: { accountId, secret, ...administrator && { administrator } } })
    return true
  }

  #setOnboarding(id: string, change: Partial<OnboardingRecord>): void {
    const kept = this.#tables.onboardings.get(id)
    if (kept) this.#tables.onboardings.set(id, { ...kept, record: { ...kept.record, ...change } })
  }

  #dropTokens(matches: (token: NodeToken) => boolean): void {
    for (const [hash, token] of this.#tables.nodeTokens) if (matches(token)) this.#tables.nodeTokens.delete(hash)
  }

  #freeClientTokens(resourceId: string): void {
    for (const [key, token] of this.#tables.clientTokens) if (token.resourceId === resourceId) this.#tables.clientTokens.delete(key)
  }

  /** What PostgreSQL's unique indexes refuse at the end: renames. */
  #refuseDoubleNames(): void {
    const seen = new Set<string>()
    const places = [
      ...[...this.#tables.clusters.values()].map(one => `cluster/${one.accountId}/${one.region}/${one.spec.name}`),
      ...[...this.#tables.nodePools.values()].map(one => `pool/${one.clusterId}/${one.spec.name}`),
      ...[...this.#tables.nodes.values()].map(one => `node/${one.clusterId}/${one.spec.name}`),
    ]
    for (const place of places) {
      if (seen.has(place)) throw new NameTaken(place.slice(place.lastIndexOf('/') + 1))
      seen.add(place)
    }
  }
}

/** Takes the outcome over; answers the ids of what is gone. */
function write<Record extends AnyRecord>(map: Map<string, Record>, tracked: Map<string, Tracked<Record>>): string[] {
  const gone: string[] = []
  for (const [id, one] of tracked) {
    if (one.gone) {
      map.delete(id)
      gone.push(id)
    } else if (one.changed) map.set(id, one.now)
  }
  return gone
}

/** In order of creation, and without their first boot, which only who reads one machine gets. */
export function machinesWhere(tables: Tables, matches: (machine: MachineRecord) => boolean): MachineRecord[] {
  return inOrder([...tables.machines.values()].filter(matches)).map(({ firstBoot: _sealed, ...machine }) => machine)
}

export function inOrder<Record extends { readonly id: string; readonly createdAt: number }>(records: readonly Record[]): Record[] {
  return [...records].sort((one, other) => one.createdAt - other.createdAt || (one.id < other.id ? -1 : 1))
}

export function isIn(record: { readonly accountId: string; readonly region: string }, scope: { accountId: string; region: string }): boolean {
  return record.accountId === scope.accountId && record.region === scope.region
}

function tokenKey(scope: Scope, action: string, token: string): string {
  return JSON.stringify([scope.accountId, scope.region, action, token])
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}
