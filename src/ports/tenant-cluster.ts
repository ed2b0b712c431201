import type { Marks, NearTerms } from '#model/node-pool/neighbours.ts'
import type { Label, Taint } from '#model/node-pool/record.ts'
import type { ClusterPki } from './control-plane-host.ts'

/** What of a cluster's record leads to its inside: its API has an address once it is prepared. */
export interface AddressedCluster { readonly id: string; readonly address?: string }

/** The inside of a tenant cluster, spoken to as its administrator. Every call has a deadline of seconds and throws TenantClusterUnreachable when it could not look. */
export interface TenantClusterAddress {
  readonly clusterId: string
  readonly address: string
  readonly pki: ClusterPki
}

export interface TenantClusterProbe {
  /** /readyz of the API server. */
  readonly ready: boolean
  /** The API server answers, ready or not. */
  readonly answers?: boolean
  /** What /readyz or the connection said if not ready. */
  readonly says: string
  /** Scheduler, controller manager, ServiceAccount and DNS are asked for only beside a ready API server, and are else false and nought. */
  readonly scheduler: boolean
  readonly controllerManager: boolean
  readonly defaultServiceAccount: boolean
  /** Roles, bindings, membership policy, flannel's and kube-proxy's rights, cluster DNS: applied in the version we want. */
  readonly baseApplied: boolean
  /** Pods of cluster DNS: available and wanted; wanted counts only once a schedulable node is there. */
  readonly dns: { readonly available: number; readonly wanted: number; readonly schedulableNodes: number }
}

export interface NodeConfig {
  readonly labels: readonly Label[]
  readonly taints: readonly Taint[]
}

export interface NodeSeen {
  readonly name: string
  readonly uid: string
  readonly ready: { readonly status: 'True' | 'False' | 'Unknown'; readonly since: number; readonly reason: string; readonly message: string; readonly lastHeartbeatAt?: number } | undefined
  /** Cordoned, or registered as to be so (BEGINS_CORDONED), and nobody has set it since. */
  readonly unschedulable: boolean
  readonly podCidr?: string
  readonly internalIp?: string
  readonly labels: Readonly<Record<string, string>>
  readonly taints: readonly Taint[]
  readonly createdAt: number
  /** Other conditions that are True (DiskPressure …), as evidence. */
  readonly pressures: readonly string[]
}

export class TenantClusterUnreachable extends Error {
  readonly kind = 'TenantClusterUnreachable'
}

/** A pod by what it asks for, in Kubernetes' own terms; amounts are requests. */
export interface PodNeed extends NearTerms {
  readonly cpuMillis: number
  readonly memoryMiB: number
  /** Other resources by name. */
  readonly more?: Amounts
  /** It is of the cluster's own base (cluster DNS), which alone is no reason to have a node. */
  readonly base?: true
  /** It asks for something besides that is not told here (a volume, a resource claim, namespaces by their labels, a scheduler of its own): where else it could be nobody can tell. */
  readonly unweighed?: true
}

export type Amounts = Readonly<Record<string, number>>

/** Pods as the scheduler sees them. Pods of DaemonSets and mirror pods are left out of what waits and of `light`, but what they take of a node is taken. */
export interface RoomSeen {
  /** Pods that the scheduler finds no node for, for whatever reason (PodScheduled False, Unschedulable): users', add-ons' and the base's. */
  readonly waiting: readonly PodNeed[]
  /** What one node offers to pods: the smallest allocatable among the nodes; undefined while there is none. `known`: each node that comes offers just this, by the region's own word. */
  readonly perNode: { readonly cpuMillis: number; readonly memoryMiB: number; readonly pods?: number; readonly known?: true } | undefined
  /** Names of nodes that carry a user's pod. */
  readonly busy: readonly string[]
  /** Other nodes that carry pods: of add-ons and of the base (namespace kube-system), which may go where there is room. */
  readonly light: readonly { readonly name: string; readonly pods: readonly PodNeed[] }[]
  /** What nodes have left. Told where pods wait, or beside light ones. */
  readonly free: readonly NodeRoom[]
  /** What each node that would take it carries besides, one pod of each DaemonSet. Told where pods wait. */
  readonly daemons?: readonly PodNeed[]
  /** The answer changes by nothing that the region does by itself, so nobody need look again before something is asked of it (simulated regions). */
  readonly steady?: boolean
  /** When the youngest of what waits came, in the region's time; told where it is known. */
  readonly waitingSince?: number
}

