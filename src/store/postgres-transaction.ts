/** One transaction of the port on PostgreSQL; over three hundred lines, since all that it keeps until its end is one state, and a port of so many methods has a few for each. */
import type { KeyObject } from 'node:crypto'

import type { AccountRecord, Meter } from '#model/account/record.ts'
import type { ClusterRecord } from '#model/cluster/record.ts'
import type { KubeconfigRecord } from '#model/kubeconfig/record.ts'
import type { OnboardingRecord } from '#model/onboarding/record.ts'
import type { AccessKeyShown, Because, LedgerEntry, MachineChange, MachineOrderChange, MachineRecord, MachineSecret, NewAccessKey, NewClaim, NodeToken, RegionRecord, Scope, Transaction, WorkKey, WriteInstants } from '#ports/store.ts'
import type { TransactionConnection } from './connection/database.ts'
import { limitedAmong, lockAccount, meterOf, putAccount } from './operations/accounts.ts'
import { accessKeys, insertAccount, setAdministrator } from './operations/access-keys.ts'
import { addHistory, type HistoryAdded } from './operations/add-history.ts'
import { claimAddresses, claimAddressOfEach, releaseAddress, searchAgainFrom } from './operations/claim-address.ts'
import { claimRanges } from './operations/claim-ranges.ts'
import { bindClientTokens, claimClientToken, type BoundToken, type ClaimedToken } from './operations/client-tokens.ts'
import { changeKubeconfig, forgetKubeconfig, insertKubeconfig, lockKubeconfigs } from './operations/kubeconfigs.ts'
import { lockName } from './operations/lock-name.ts'
import { isNameTaken, lockCluster, lockClusters, lockClustersOf, readAddons, readNodePools, readNodes } from './operations/lock-tree.ts'
import { findMachineSecret, machineSecretsByHash, machineSecretsOf, putMachineSecrets } from './operations/machine-secrets.ts'
import { clusterNamed, clustersOf } from './operations/find-records.ts'
import { changeMachine, findMachine, forgetMachine, insertMachines, machinesById, machinesOf, machinesOfInstances, orderMachines, setMachineIds } from './operations/machines.ts'
import { findNodeToken, putNodeTokens } from './operations/node-tokens.ts'
import { changeOnboarding, findOnboarding, forgetOnboarding, insertOnboarding } from './operations/onboardings.ts'
import { insertIntents, ledgersOf, putLedger } from './operations/put-ledger.ts'
import { lockQuota, machinesHeld, setQuota } from './operations/quotas.ts'
import { forgetRegion } from './operations/forget-region.ts'
import { holdRegion, lockRegion, putRegion } from './operations/regions.ts'
import { deleteSecrets, putSecrets } from './operations/secrets.ts'
import { writeRecords } from './operations/write-records.ts'
import { KnownInTransaction, type Known } from './records/known-records.ts'
import { enqueueing, type EnqueuedKey } from './queue/enqueue.ts'
import { gatheredLook } from './gathered-look.ts'
import { TreeTransaction } from './tree-transaction.ts'

/**
 * One attempt of one transaction. Records with a status, and keys for the queue, are written at its end (`finish`), all else at once. Where there is a
 * choice, locks are taken in this order: client tokens, regions, names, ranges, clusters, machines, the queue. Whoever removes a region takes those of rows in the same order, and never waits for tokens and
 * names, which are advisory.
 */
