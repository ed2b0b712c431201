/** The store's port; over three hundred lines, since it is one interface, and whoever implements it reads all of it. */
import type { AddonFacts, AddonRecord, AddonSpec } from '#model/addon/record.ts'
import type { AccountRecord, Meter } from '#model/account/record.ts'
import type { ClusterFacts, ClusterRecord, ClusterSpec } from '#model/cluster/record.ts'
import type { Evidence, ResourceKind, ResourceName } from '#model/evidence.ts'
import type { KubeconfigRecord } from '#model/kubeconfig/record.ts'
import type { NodeFacts, NodeRecord, NodeSpec } from '#model/node/record.ts'
import type { MachineTemplate, NodePoolFacts, NodePoolRecord, NodePoolSpec } from '#model/node-pool/record.ts'
import type { OnboardingRecord } from '#model/onboarding/record.ts'
import type { AddonFilter, ClusterFilter, HistoryFilter, NodeFilter, NodePoolFilter, OnboardingFilter } from './store-filters.ts'

/** Of a region's time: what is written is of `now`, and the rules judge deadlines by `heardUntil`, up to which all that happened is known. */
export interface WriteInstants {
  readonly now: number
  readonly heardUntil: number
}

/**
 * The records. One instance a process; every number of processes on one PostgreSQL.
 *
 * Statuses are never handed in. Whoever writes changes spec or facts inside `write`; before the transaction commits, the store lets the model's
 * `settle` compute, by the rules of status-rules.md, the status of each touched record, then of its pool and its cluster (and of a cluster's pools when
 * it stops or starts), with the counters; each changed pair or rule becomes a row of the history in the same transaction, with evidence and cause.
 * Locks are taken in the order cluster → pool → node.
 */
export interface Store {
  /**
   * One transaction. `now` is the region's time, of which what is written is, and by which the rules judge deadlines. In a region with its own time both are asked for (`instants`) when they are first
   * needed, which is under the locks of what is written. Work is run again from the start after a serialisation failure or deadlock.
   */
  write<T>(now: number, work: (tx: Transaction) => Promise<T>, instants?: () => WriteInstants): Promise<T>

  // Reads: one snapshot each. `undefined` where there is no such row in that scope.
  findAccessKey(accessKeyId: string): Promise<AccessKey | undefined>
  findCluster(id: string): Promise<ClusterRecord | undefined>
  findNodePool(id: string): Promise<NodePoolRecord | undefined>
  findNode(id: string): Promise<NodeRecord | undefined>
  findAddon(id: string): Promise<AddonRecord | undefined>
  addonsOf(clusterId: string): Promise<readonly AddonRecord[]>
  listAddons(scope: Scope, filter: AddonFilter, page: Page): Promise<Listing<AddonRecord>>
  findOnboarding(id: string): Promise<OnboardingRecord | undefined>
  findKubeconfig(id: string): Promise<KubeconfigRecord | undefined>
  findMachine(id: string): Promise<MachineRecord | undefined>
  findOnboardingByTokenHash(tokenHash: string): Promise<OnboardingRecord | undefined>
  /** Those of these ids that there are, for passes over many keys; in no order. Machines come as findMachine gives them. */
  clustersById(ids: readonly string[]): Promise<readonly ClusterRecord[]>
  nodePoolsById(ids: readonly string[]): Promise<readonly NodePoolRecord[]>
  nodesById(ids: readonly string[]): Promise<readonly NodeRecord[]>
  /** Those of them that there are, without their records. */
  nodePlaces(ids: readonly string[]): Promise<readonly NodePlace[]>
  machinesById(ids: readonly string[]): Promise<readonly MachineRecord[]>
  addonsById(ids: readonly string[]): Promise<readonly AddonRecord[]>
  nodePoolsOf(clusterId: string): Promise<readonly NodePoolRecord[]>
  nodesOf(parent: { clusterId: string } | { nodePoolId: string }): Promise<readonly NodeRecord[]>
  /** Those of these clusters, in no order. */
  nodesOfClusters(clusterIds: readonly string[]): Promise<readonly NodePlace[]>
  nodePoolsOfClusters(clusterIds: readonly string[]): Promise<readonly NodePoolRecord[]>
  /** Nodes of a region that say they run on the machine with that /etc/machine-id (NodeSpec.machineId); more than one only while an old one is being deleted. */
  nodesOfMachine(region: string, machineId: string): Promise<readonly NodeRecord[]>
  /** As nodesOfMachine of each, together; those of one machine in order of creation. */
  nodesOfMachines(region: string, machineIds: readonly string[]): Promise<readonly NodePlace[]>
  /** Clusters of a region for controllers that start over (adoption, watches). */
  clustersOfRegion(region: string): Promise<readonly ClusterRecord[]>