/** `pods`: how many more. */
export interface NodeRoom extends Pick<NodeSeen, 'name' | 'labels' | 'taints'> {
  readonly cpuMillis: number
  readonly memoryMiB: number
  readonly pods: number
  /** Of other resources, those that pods which wait or are on light nodes ask for. */
  readonly more?: Amounts
  /** It takes no pods now: cordoned, or not Ready. */
  readonly shut?: true
  /** All pods on it by what matters to their neighbours. Told where some pod asks for something of its neighbours. */
  readonly carries?: readonly Marks[]
  /** What it has with nothing on it, and when its Node object was made. Told of those that take pods, where pods wait and no new node's offer is known. */
  readonly whole?: NodeOffer
  /** Since when it is Ready; told with `whole` where other resources are asked for. */
  readonly readyAt?: number
}

/** What a node has for pods. `at`: when it came, epoch ms. */
export interface NodeOffer {
  readonly at: number
  readonly cpuMillis: number
  readonly memoryMiB: number
  readonly pods: number
  /** Of those that are asked for: what it has none of may still come. */
  readonly more?: Amounts
}

export interface ClusterBase {
  readonly serviceCidr: string
  readonly podCidr: string
  /** `HOST:PORT` of the region's registry. */
  readonly registry: string
}

export interface TenantCluster {
  probe(cluster: TenantClusterAddress): Promise<TenantClusterProbe>
  ensureBase(cluster: TenantClusterAddress, base: ClusterBase): Promise<void>
  /** Ends as soon as the default ServiceAccount of namespace `default` is there, else after that time. */
  awaitDefaultServiceAccount?(cluster: TenantClusterAddress, patienceMs: number): Promise<void>
  /**
   * List, then watch of Nodes: `onSync` with the whole list first (and after every re-list), `onChange` for each later event, `onGone` for deletions, `onLost` when the watch
   * broke and nobody sees any more. It also approves certificate requests: a kubelet's client or serving request, first or renewal, is approved
   * if and only if `isMember(nodeName)` says so now; where it answers an address, a serving certificate is for that address only. Ends when aborted.
   */
  watch(cluster: TenantClusterAddress, handlers: {
    onSync(nodes: readonly NodeSeen[]): Promise<void>
    onChange(node: NodeSeen): Promise<void>
    onGone(name: string): Promise<void>
    onLost(why: string): Promise<void>
    isMember(nodeName: string): Promise<boolean | { readonly address: string }>
  }, signal: AbortSignal): Promise<void>
  getNode(cluster: TenantClusterAddress, name: string): Promise<NodeSeen | undefined>
  /** When the node's kubelet last renewed its Lease, epoch ms: its last heartbeat, to ten seconds. Undefined where it has none. */
  leaseRenewedAt?(cluster: TenantClusterAddress, name: string): Promise<number | undefined>
  /** The names that may have Node objects; replaces the whole list (the admission policy's parameter). */
  ensureMembers(cluster: TenantClusterAddress, names: readonly string[]): Promise<void>
  /** Labels and taints of the pool on the Node object; those set by an earlier pool spec and no longer wanted are taken off; others' are left alone. `began`: what its kubelet was told to register, which is of an earlier pool spec too. `pending`: no such Node object yet. */
  ensureNodeConfig(cluster: TenantClusterAddress, name: string, config: NodeConfig & { readonly began?: NodeConfig }): Promise<'done' | 'pending'>
  /** Cordons it or opens it. By its `pool`: with a taint of our own (BEING_STOPPED), which stands beside whatever cordon anybody makes or lifts. A node that is not there needs nothing. */
  setSchedulable(cluster: TenantClusterAddress, name: string, schedulable: boolean, by?: 'pool'): Promise<void>
  /** One round of evictions on the node (DaemonSet and mirror pods left out); answers how many pods are still there. Call again until 0 or your deadline. */
  evict(cluster: TenantClusterAddress, name: string): Promise<number>
  ensureNodeGone(cluster: TenantClusterAddress, name: string): Promise<void>
  /** What the scheduler finds no room for, and which nodes carry something; for whoever scales. Absent where nobody can tell. */
  room?(cluster: TenantClusterAddress): Promise<RoomSeen>
  /** A bootstrap token that is good for this node name only; deletes earlier ones of that name. */
  issueBootstrapToken(cluster: TenantClusterAddress, nodeName: string, ttlSeconds: number): Promise<string>
  /** `server`: the URL by which its user reaches the API, if not by the address on the region's network. A kubeconfig's text: a client certificate `edgehold:kubeconfig:<id>` bound to cluster-admin by a ClusterRoleBinding of that name. */
  issueKubeconfig(cluster: TenantClusterAddress, kubeconfig: { id: string; clusterName: string; validHours: number; server?: string | undefined }): Promise<string>
  revokeKubeconfig(cluster: TenantClusterAddress, id: string): Promise<void>
}
