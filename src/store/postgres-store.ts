/** The store on PostgreSQL; each method is an operation of the folder `operations`. Over three hundred lines, as a port of so many methods has a few for each. */
import type { KeyObject } from 'node:crypto'

import type { AddonRecord } from '#model/addon/record.ts'
import type { AccountRecord, Meter } from '#model/account/record.ts'
import type { ClusterRecord } from '#model/cluster/record.ts'
import type { KubeconfigRecord } from '#model/kubeconfig/record.ts'
import type { NodePoolRecord } from '#model/node-pool/record.ts'
import type { NodeRecord } from '#model/node/record.ts'
import type { OnboardingRecord } from '#model/onboarding/record.ts'
import { NameTaken, type AccessKey, type ChangesAfter, type FollowFilter, type HistoryStand, type LedgerEntry, type Listing, type MachineRecord, type MachineSecret, type NodePlace, type NodeToken, type Page, type RegionRecord, type Scope, type Sight, type SightKind, type StatusChange, type Store, type Transaction, type WriteInstants } from '#ports/store.ts'
import type { AddonFilter, ClusterFilter, HistoryFilter, NodeFilter, NodePoolFilter, OnboardingFilter } from '#ports/store-filters.ts'
import type { Database } from './connection/database.ts'
import { violatedUniqueIndex } from './connection/failures.ts'
import { accountOf, findAccounts, meterOf } from './operations/accounts.ts'
import { AccessKeys } from './operations/access-keys.ts'
import { clustersOfRegion, nodePlaces, nodesOfMachines } from './operations/find-records.ts'
import { findKubeconfig } from './operations/kubeconfigs.ts'
import { changesAfter, historyStand } from './operations/follow-history.ts'
import { latestChange, listHistory } from './operations/list-history.ts'
import { listClusters } from './operations/list-clusters.ts'
import { listKubeconfigs } from './operations/list-kubeconfigs.ts'
import { listLedger } from './operations/list-ledger.ts'
import { ledgersOf } from './operations/put-ledger.ts'
import { listMachines } from './operations/list-machines.ts'
import { listNodePools } from './operations/list-node-pools.ts'
import { listNodes } from './operations/list-nodes.ts'
import { listOnboardings } from './operations/list-onboardings.ts'
import { listAddons } from './operations/list-addons.ts'
import { clustersById, readAddons, readNodePools, readNodes } from './operations/lock-tree.ts'
import { findMachineSecret, machineSecretsByHash, machineSecretsOf } from './operations/machine-secrets.ts'
import { findMachine, findMachineByMachineId, machinesById, machinesOfRegion } from './operations/machines.ts'
import { findNodeToken, nodeTokensByHash } from './operations/node-tokens.ts'
import { findOnboarding, onboardingToken } from './operations/onboardings.ts'
import { readState } from './operations/read-state.ts'
import { readSights } from './operations/read-sights.ts'
import { machinesHeld, quotaChanges, quotasOf } from './operations/quotas.ts'
import { findRegion, latestInstant, listRegions } from './operations/regions.ts'
import { openSecret, readSealed } from './operations/secrets.ts'
import { KnownHere } from './records/known-records.ts'
import { PostgresTransaction } from './postgres-transaction.ts'
import type { WakeUps } from './queue/wake-ups.ts'
import type { Sequencer } from './sequencer.ts'
import { gatheredById, gatheredLook } from './gathered-look.ts'
import { SharedReads } from './shared-reads.ts'

