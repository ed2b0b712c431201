import type { ClusterFacts, ClusterSpec } from '#model/cluster/record.ts'
import type { KubeconfigRecord } from '#model/kubeconfig/record.ts'
import type { NodePoolFacts, NodePoolSpec } from '#model/node-pool/record.ts'
import type { NodeFacts, NodeSpec } from '#model/node/record.ts'
import type { OnboardingRecord } from '#model/onboarding/record.ts'
import type { Because, LedgerEntry, MachineRecord, MachineSecret, Scope, Transaction } from '#ports/store.ts'

/** Noon of a day; the tests' region lives around it. */
export const NOON = Date.UTC(2026, 10, 25, 12)
export const SCOPE: Scope = { accountId: 'account-1', region: 'sim-1' }

export function becauseOf(operation: string, fact = `${operation} was called.`): Because {
  return { evidence: [{ observer: 'caller', source: operation, observedAt: NOON, fact }], operation }
}

export function clusterSpec(change: Partial<ClusterSpec> = {}): ClusterSpec {
  return {
    name: 'shop', description: '', profile: 'Edge', kubernetesVersion: '1.35', servedVersion: 'v1.35.4', deleteProtectionEnabled: false, edgeTunnelEnabled: false, subnetIds: ['subnet-1'],
    apiServerPublicAccessEnabled: false, publicAccess: { billingType: 3, bandwidth: 10 }, resourcePublicAccessDefaultEnabled: false, podNetworkMode: 'Flannel', podCidrs: ['10.4.0.0/16'],
    maxPodsPerNode: 64, vpcCniSubnetIds: [], serviceCidrs: ['10.5.0.0/16'], tags: [], ...change,
  }
}
export const NEW_CLUSTER: ClusterFacts = { obstacles: [], unpaid: false, controlPlane: 'absent' }
export const USABLE_CLUSTER: ClusterFacts = { obstacles: [], unpaid: false, controlPlane: 'usable', attemptStartedAt: NOON, firstReadyAt: NOON + 1_000 }

export function nodePoolSpec(change: Partial<NodePoolSpec> = {}): NodePoolSpec {
  return { name: 'counters', type: 'edge-machine-set', labels: [], taints: [], kubernetesConfigSent: false, ...change }
}
export const READY_POOL: NodePoolFacts = { ready: true, obstacles: [], openClaims: 0 }

export function nodeSpec(name: string, change: Partial<NodeSpec> = {}): NodeSpec {
  return { name, architecture: 'amd64', machineId: `machine-of-${name}`, ...change }
}
export const NEW_NODE: NodeFacts = { claimedAt: NOON, machineExistsAt: NOON, pausedMs: 0, obstacles: [], unschedulable: false, outOfSync: false, unpaid: false }
export const READY_NODE: NodeFacts = { ...NEW_NODE, firstReadyAt: NOON + 2_000, ready: { status: 'True', since: NOON + 2_000, reason: 'KubeletReady', message: 'kubelet is posting ready status' } }

/** A cluster `c-<name>`, usable at once. */
export async function addCluster(tx: Transaction, name: string, scope: Scope = SCOPE, spec: Partial<ClusterSpec> = {}): Promise<string> {
  const { id } = await tx.insertCluster({ id: `c-${name}`, ...scope, spec: clusterSpec({ name, ...spec }), facts: USABLE_CLUSTER }, becauseOf('CreateCluster'))
  return id
}

/** A pool `p-<name>` that admits members. */
export async function addNodePool(tx: Transaction, name: string, clusterId: string, scope: Scope = SCOPE): Promise<string> {
  const { id } = await tx.insertNodePool({ id: `p-${name}`, ...scope, clusterId, spec: nodePoolSpec({ name }), facts: READY_POOL }, becauseOf('CreateEdgeNodePool'))
  return id
}

/** A node `n-<name>` with these facts. */
export async function addNode(tx: Transaction, name: string, parents: { clusterId: string; nodePoolId: string }, facts: NodeFacts = NEW_NODE, scope: Scope = SCOPE, spec: Partial<NodeSpec> = {}): Promise<string> {
  const { id } = await tx.insertNode({ id: `n-${name}`, ...scope, ...parents, spec: nodeSpec(name, spec), facts }, becauseOf('join'))
  return id
}

export function onboarding(change: Partial<OnboardingRecord> = {}): OnboardingRecord {
  return { id: 'n-script', ...SCOPE, revision: 1, createdAt: NOON, updatedAt: NOON, clusterId: 'c-shop', nodePoolId: 'p-counters', name: 'script', expiresAt: NOON / 1000 + 3600, tokenHash: 'hash-1', ...change }
}

export function kubeconfig(change: Partial<KubeconfigRecord> = {}): KubeconfigRecord {
  return { id: 'k-1', ...SCOPE, clusterId: 'c-shop', type: 'Public', userId: 7, roleId: 8, createdAt: NOON, expiresAt: NOON + 1, ...change }
}

export function machine(change: Partial<MachineRecord> = {}): MachineRecord {
  return { id: 'm-1', ...SCOPE, name: 'shop-1', address: '10.213.0.9', power: 'on', link: 'up', createdAt: NOON, ...change }
}

export function machineSecret(change: Partial<MachineSecret> = {}): MachineSecret {
  return { secretHash: 's-1', clusterId: 'c-shop', nodePoolId: 'p-counters', nodeId: 'n-a', nodeName: 'a', onboardingId: 'n-script', state: 'member', changedAt: NOON, ...change }
}

export function ledgerEntry(change: Partial<LedgerEntry> = {}): LedgerEntry {
  return { id: 'l-1', ...SCOPE, kind: 'ControlPlane', owner: { kind: 'Cluster', id: 'c-shop', name: 'shop' }, clusterId: 'c-shop', state: 'Held', deleteProtected: false, since: NOON, ...change }
}