  listClusters(scope: Scope, filter: ClusterFilter, page: Page): Promise<Listing<ClusterRecord>>
  listNodePools(scope: Scope, filter: NodePoolFilter, page: Page): Promise<Listing<NodePoolRecord>>
  listNodes(scope: Scope, filter: NodeFilter, page: Page): Promise<Listing<NodeRecord>>
  listOnboardings(scope: Scope, filter: OnboardingFilter, page: Page): Promise<Listing<OnboardingRecord>>
  listKubeconfigs(scope: Scope, filter: { ids?: readonly string[]; clusterIds?: readonly string[]; types?: readonly string[]; userIds?: readonly number[]; roleIds?: readonly number[] }, page: Page): Promise<Listing<KubeconfigRecord>>
  listHistory(scope: Scope, filter: HistoryFilter, page: Page): Promise<Listing<StatusChange>>
  listLedger(scope: Scope, filter: { clusterIds?: readonly string[]; kinds?: readonly string[]; states?: readonly string[]; ownerIds?: readonly string[]; /** Those that are in their state since then, or later. */ since?: number }, page: Page): Promise<Listing<LedgerEntry>>
  /** What is held for these owners, whatever has become of it, oldest first: no page, no count. */
  ledgersOf(ownerIds: readonly string[]): Promise<readonly LedgerEntry[]>
  listMachines(scope: Scope, filter: { ids?: readonly string[]; names?: readonly string[] }, page: Page): Promise<Listing<MachineRecord>>
  machinesOfRegion(region: string): Promise<readonly MachineRecord[]>
  findMachineByMachineId(region: string, machineId: string): Promise<MachineRecord | undefined>
  /**
   * The history as a follower reads it, oldest first: at most `most` rows behind a position, of one instant. Whoever goes on behind `upTo` each time misses nothing, and meets nothing twice: positions are given
   * in the order of commits, and a row that commits late gets a later one.
   */
  changesAfter(scope: Scope, filter: FollowFilter, after: number, most: number): Promise<ChangesAfter>
  /** Where the history stands, for a follower that begins. */
  historyStand(scope: Scope): Promise<HistoryStand>
  /** Calls back when rows may have got positions, whoever wrote them, or a region may be gone; until aborted. Reconnects by itself; sometimes calls for nothing. */
  listenToHistory(onMoved: () => void, signal: AbortSignal): Promise<void>
  /** The newest history row of a resource, also of one that is gone. */
  latestChange(accountId: string, id: string): Promise<StatusChange | undefined>
  /** Sights of one thing, newest writer's epoch only; `stale` when its watcher's lease has lapsed or it said it was lost. */
  sights(kind: SightKind, ids: readonly string[]): Promise<readonly Sight[]>
  /** Decrypted. */
  readSecret(name: string): Promise<string | undefined>
  findMachineSecret(secretHash: string): Promise<MachineSecret | undefined>
  machineSecretsOf(clusterId: string): Promise<readonly MachineSecret[]>
  /** Those of these hashes that there are, in no order. */
  machineSecretsByHash(secretHashes: readonly string[]): Promise<readonly MachineSecret[]>
  nodeTokensByHash(tokenHashes: readonly string[]): Promise<readonly NodeToken[]>
  /** Whose first boot a token is. The node may not be there yet: a bare claim's token names the node that it is to become. */
  findNodeToken(tokenHash: string): Promise<NodeToken | undefined>
  findRegion(region: string): Promise<RegionRecord | undefined>
  listRegions(): Promise<readonly RegionRecord[]>
  /** The latest instant (region's time) that anything of a region is recorded with; undefined where nothing is. */
  latestInstant(region: string): Promise<number | undefined>
  onboardingToken(id: string): Promise<string | undefined>
  /** The account's balance in a region; without one it is unlimited. */
  findAccount(scope: Scope): Promise<AccountRecord>
  /** What the account's ledger entries have cost and cost now. */
  meterOf(scope: Scope): Promise<Meter>
  /** Quotas of the account that are set, by kind. */
  quotasOf(scope: Scope): Promise<readonly { readonly kind: string; readonly limit: number }[]>
  /** How often quotas were set, or taken away, in the region. */
  quotaChanges(region: string): Promise<number>
  /** Machines that the account's pools ordered, and that were made or may be. A server that becomes another machine counts once: the one that goes from it holds its place until the other has one. */
  machinesHeld(scope: Scope): Promise<number>
}