export class PostgresTransaction extends TreeTransaction implements Transaction {
  readonly #connection: TransactionConnection
  readonly #key: KeyObject
  readonly #known: KnownInTransaction
  readonly #keys: EnqueuedKey[] = []
  /** The hashes of requests whose ClientTokens this transaction claimed. */
  readonly #claims = new Map<string, string>()
  readonly #bound: BoundToken[] = []
  /** Those that are not sent yet. */
  readonly #secrets = new Map<string, string>()
  readonly #held = new Map<string, Promise<boolean>>()
  readonly accessKeyIds: string[] = []
  /** Entries that are not written yet, those that this transaction wrote, and what was read of ledgers, by owner: others may read and write beside one that waits. */
  readonly #entries = new Map<string, LedgerEntry>()
  readonly #written = new Map<string, LedgerEntry>()
  readonly #ledgers = new Map<string, readonly LedgerEntry[]>()
  /** Passes over clusters that come up together look at their ledgers together. */
  readonly #lookAtLedger = gatheredLook(async ids => Map.groupBy(await ledgersOf(this.#connectionWithClaims, ids), entry => entry.owner.id))
  #ledgerWrites = 0
  /** Those that are locked, as they were read, and those whose rows this transaction wrote. */
  readonly #machines = new Map<string, MachineRecord>()
  readonly #machinesWritten = new Set<string>()
  #isRegionGone = false
  /** Whose ledger this transaction changed. */
  readonly #spenders = new Map<string, Scope>()
  /** Claims whose machines, intents and tokens are not sent yet: many pools that grow in one transaction send them together. */
  #claimed: NewClaim[] = []
  readonly #ownAddress = new Map<string, (owner: string) => Promise<string | undefined>>()
  /** Those who want addresses in one turn of the event loop are one claim. */
  readonly #addresses = new Map<string, { readonly owners: string[]; readonly claimed: Promise<readonly string[]> }>()
  /** Addresses of each region that were given back. */
  readonly #released = new Map<string, readonly string[]>()

  constructor(connection: TransactionConnection, key: KeyObject, here: Known, now: number, instants?: () => WriteInstants) {
    const known = new KnownInTransaction(here)
    super({
      lockCluster: id => lockCluster(connection, known, id),
      lockClusters: ids => lockClusters(connection, known, ids),
      lockClustersOf: (table, ids) => lockClustersOf(connection, known, table, ids),
      clustersOf: scope => clustersOf(connection, scope),
      clusterNamed: (scope, name) => clusterNamed(connection, scope, name),
      readNodePools: (where, ids) => readNodePools(connection, known, where, ids),
      readNodes: (where, ids) => readNodes(connection, known, where, ids),
      readAddons: (where, ids) => readAddons(connection, known, where, ids),
      isNameTaken: (table, place, name) => isNameTaken(connection, table, place, name),
    }, now, instants)
    this.#connection = connection
    this.#key = key
    this.#known = known
  }