export class PostgresStore implements Store {
  readonly #database: Database
  readonly #key: KeyObject
  readonly #known = new KnownHere()
  readonly #sequencer: Sequencer
  readonly #followers: WakeUps
  readonly #announce: (regions: readonly string[]) => void
  readonly #accessKeys: AccessKeys
  readonly #reads: SharedReads
  readonly #sealed: (name: string) => Promise<Buffer | undefined>
  /** Those who look for one record in one turn of the event loop share a look. */
  readonly #one = {
    cluster: gatheredById((ids: readonly string[]) => this.clustersById(ids)), nodePool: gatheredById((ids: readonly string[]) => this.nodePoolsById(ids)),
    node: gatheredById((ids: readonly string[]) => this.nodesById(ids)), addon: gatheredById((ids: readonly string[]) => this.addonsById(ids)),
  }
  readonly #accounts: (place: string) => Promise<AccountRecord | undefined>

  constructor(parts: { database: Database; key: KeyObject; sequencer: Sequencer; followers: WakeUps; announce: (regions: readonly string[]) => void; realNow: () => number }) {
    this.#database = parts.database
    this.#key = parts.key
    this.#sequencer = parts.sequencer
    this.#followers = parts.followers
    this.#announce = parts.announce
    parts.database.onLost(() => { this.#known.clear() })
    this.#reads = new SharedReads(() => readState(parts.database))
    this.#sealed = gatheredLook(names => readSealed(parts.database, names))
    this.#accounts = gatheredLook(async places => new Map((await findAccounts(parts.database, places.map(scopeOf))).map(account => [placeOf(account), account])))
    this.#accessKeys = new AccessKeys(parts.database, parts.key, parts.realNow)
  }

  async write<T>(now: number, work: (tx: Transaction) => Promise<T>, instants?: () => WriteInstants): Promise<T> {
    let tx: PostgresTransaction | undefined
    try {
      const { result, outcome } = await this.#database.transaction(async connection => {
        tx = new PostgresTransaction(connection, this.#key, this.#known, now, instants)
        const result = await work(tx)
        return { result, outcome: await tx.finish() }
      })
      tx?.committed()
      for (const id of tx?.accessKeyIds ?? []) this.#accessKeys.forget(id)
      this.#sequencer.added(outcome.history, outcome.ledgerWrites)
      if (outcome.isRegionGone) this.#followers.announce()
      if (outcome.enqueuedRegions.length > 0) this.#announce(outcome.enqueuedRegions)
      return result
    } catch (error) {
      const index = violatedUniqueIndex(error)
      if (index?.endsWith('_name')) throw new NameTaken(undefined, { cause: error })
      throw error
    }
  }

  findAccessKey(accessKeyId: string): Promise<AccessKey | undefined> {
    return this.#accessKeys.find(accessKeyId)
  }

  findCluster(id: string): Promise<ClusterRecord | undefined> {
    return this.#one.cluster(id)
  }

  findNodePool(id: string): Promise<NodePoolRecord | undefined> {
    return this.#one.nodePool(id)
  }

  findNode(id: string): Promise<NodeRecord | undefined> {
    return this.#one.node(id)
  }

  findOnboarding(id: string): Promise<OnboardingRecord | undefined> {
    return findOnboarding(this.#database, 'id', id)
  }

  findOnboardingByTokenHash(tokenHash: string): Promise<OnboardingRecord | undefined> {
    return findOnboarding(this.#database, 'token_hash', tokenHash)
  }

  findKubeconfig(id: string): Promise<KubeconfigRecord | undefined> {
    return findKubeconfig(this.#database, this.#key, id)
  }

  findMachine(id: string): Promise<MachineRecord | undefined> {
    return findMachine(this.#database, this.#key, this.#known, id)
  }

  clustersById(ids: readonly string[]): Promise<readonly ClusterRecord[]> {
    return clustersById(this.#database, this.#known, ids)
  }

  nodePoolsById(ids: readonly string[]): Promise<readonly NodePoolRecord[]> {
    return readNodePools(this.#database, this.#known, 'id', ids)
  }

  nodesById(ids: readonly string[]): Promise<readonly NodeRecord[]> {
    return readNodes(this.#database, this.#known, 'id', ids)
  }

  machinesById(ids: readonly string[]): Promise<readonly MachineRecord[]> {
    return machinesById(this.#database, this.#key, this.#known, ids)
  }

  addonsById(ids: readonly string[]): Promise<readonly AddonRecord[]> {
    return readAddons(this.#database, this.#known, 'id', ids)
  }

  nodePoolsOf(clusterId: string): Promise<readonly NodePoolRecord[]> {
    return readNodePools(this.#database, this.#known, 'cluster_id', [clusterId])
  }

  nodePoolsOfClusters(clusterIds: readonly string[]): Promise<readonly NodePoolRecord[]> {
    return readNodePools(this.#database, this.#known, 'cluster_id', clusterIds)
  }

  nodesOf(parent: { clusterId: string } | { nodePoolId: string }): Promise<readonly NodeRecord[]> {
    return 'clusterId' in parent ? readNodes(this.#database, this.#known, 'cluster_id', [parent.clusterId]) : readNodes(this.#database, this.#known, 'node_pool_id', [parent.nodePoolId])
  }

  nodePlaces(ids: readonly string[]): Promise<readonly NodePlace[]> {
    return nodePlaces(this.#database, { ids })
  }

  nodesOfClusters(clusterIds: readonly string[]): Promise<readonly NodePlace[]> {
    return nodePlaces(this.#database, { clusterIds })
  }

  nodesOfMachine(region: string, machineId: string): Promise<readonly NodeRecord[]> {
    return nodesOfMachines(this.#database, region, [machineId])
  }

  nodesOfMachines(region: string, machineIds: readonly string[]): Promise<readonly NodePlace[]> {
    return nodePlaces(this.#database, { region, machineIds })
  }

  clustersOfRegion(region: string): Promise<readonly ClusterRecord[]> {
    return clustersOfRegion(this.#database, region)
  }

  listClusters(scope: Scope, filter: ClusterFilter, page: Page): Promise<Listing<ClusterRecord>> {
    return this.#reads.list(`Clusters${JSON.stringify([scope, filter, page])}`, () => listClusters(this.#database, scope, filter, page))
  }

  listNodePools(scope: Scope, filter: NodePoolFilter, page: Page): Promise<Listing<NodePoolRecord>> {
    return this.#reads.list(`NodePools${JSON.stringify([scope, filter, page])}`, () => listNodePools(this.#database, scope, filter, page))
  }

  findAddon(id: string): Promise<AddonRecord | undefined> {
    return this.#one.addon(id)
  }

  addonsOf(clusterId: string): Promise<readonly AddonRecord[]> {
    return readAddons(this.#database, this.#known, 'cluster_id', [clusterId])
  }

  listAddons(scope: Scope, filter: AddonFilter, page: Page): Promise<Listing<AddonRecord>> {
    return this.#reads.list(`Addons${JSON.stringify([scope, filter, page])}`, () => listAddons(this.#database, scope, filter, page))
  }

  listNodes(scope: Scope, filter: NodeFilter, page: Page): Promise<Listing<NodeRecord>> {
    return this.#reads.list(`Nodes${JSON.stringify([scope, filter, page])}`, () => listNodes(this.#database, scope, filter, page))
  }

  listOnboardings(scope: Scope, filter: OnboardingFilter, page: Page): Promise<Listing<OnboardingRecord>> {
    return this.#reads.list(`Onboardings${JSON.stringify([scope, filter, page])}`, () => listOnboardings(this.#database, scope, filter, page))
  }

  listKubeconfigs(scope: Scope, filter: Parameters<Store['listKubeconfigs']>[1], page: Page): Promise<Listing<KubeconfigRecord>> {
    return listKubeconfigs(this.#database, this.#key, scope, filter, page)
  }

  /** Shows what this process wrote before the call: its numbering is waited for. */
  async listHistory(scope: Scope, filter: HistoryFilter, page: Page): Promise<Listing<StatusChange>> {
    await this.#sequencer.settled()
    return listHistory(this.#database, scope, filter, page)
  }

  changesAfter(scope: Scope, filter: FollowFilter, after: number, most: number): Promise<ChangesAfter> {
    return changesAfter(this.#database, scope, filter, after, most)
  }

  /** What this process wrote before the call is below where a follower begins. */
  async historyStand(scope: Scope): Promise<HistoryStand> {
    await this.#sequencer.settled()
    return historyStand(this.#database, scope)
  }

  listenToHistory(onMoved: () => void, signal: AbortSignal): Promise<void> {
    return this.#followers.listen(() => { onMoved() }, signal)
  }

  listLedger(scope: Scope, filter: Parameters<Store['listLedger']>[1], page: Page): Promise<Listing<LedgerEntry>> {
    return listLedger(this.#database, scope, filter, page)
  }

  ledgersOf(ownerIds: readonly string[]): Promise<readonly LedgerEntry[]> {
    return ledgersOf(this.#database, ownerIds)
  }

  listMachines(scope: Scope, filter: Parameters<Store['listMachines']>[1], page: Page): Promise<Listing<MachineRecord>> {
    return listMachines(this.#database, scope, filter, page)
  }

  machinesOfRegion(region: string): Promise<readonly MachineRecord[]> {
    return machinesOfRegion(this.#database, region)
  }

  findMachineByMachineId(region: string, machineId: string): Promise<MachineRecord | undefined> {
    return findMachineByMachineId(this.#database, region, machineId)
  }

  async latestChange(accountId: string, id: string): Promise<StatusChange | undefined> {
    await this.#sequencer.settled()
    return latestChange(this.#database, accountId, id)
  }

  sights(kind: SightKind, ids: readonly string[]): Promise<readonly Sight[]> {
    return readSights(this.#database, kind, ids)
  }

  async readSecret(name: string): Promise<string | undefined> {
    const sealed = await this.#sealed(name)
    return sealed && openSecret(this.#key, name, sealed)
  }

  findMachineSecret(secretHash: string): Promise<MachineSecret | undefined> {
    return findMachineSecret(this.#database, secretHash)
  }

  machineSecretsOf(clusterId: string): Promise<readonly MachineSecret[]> {
    return machineSecretsOf(this.#database, clusterId)
  }

  machineSecretsByHash(secretHashes: readonly string[]): Promise<readonly MachineSecret[]> {
    return machineSecretsByHash(this.#database, secretHashes)
  }

  nodeTokensByHash(tokenHashes: readonly string[]): Promise<readonly NodeToken[]> {
    return nodeTokensByHash(this.#database, tokenHashes)
  }

  findNodeToken(tokenHash: string): Promise<NodeToken | undefined> {
    return findNodeToken(this.#database, tokenHash)
  }

  findRegion(region: string): Promise<RegionRecord | undefined> {
    return findRegion(this.#database, region)
  }

  listRegions(): Promise<readonly RegionRecord[]> {
    return listRegions(this.#database)
  }

  latestInstant(region: string): Promise<number | undefined> {
    return latestInstant(this.#database, region)
  }

  onboardingToken(id: string): Promise<string | undefined> {
    return onboardingToken(this.#database, this.#key, id)
  }

  async findAccount(scope: Scope): Promise<AccountRecord> {
    return await this.#accounts(placeOf(scope)) ?? accountOf(scope, undefined)
  }

  meterOf(scope: Scope): Promise<Meter> {
    return meterOf(this.#database, scope)
  }

  quotasOf(scope: Scope): ReturnType<Store['quotasOf']> {
    return quotasOf(this.#database, scope)
  }

  quotaChanges(region: string): Promise<number> {
    return quotaChanges(this.#database, region)
  }

  machinesHeld(scope: Scope): Promise<number> {
    return machinesHeld(this.#database, scope)
  }
}

function placeOf({ accountId, region }: Scope): string {
  return JSON.stringify([accountId, region])
}

function scopeOf(place: string): Scope {
  const [accountId, region] = JSON.parse(place) as [string, string]
  return { accountId, region }
}