export interface Scope { readonly accountId: string; readonly region: string }

/** `administrator`: it may do besides what only whoever runs the installation decides. */
export interface AccessKey { readonly accountId: string; readonly secret: string; readonly administrator?: true }
/** A key without its secret. `createdAt`: epoch ms of real time. */
export interface AccessKeyShown { readonly id: string; readonly accountId: string; readonly administrator: boolean; readonly createdAt: number }

export interface Page { readonly number: number; readonly size: number }
export interface Listing<Item> { readonly items: readonly Item[]; readonly totalCount: number }
export type FollowFilter = Pick<HistoryFilter, 'clusterIds' | 'kinds'>

export interface ChangesAfter {
  readonly changes: readonly StatusChange[]
  /** Nothing that the filter lets through is between the last one and this position. */
  readonly upTo: number
  /** Which of the regions that had the name it is; another one, or undefined, once it was removed. */
  readonly region: number | undefined
}

export interface HistoryStand {
  /** The newest position that is given, in whatever region. */
  readonly newest: number
  /** A position below this one is of an earlier region of that name; 0 where there was none. */
  readonly begins: number
  /** As in ChangesAfter. */
  readonly region: number | undefined
}

export interface StatusChange {
  readonly position: number
  readonly at: number
  readonly resource: ResourceName
  /** `undefined` in the last row of a resource: it is gone. */
  readonly status: { readonly phase: string; readonly conditions: readonly string[] } | undefined
  readonly rule: string
  readonly because: string
  readonly evidence: readonly Evidence[]
  readonly causedBy?: ResourceName
  readonly operation?: string
}

export type LedgerKind = 'ControlPlane' | 'Machine' | 'LoadBalancer' | 'Nat' | 'Address' | 'SecurityGroup' | 'Disk' | 'Network'
export type LedgerState = 'Intended' | 'Held' | 'Releasing' | 'Retained' | 'Abandoned' | 'Released'
export interface LedgerEntry {
  readonly id: string
  readonly accountId: string
  readonly region: string
  readonly kind: LedgerKind
  readonly providerId?: string
  readonly owner: { readonly kind: ResourceKind | 'Machine'; readonly id: string; readonly name: string }
  readonly clusterId?: string
  readonly state: LedgerState
  readonly because?: string
  readonly deleteProtected: boolean
  readonly since: number
  /** Of a machine, where it matters to its price; on where nothing is said. */
  readonly power?: 'on' | 'off'
}