  /** Settles and sends what is written, which the commit waits for; answers what the rest of the world must hear of once it is committed. */
  async finish(): Promise<{ enqueuedRegions: readonly string[]; history: HistoryAdded; ledgerWrites: number; isRegionGone: boolean }> {
    const history = await this.settle()
    this.#sendClaims()
    this.#sendSecrets()
    bindClientTokens(this.#connection, this.#bound)
    await this.#writeLedger()
    if (this.#spenders.size > 0) for (const { accountId, region } of await limitedAmong(this.#connectionWithClaims, [...this.#spenders.values()])) await this.enqueue({ kind: 'account', id: `${accountId}/${region}`, region })
    writeRecords(this.#connection, this.#known, this.work)
    for (const { text, values } of enqueueing(this.#keys)) this.#connection.send(text, values)
    for (const [region, released] of this.#released) searchAgainFrom(this.#connection, region, released)
    // Last, as it may take the sequencer's lock.
    return { enqueuedRegions: [...new Set(this.#keys.map(key => key.region))], history: addHistory(this.#connection, this.work, history), ledgerWrites: this.#ledgerWrites, isRegionGone: this.#isRegionGone }
  }

  /** What it read and wrote is known from here on. */
  committed(): void {
    this.#known.committed()
  }

  async waitAtMost(ms: number): Promise<void> {
    this.#connection.send(`set local lock_timeout = ${Math.ceil(ms)}`)
  }

  lockName(name: string): Promise<void> {
    return lockName(this.#connection, name)
  }

  claimRanges(scope: Scope, clusterId: string, cidrs: readonly string[]): Promise<readonly ClusterRecord[]> {
    return claimRanges(this.#connection, scope, clusterId, cidrs)
  }

  async insertOnboarding(record: OnboardingRecord, token: string): Promise<void> {
    insertOnboarding(this.#connection, this.#key, record, token)
  }

  changeOnboarding(id: string, change: { expiresAt?: number; expirationDate?: number; updateClientToken?: string }): Promise<void> {
    return changeOnboarding(this.#connection, this.work.now, id, change)
  }

  forgetOnboarding(id: string, deletedAt: number): Promise<void> {
    return forgetOnboarding(this.#connection, id, deletedAt)
  }

  insertKubeconfig(record: KubeconfigRecord): Promise<void> {
    return insertKubeconfig(this.#connection, this.#key, record)
  }

  changeKubeconfig(id: string, change: { text?: string; deletionRequestedAt?: number }): Promise<void> {
    return changeKubeconfig(this.#connection, this.#key, id, change)
  }

  forgetKubeconfig(id: string): Promise<void> {
    return forgetKubeconfig(this.#connection, id)
  }

  lockKubeconfigs(clusterId: string, ids?: readonly string[]): Promise<readonly KubeconfigRecord[]> {
    return lockKubeconfigs(this.#connection, this.#key, clusterId, ids)
  }

  claimClientToken(scope: Scope, action: string, token: string, requestHash: string): Promise<ClaimedToken> {
    const place = [scope.accountId, scope.region, action, token].join('/')
    // Both would be told that it is fresh.
    if (this.#claims.has(place)) throw new Error('E-TOKEN: a ClientToken is claimed twice in one transaction')
    this.#claims.set(place, requestHash)
    return claimClientToken(this.#connection, scope, action, token, requestHash)
  }

  async bindClientToken(scope: Scope, action: string, token: string, resourceId: string, result: unknown): Promise<void> {
    const requestHash = this.#claims.get([scope.accountId, scope.region, action, token].join('/'))
    if (requestHash === undefined) throw new Error('E-TOKEN: a ClientToken is bound that was not claimed')
    this.#bound.push({ ...scope, action, token, requestHash, resourceId, result })
  }

  async putLedger(entry: LedgerEntry): Promise<void> {
    this.#entries.set(entry.id, entry)
  }

  /** Its owner's lock, or its owner's cluster's, keeps others from changing it meanwhile. */
  async ledgerOf(ownerId: string): Promise<readonly LedgerEntry[]> {
    const read = this.#ledgers.get(ownerId) ?? await this.#lookAtLedger(ownerId) ?? []
    this.#ledgers.set(ownerId, read)
    const here = new Map([...this.#written, ...this.#entries])
    const put = [...here.values()].filter(entry => entry.owner.id === ownerId)
    if (put.length === 0) return read
    return [...read.filter(entry => !here.has(entry.id)), ...put].sort((one, other) => one.since - other.since || (one.id < other.id ? -1 : 1))
  }

  async #writeLedger(): Promise<void> {
    if (this.#entries.size === 0) return
    const entries = [...this.#entries.values()]
    this.#entries.clear()
    this.#ledgerWrites += 1
    for (const entry of entries) this.#written.set(entry.id, entry)
    for (const scope of await putLedger(this.#connectionWithClaims, entries, this.work.now)) this.#spenders.set(`${scope.accountId}/${scope.region}`, scope)
  }

  lockAccount(scope: Scope): Promise<AccountRecord> {
    return lockAccount(this.#connection, scope)
  }

  putAccount(account: AccountRecord): Promise<void> {
    return putAccount(this.#connection, account)
  }

  async meterOf(scope: Scope): Promise<Meter> {
    await this.#writeLedger()
    return meterOf(this.#connectionWithClaims, scope)
  }

  machinesOf(scope: Scope): Promise<readonly MachineRecord[]> {
    return machinesOf(this.#connectionWithClaims, scope)
  }

  async insertMachine(record: MachineRecord): Promise<void> {
    this.#writesMachines([record])
    insertMachines(this.#connectionWithClaims, this.#key, this.#known.machines, [record])
  }

  lockMachine(id: string): Promise<MachineRecord | undefined> {
    return findMachine(this.#connectionWithClaims, this.#key, this.#known, id, 'for update')
  }

  async changeMachine(id: string, change: MachineChange): Promise<void> {
    this.#writesMachines([{ id }])
    changeMachine(this.#connectionWithClaims, this.#key, id, change)
  }

  async lockMachines(ids: readonly string[]): Promise<readonly MachineRecord[]> {
    const machines = await machinesById(this.#connectionWithClaims, this.#key, this.#known, ids, 'order by id for update')
    for (const machine of machines) this.#machines.set(machine.id, machine)
    return machines
  }

  lockFreeMachines(ids: readonly string[]): Promise<readonly MachineRecord[]> {
    return machinesById(this.#connectionWithClaims, this.#key, this.#known, ids, 'order by id for update skip locked')
  }

  async orderMachines(orders: readonly MachineOrderChange[]): Promise<void> {
    this.#writesMachines(orders)
    orderMachines(this.#connectionWithClaims, orders)
  }

  async setMachineIds(made: readonly { readonly id: string; readonly machineId: string }[]): Promise<void> {
    const asRead = new Map([...this.#machines].filter(([id]) => !this.#machinesWritten.has(id)))
    this.#writesMachines(made)
    setMachineIds(this.#connectionWithClaims, this.#known.machines, asRead, made)
  }

  machinesOfInstances(scope: Scope, instanceIds: readonly string[]): Promise<readonly MachineRecord[]> {
    return machinesOfInstances(this.#connectionWithClaims, scope, instanceIds)
  }

  async insertClaims(claims: readonly NewClaim[], because: Because): Promise<void> {
    await this.insertNodes(claims.map(claim => claim.node), because)
    this.#claimed.push(...claims)
  }

  /** What is known of them is no more; and what a lock answers of one that was written meanwhile is of before that. */
  #writesMachines(machines: readonly { readonly id: string }[]): void {
    for (const { id } of machines) {
      this.#machinesWritten.add(id)
      this.#known.machines.drop(id)
    }
  }

  /** Before anything of machines, ledgers and tokens is read or written. */
  #sendClaims(): void {
    if (this.#claimed.length === 0) return
    const claims = this.#claimed
    this.#claimed = []
    this.#writesMachines(claims.map(claim => claim.machine))
    insertMachines(this.#connection, this.#key, this.#known.machines, claims.map(claim => claim.machine))
    insertIntents(this.#connection, claims.map(claim => claim.ledger), this.work.now)
    putNodeTokens(this.#connection, claims.map(claim => claim.token))
  }

  /** Where others may have been claimed before. */
  get #connectionWithClaims(): TransactionConnection {
    this.#sendClaims()
    return this.#connection
  }

  async putNodeToken(token: NodeToken): Promise<void> {
    putNodeTokens(this.#connectionWithClaims, [token])
  }

  findNodeToken(tokenHash: string): Promise<NodeToken | undefined> {
    return findNodeToken(this.#connectionWithClaims, tokenHash)
  }

  forgetMachine(id: string): Promise<void> {
    this.#writesMachines([{ id }])
    return forgetMachine(this.#connectionWithClaims, id)
  }

  async putMachineSecret(secret: MachineSecret): Promise<void> {
    putMachineSecrets(this.#connection, [secret])
  }

  async putMachineSecrets(secrets: readonly MachineSecret[]): Promise<void> {
    putMachineSecrets(this.#connection, secrets)
  }

  machineSecretsByHash(secretHashes: readonly string[]): Promise<readonly MachineSecret[]> {
    return machineSecretsByHash(this.#connection, secretHashes)
  }

  findMachineSecret(secretHash: string): Promise<MachineSecret | undefined> {
    return findMachineSecret(this.#connection, secretHash)
  }

  machineSecretsOf(clusterId: string): Promise<readonly MachineSecret[]> {
    return machineSecretsOf(this.#connection, clusterId)
  }

  findOnboarding(id: string): Promise<OnboardingRecord | undefined> {
    return findOnboarding(this.#connection, 'id', id)
  }

  putRegion(region: RegionRecord): Promise<void> {
    return putRegion(this.#connection, region)
  }

  lockRegion(region: string): Promise<RegionRecord | undefined> {
    return lockRegion(this.#connection, region)
  }

  holdRegion(region: string): Promise<boolean> {
    const held = this.#held.get(region) ?? holdRegion(this.#connection, region)
    this.#held.set(region, held)
    return held
  }

  forgetRegion(region: string): Promise<void> {
    this.#isRegionGone = true
    this.#sendSecrets()
    return forgetRegion(this.#connectionWithClaims, region)
  }

  async putSecret(name: string, value: string): Promise<void> {
    this.#secrets.set(name, value)
  }

  #sendSecrets(): void {
    putSecrets(this.#connection, this.#key, this.#secrets)
    this.#secrets.clear()
  }

  deleteSecrets(prefix: string): Promise<void> {
    this.#sendSecrets()
    return deleteSecrets(this.#connection, prefix)
  }

  async claimAddress(region: string, owner: string, pool: { readonly first: string; readonly last: string }): Promise<string | undefined> {
    const place = JSON.stringify([region, pool])
    let claim = this.#ownAddress.get(place)
    if (!claim) {
      claim = gatheredLook(owners => claimAddressOfEach(this.#connection, region, owners, pool))
      this.#ownAddress.set(place, claim)
    }
    return claim(owner)
  }

  async claimAddresses(region: string, owners: readonly string[], pool: { readonly first: string; readonly last: string }): Promise<readonly string[]> {
    const place = JSON.stringify([region, pool])
    const claim = this.#addresses.get(place) ?? this.#claimAddressesSoon(place, region, pool)
    const from = claim.owners.push(...owners) - owners.length
    return (await claim.claimed).slice(from, from + owners.length)
  }

  #claimAddressesSoon(place: string, region: string, pool: { readonly first: string; readonly last: string }): { readonly owners: string[]; readonly claimed: Promise<readonly string[]> } {
    const owners: string[] = []
    const claimed = new Promise<void>(resolve => { setImmediate(resolve) }).then(() => {
      this.#addresses.delete(place)
      return claimAddresses(this.#connection, region, owners, pool)
    })
    const claim = { owners, claimed }
    this.#addresses.set(place, claim)
    return claim
  }

  async releaseAddress(region: string, owner: string): Promise<void> {
    const released = await releaseAddress(this.#connection, region, owner)
    if (released.length > 0) this.#released.set(region, [...this.#released.get(region) ?? [], ...released])
  }

  /** Kept until the end, so that all keys of a transaction are written in one order. */
  async enqueue(key: WorkKey & { region: string }, dueAt?: number): Promise<void> {
    this.#keys.push({ kind: key.kind, id: key.id, region: key.region, dueAt: dueAt ?? 0 })
  }

  lockQuota(scope: Scope, kind: string): Promise<number | undefined> {
    return lockQuota(this.#connection, scope, kind)
  }

  async setQuota(scope: Scope, kind: string, limit: number | undefined): Promise<void> {
    await setQuota(this.#connection, scope, kind, limit)
  }

  machinesHeld(scope: Scope, asking?: string): Promise<number> {
    return machinesHeld(this.#connection, scope, asking)
  }

  async insertAccount(account: NewAccessKey): Promise<void> {
    await insertAccount(this.#connection, this.#key, account)
    this.accessKeyIds.push(account.accessKeyId)
  }

  accessKeys(): Promise<readonly AccessKeyShown[]> {
    return accessKeys(this.#connection)
  }

  async setAdministrator(accessKeyId: string, administrator: boolean): Promise<boolean> {
    this.accessKeyIds.push(accessKeyId)
    return await setAdministrator(this.#connection, accessKeyId, administrator)
  }
}