export interface MachineRecord {
  readonly id: string
  readonly accountId: string
  readonly region: string
  readonly name: string
  readonly address: string
  readonly power: 'on' | 'off'
  readonly link: 'up' | 'cut'
  /** Its account's quota lets it be made; it counts from then on. Written where quotas are kept here, before it is asked for. */
  readonly granted?: true
  /** What stands in its /etc/machine-id, once seen. */
  readonly machineId?: string
  readonly createdAt: number
  readonly deletionRequestedAt?: number
  /** The pool that ordered it, and the node it is to become; `nodeId` undefined while it is a bare claim. Undefined: a user's own. */
  readonly ownedBy?: { readonly nodeId?: string; readonly nodePoolId: string; readonly clusterId: string }
  readonly template?: MachineTemplate
  /** Kept encrypted; there only where one machine is read (findMachine, lockMachine), never in a list of them. */
  readonly firstBoot?: string
  /** The provider refused to make it: by what and since when. Whoever owns it decides what becomes of the claim. */
  readonly refused?: { readonly as: 'StockOut' | 'LimitedByQuota' | 'Balance' | 'ScalingFailed'; readonly because: string; readonly at: number; /** Before it was asked for: when, and what the provider's supply was. */ readonly asked?: { readonly at: number; readonly supply?: string }; /** Something of it is there all the same, and is to be taken back. */ readonly left?: true }
  /** It could not be made, or not removed: the thing and the call. */
  readonly obstacle?: {
    readonly because: string
    readonly at: number
    /** Its removal was refused, or failed while it was on, so nothing of it is gone. */
    readonly held?: true
    /** By what its making was refused while nobody could look whether something of it is there. */
    readonly refused?: NonNullable<MachineRecord['refused']>
    /** An order that it was asked for in vain, and since when: nobody could look whether it can be carried out. */
    readonly waits?: { readonly power: 'on' | 'off'; readonly link: 'up' | 'cut'; readonly since: number }
  }
}

/** Changes of a machine; null takes a member away. */
export interface MachineChange {
  readonly power?: 'on' | 'off'
  readonly link?: 'up' | 'cut'
  readonly granted?: true
  readonly machineId?: string
  readonly deletionRequestedAt?: number | null
  readonly ownedBy?: MachineRecord['ownedBy'] | null
  readonly firstBoot?: string | null
  readonly refused?: MachineRecord['refused'] | null
  readonly obstacle?: MachineRecord['obstacle'] | null
}

/** Where a node is. */
export interface NodePlace {
  readonly id: string
  readonly clusterId: string
  readonly name: string
  /** Empty until its machine is known. */
  readonly machineId: string
  readonly deleting: boolean
}

/** What a caller ordered of one machine. */
export interface MachineOrderChange extends Pick<MachineChange, 'power' | 'link'> {
  readonly id: string
}

/** The rows of one claim for a machine (model/node/claim.ts), and the token of its first boot. */
export interface NewClaim {
  readonly node: NewRecord & { clusterId: string; nodePoolId: string; spec: NodeSpec; facts: NodeFacts }
  readonly machine: MachineRecord
  readonly ledger: LedgerEntry & { readonly state: 'Intended' }
  readonly token: NodeToken
}

/** The token of a machine's first boot: only its hash is kept, and it is bound to exactly one node. It goes when its node or its machine goes. */
export interface NodeToken {
  readonly tokenHash: string
  readonly nodeId: string
  readonly machineId: string
}

/** The secret of a machine that joined. `removed`: the node was deleted, the machine did not yet say that it cleaned up; a tombstone that outlives node and cluster and keeps the name reserved. */
export interface MachineSecret {
  readonly secretHash: string
  readonly clusterId: string
  readonly nodePoolId: string
  readonly nodeId: string
  readonly nodeName: string
  readonly onboardingId: string
  readonly state: 'member' | 'removed' | 'confirmed'
  /** When the machine's kubelet certificate ends at the latest; a removed name is free from then on. */
  readonly certificateUntil?: number
  readonly changedAt: number
}

export interface RegionRecord {
  readonly region: string
  readonly kind: 'Local' | 'Simulated'
  readonly ready: boolean
  readonly text: string
  /** Provider's own, e.g. the bridge's range. */
  readonly settings: Readonly<Record<string, unknown>>
}

export type SightKind = 'KubernetesNode' | 'MachinePower' | 'ControlPlane'
export interface Sight {
  readonly kind: SightKind
  readonly id: string
  /** JSON; its shape belongs to the controller that reads it. */
  readonly fact: unknown
  readonly seenAt: number
  readonly observer: string
  readonly stale: boolean
  readonly staleSince?: number
}

/** The writer's view of what changed, for history rows of the touched record. */
export interface Because {
  readonly evidence: readonly Evidence[]
  readonly causedBy?: ResourceName
  /** The action that asked for it, e.g. `DeleteCluster`. */
  readonly operation?: string
}

/** An account's key is `<account>/<region>`; that of a machine that was given back tells all that is left of it (refused-pools.ts). */
export type WorkKind = 'cluster' | 'node-pool' | 'node' | 'kubeconfig' | 'machine' | 'account' | 'addon' | 'given-back'
export interface WorkKey { readonly kind: WorkKind; readonly id: string }

export class StaleRevision extends Error {
  readonly kind = 'StaleRevision'
}

/** The database could not be reached or refused for lack of room: nothing was written, or it is unknown whether it was. Callers may try again. */
export class StoreUnavailable extends Error {
  readonly kind = 'StoreUnavailable'
}

/** A unique name is taken; `taken` says which, unless two writers took it at the same moment. */
export class NameTaken extends Error {
  readonly kind = 'NameTaken'
  readonly taken: string | undefined
  constructor(taken: string | undefined, options?: ErrorOptions) {
    super(taken === undefined ? 'A name that must be unique was taken at the same moment' : `The name ${taken} is taken`, options)
    this.taken = taken
  }
}

export interface Transaction {
  // Locks; call them in the order cluster → pool → node.
  /** Locks beforehand, in few statements, what passes over these keys lock: clusters, pools, nodes and add-ons; so that two transactions over many of them never wait for each other. */
  lockTrees(keys: readonly WorkKey[]): Promise<void>
  /** Another writer goes on in this transaction: a record that it read before an earlier one changed it is stale to it. */
  nextWriter(clusterId?: string): void
  /** The cluster in whose tree a key that was locked by `lockTrees` is; undefined for one that is in none. */
  treeOf(key: WorkKey): string | undefined
  lockCluster(id: string): Promise<ClusterRecord | undefined>
  lockNodePool(id: string): Promise<NodePoolRecord | undefined>
  lockNode(id: string): Promise<NodeRecord | undefined>
  lockNodes(ids: readonly string[]): Promise<readonly NodeRecord[]>
  lockAddon(id: string): Promise<AddonRecord | undefined>
  addonsOf(clusterId: string): Promise<readonly AddonRecord[]>
  nodePoolsOf(clusterId: string): Promise<readonly NodePoolRecord[]>
  nodesOf(parent: { clusterId: string } | { nodePoolId: string }): Promise<readonly NodeRecord[]>
  /** Clusters of one account in one region, as this transaction sees them; unlocked. Call `lockName` first where a check depends on all of them. */
  clustersOf(scope: Scope): Promise<readonly ClusterRecord[]>
  /** The cluster that has the name, as this transaction sees it; unlocked. That no other takes a free one before the commit is seen to by the write itself, which throws NameTaken. */
  clusterNamed(scope: Scope, name: string): Promise<ClusterRecord | undefined>
  /**
   * Claims IPv4 ranges for a cluster that this transaction inserts, in the VPC of account and region, until the cluster is forgotten. Answers the clusters that have
   * overlapping ones, oldest first: none if the claim stands. A transaction that claims an overlapping range at the same moment is waited for; a second claim of such in this one throws.
   */
  claimRanges(scope: Scope, clusterId: string, cidrs: readonly string[]): Promise<readonly ClusterRecord[]>
  /** Machines of one account in one region, as this transaction sees them; unlocked. */
  machinesOf(scope: Scope): Promise<readonly MachineRecord[]>
  /** Serialises creations whose check reads many rows (names, CIDRs of a VPC): an advisory lock held to the end of the transaction. */
  lockName(name: string): Promise<void>
  /** From here on no lock is waited for longer than that: what needs one that others hold for longer throws, and the transaction leaves nothing behind. Milliseconds. */
  waitAtMost(ms: number): Promise<void>

  insertCluster(record: NewRecord & { spec: ClusterSpec; facts: ClusterFacts }, because: Because): Promise<ClusterRecord>
  insertNodePool(record: NewRecord & { clusterId: string; spec: NodePoolSpec; facts: NodePoolFacts }, because: Because): Promise<NodePoolRecord>
  insertNode(record: NewRecord & { clusterId: string; nodePoolId: string; spec: NodeSpec; facts: NodeFacts }, because: Because): Promise<NodeRecord>

  /** Its id is that of `addonId`; one that is there already throws NameTaken. */
  insertAddon(record: NewRecord & { clusterId: string; spec: AddonSpec; facts: AddonFacts }, because: Because): Promise<AddonRecord>

  /**
   * Writes spec and/or facts of a record that this transaction has locked, and touches it. With `revision` a record that has moved on throws StaleRevision.
   * A change that changes nothing (deep equality) writes nothing and moves no revision, but still lets the rules look again at `now`.
   */
  changeCluster(id: string, change: { revision?: number; spec?: ClusterSpec; facts?: ClusterFacts; address?: string; updateClientToken?: string }, because: Because): Promise<void>
  changeNodePool(id: string, change: { revision?: number; spec?: NodePoolSpec; facts?: NodePoolFacts; updateClientToken?: string }, because: Because): Promise<void>
  changeNode(id: string, change: { revision?: number; spec?: NodeSpec; facts?: NodeFacts }, because: Because): Promise<void>
  changeAddon(id: string, change: { revision?: number; spec?: AddonSpec; facts?: AddonFacts; updateClientToken?: string }, because: Because): Promise<void>
  /** Drops the record; its last history row says it is gone and why. Parents are settled. */
  forget(resource: { kind: 'Cluster' | 'NodePool' | 'Node' | 'Addon'; id: string }, because: Because & { text: string }): Promise<void>

  insertOnboarding(record: OnboardingRecord, token: string): Promise<void>
  changeOnboarding(id: string, change: { expiresAt?: number; expirationDate?: number; updateClientToken?: string }): Promise<void>
  forgetOnboarding(id: string, deletedAt: number): Promise<void>
  insertKubeconfig(record: KubeconfigRecord): Promise<void>
  changeKubeconfig(id: string, change: { text?: string; deletionRequestedAt?: number }): Promise<void>
  forgetKubeconfig(id: string): Promise<void>
  lockKubeconfigs(clusterId: string, ids?: readonly string[]): Promise<readonly KubeconfigRecord[]>

  /** `fresh`: this call is the first with that token and must call `bindClientToken`. A token is free again once its resource is gone. A second claim of one token in a transaction throws. */
  claimClientToken(scope: Scope, action: string, token: string, requestHash: string): Promise<{ kind: 'fresh' } | { kind: 'repeat'; result: unknown } | { kind: 'mismatch' }>
  bindClientToken(scope: Scope, action: string, token: string, resourceId: string, result: unknown): Promise<void>

  /** What it cost until now is kept, and from now on it costs by `priceOf`; an account with a balance is looked at again in the same instant. */
  putLedger(entry: LedgerEntry): Promise<void>
  ledgerOf(ownerId: string): Promise<readonly LedgerEntry[]>

  /** Locked until the end of the transaction. */
  lockAccount(scope: Scope): Promise<AccountRecord>
  putAccount(account: AccountRecord): Promise<void>
  meterOf(scope: Scope): Promise<Meter>
  /** How many of a kind the account may have; undefined: no limit. A limit is locked until the end of the transaction. Whoever locks machines as well does so after it. */
  lockQuota(scope: Scope, kind: string): Promise<number | undefined>
  setQuota(scope: Scope, kind: string, limit: number | undefined): Promise<void>
  /** As the store tells it, as this transaction sees them; and as if the machine `asking` had its place. */
  machinesHeld(scope: Scope, asking?: string): Promise<number>

  insertMachine(record: MachineRecord): Promise<void>
  lockMachine(id: string): Promise<MachineRecord | undefined>
  changeMachine(id: string, change: MachineChange): Promise<void>
  /** Those that there are, in no order. */
  lockMachines(ids: readonly string[]): Promise<readonly MachineRecord[]>
  /** As lockMachines, without those that another transaction holds: for who shall not wait for one while it holds others. */
  lockFreeMachines(ids: readonly string[]): Promise<readonly MachineRecord[]>
  /** As changeMachine of each. */
  orderMachines(orders: readonly MachineOrderChange[]): Promise<void>
  /** As changeMachine of each, for machines that were made. */
  setMachineIds(made: readonly { readonly id: string; readonly machineId: string }[]): Promise<void>
  /** Machines that stand for those servers of the cloud (MachineTemplate.instanceId), as this transaction sees them. */
  machinesOfInstances(scope: Scope, instanceIds: readonly string[]): Promise<readonly MachineRecord[]>
  /** As insertNode, insertMachine, putLedger and putNodeToken of each, in a few statements for all; names and ids must be new ones, of one cluster. */
  insertClaims(claims: readonly NewClaim[], because: Because): Promise<void>
  putNodeToken(token: NodeToken): Promise<void>
  findNodeToken(tokenHash: string): Promise<NodeToken | undefined>
  /** With its tokens and what was seen of it. */
  forgetMachine(id: string): Promise<void>

  putMachineSecret(secret: MachineSecret): Promise<void>
  /** As putMachineSecret of each; no two of one hash. */
  putMachineSecrets(secrets: readonly MachineSecret[]): Promise<void>
  machineSecretsByHash(secretHashes: readonly string[]): Promise<readonly MachineSecret[]>
  /** As this transaction sees them. A transaction reads nothing by the store's own methods: each of those needs another connection, and whoever waits for one holds one. */
  findMachineSecret(secretHash: string): Promise<MachineSecret | undefined>
  machineSecretsOf(clusterId: string): Promise<readonly MachineSecret[]>
  /** Deleted ones too, as this transaction sees them. */
  findOnboarding(id: string): Promise<OnboardingRecord | undefined>
  putRegion(region: RegionRecord): Promise<void>
  lockRegion(region: string): Promise<RegionRecord | undefined>
  /** Keeps the region from being forgotten until the end of the transaction, for who writes what stands under no cluster and no machine that it locks; false where there is none (any more). Call it before those locks. */
  holdRegion(region: string): Promise<boolean>
  /**
   * Everything of it goes: records, secrets, addresses, keys, watches. Its history stays, and is not shown for another region of that name. Transactions that hold the region, or lock a cluster or machine
   * of it, are waited for.
   */
  forgetRegion(region: string): Promise<void>
  /** Encrypted with the master key. */
  putSecret(name: string, value: string): Promise<void>
  deleteSecrets(prefix: string): Promise<void>
  /** The lowest free address of the region's pool for this owner; the same one when called again. `undefined` if all are taken. */
  claimAddress(region: string, owner: string, pool: { readonly first: string; readonly last: string }): Promise<string | undefined>
  /** The same for owners that have none yet, in their order; fewer where fewer are free. Those who ask at once are served in the order in which they asked. */
  claimAddresses(region: string, owners: readonly string[], pool: { readonly first: string; readonly last: string }): Promise<readonly string[]>
  releaseAddress(region: string, owner: string): Promise<void>

  /** Puts the key into the queue in this transaction; due now unless `dueAt` (region's time). A key that runs now runs again. */
  enqueue(key: WorkKey & { region: string }, dueAt?: number): Promise<void>
  insertAccount(account: NewAccessKey): Promise<void>
  /** Oldest first, as this transaction sees them. */
  accessKeys(): Promise<readonly AccessKeyShown[]>
  /** False if there is none of that id. */
  setAdministrator(accessKeyId: string, administrator: boolean): Promise<boolean>
}

/** A key of an account, which is made where it is not there. */
export interface NewAccessKey {
  readonly id: string
  readonly accessKeyId: string
  readonly secret: string
  readonly name: string
  readonly administrator?: true
}

export interface NewRecord {
  readonly id: string
  readonly accountId: string
  readonly region: string
  readonly createClientToken?: string
}
