import type { NodeCounts, RecordBase, Said } from '../cluster/record.ts'
import type { Evidence } from '../evidence.ts'
import type { NodePoolStatus } from './status.ts'

export type NodePoolType = 'edge-machine-set' | 'edge-machine-pool' | 'machine-set'

export interface Label { readonly key: string; readonly value: string }
export interface Taint { readonly key: string; readonly value: string; readonly effect: 'NoSchedule' | 'NoExecute' | 'PreferNoSchedule' }

/**
 * How many machines a pool that makes them itself shall have (AutoScaling of central pools, AutoScaleConfig of elastic ones), defaults filled in.
 * status-rules.md, "Who owns DesiredReplicas".
 */
export interface Scaling {
  readonly enabled: boolean
  readonly minReplicas: number
  readonly maxReplicas: number
  /** The target that callers set: a DesiredReplicas that differs from the one last sent, ScaleUp, ScaleDown, CreateNodes, DeleteNodes. */
  readonly desiredReplicas: number
  /** As a caller last sent it; answers echo it. */
  readonly sentDesiredReplicas: number
  /** 0..100; the pool with the higher one grows first. */
  readonly priority: number
  /** What scaling in does with a machine: gives it back, or switches it off and keeps it. Echoed only if sent. */
  readonly mode?: 'Release' | 'Recycle'
}

/** What a new machine of the pool is like; providers find in it what they need. Members as they were sent, for the echo. */
export interface MachineTemplate {
  /** The server of the cloud that the caller named (CreateNodes, CreateEdgeNode with DirectAdd); undefined where any will do. */
  readonly instanceId?: string
  /** The machine that this server was before, which goes once the new one is there: the new one has its place under every limit. */
  readonly replaces?: string
  /** Elastic pools: the edge service whose specification new servers take. */
  readonly cloudServerIdentity?: string
  /** Elastic pools: InstanceArea as sent. */
  readonly instanceArea?: Readonly<Record<string, unknown>>
  /** Central pools: NodeConfig as sent. */
  readonly nodeConfig?: Readonly<Record<string, unknown>>
  /** Of a server that CreateNodes put into the default pool: what its node carries besides what the pool wants, and whether it begins cordoned. */
  readonly carries?: { readonly labels: readonly Label[]; readonly taints: readonly Taint[]; readonly cordon?: true }
  /** Elastic pools: a copy of the edge service's specification, tolerated and echoed. */
  readonly cloudServerConfig?: Readonly<Record<string, unknown>>
}

/** What the user asked for (api.md 3 and 4). Static pools have neither scaling nor a template. */
export interface NodePoolSpec {
  readonly name: string
  readonly type: NodePoolType
  readonly labels: readonly Label[]
  readonly taints: readonly Taint[]
  /** Echoed only if sent. */
  readonly vpcId?: string
  /** Echoed only if sent. */
  readonly billingConfigs?: { readonly prePaidPeriod?: number | string; readonly prePaidPeriodNumber?: number; readonly autoRenew?: boolean }
  readonly scaling?: Scaling
  readonly template?: MachineTemplate
  /** Made by CreateDefaultNodePool; nodes that are added without a pool belong to it. */
  readonly isDefault?: true
  /** KubernetesConfig.Cordon: new nodes start unschedulable. */
  readonly cordon?: boolean
  /** KubernetesConfig.NamePrefix of new nodes. */
  readonly namePrefix?: string
  /** KubernetesConfig.AutoSyncDisabled: labels and taints are for nodes to come, and those that are there keep theirs. */
  readonly autoSyncDisabled?: boolean
  /** AutoScaling.SubnetPolicy of central pools, for the echo. */
  readonly subnetPolicy?: string
  readonly tags?: readonly { readonly key: string; readonly value: string }[]
  /** True if the caller sent KubernetesConfig. */
  readonly kubernetesConfigSent: boolean
}

/** `of`: a hash of what the pod asks for; records of before have none. `lost`: how often others took its place after it had waited there for long. Without a node it has no place now. */
export interface Held { readonly node?: string; readonly since: number; readonly of?: string; readonly lost?: number }

export interface NodePoolFacts {
  /** The cluster admits members of this pool (its membership policy and token roles are there). */
  readonly ready: boolean
  readonly creationEnded?: { readonly because: string }
  readonly deletion?: { readonly requestedAt: number; readonly by: 'call' | 'cluster'; readonly cascading: readonly string[]; readonly retain: readonly string[] }
  readonly obstacles: readonly string[]
  /** From the update call until every Node object that can be reached carries labels and taints. */
  readonly updating?: { readonly since: number; readonly waitsFor: readonly string[]; readonly off: readonly string[] }
  /** Nodes that are without its labels and taints though its update has ended: off, or refusing them. */
  readonly without?: readonly string[]
  /** Wanted machines were refused (elastic and central pools): by what, since when, how often in a row, and when it is tried again. */
  readonly refused?: { readonly as: 'StockOut' | 'LimitedByQuota' | 'Balance' | 'ScalingFailed'; readonly because: string; readonly since?: number; readonly times?: number; readonly retryAt?: number; /** When what was refused last was asked for. */ readonly triedAt?: number; /** Who refused the last one, and what they saw. */ readonly evidence?: readonly Evidence[]; /** The machine record of the one claim that is tried again now. */ readonly claim?: string; /** Something changed since that claim was made: refused, it is tried once more at once. */ readonly again?: true; /** Something changed while that claim could not be taken back: the next one is tried as soon as it is. */ readonly onceGone?: true; /** The id of the last one that was tried so, which the next one has again. */ readonly tried?: string; /** A member left so that one could come, and none has since: with one that comes this refusal ends. */ readonly leftFor?: true; /** How many claims wait in the ledger. */ readonly waits?: number }
  /** Machines of claims that it tried, by their records, which it does not want and which cannot be taken back, and why not, as part of a sentence. They are its own until they are gone, or a node's. */
  readonly leftovers?: readonly { readonly claim: string; readonly because: string }[]
  /** The autoscaler's own target and why, while it differs from what callers want or did last move it. */
  readonly autoscaler?: { readonly target: number; readonly because: string; readonly since: number }
  /** Since when nodes carry nothing that keeps them, by their ids; the autoscaler gives them back after their dwell. */
  readonly idle?: Readonly<Record<string, number>>
  /** Since when its autoscaler cannot look at pods, in a region that tells as soon as it can. */
  readonly blindSince?: number
  /** Lost members that went so that pods which wait could have a machine in their place: how many in a row, and when the last one did. */
  readonly gaveWay?: { readonly times: number; readonly at: number }
  /** What the newest node offered to pods, its kubelet's labels, and of which template it was; told where the region does not know it before. Of other resources nothing is said that is not known; none is known where a node was Ready without for long. */
  readonly offers?: { readonly of: string; readonly at: number; readonly cpuMillis: number; readonly memoryMiB: number; readonly pods: number; readonly more?: Readonly<Record<string, number>>; /** By resource, when the node came that had some of it last. */ readonly reportedBy?: Readonly<Record<string, number>>; /** Where there is none of something, a hash of the DaemonSets with which that was so. */ readonly daemons?: string; readonly labels: Readonly<Record<string, string>> }
  /** Pods that wait though they have a place by all that is known, or had one, by name: on which node, and since when. */
  readonly held?: Readonly<Record<string, Held>>
  /** Why pods that wait are none of its autoscaler's need: nodes that it makes would not take them. */
  readonly untaken?: string
  /** Since when a member goes so that another one comes in its place, for pods that wait. */
  readonly makesRoom?: number
  /** A member that it wants again, which was ordered off and is still on: until then it may go off at any moment, and is waited for; after that it is had again as it is. */
  readonly awaits?: { readonly node: string; readonly until: number }
  /** Members that somebody cordoned, which carry nothing and keep a machine from coming for pods that wait: they stay as no fewer than that may run, or as none would come in their place. */
  readonly kept?: { readonly nodes: readonly string[] } & ({ readonly least: number } | { readonly noneComes: string })
  /** Claims for machines that may still succeed now. */
  readonly openClaims: number
  readonly staleSince?: number
}

export interface NodePoolRecord extends RecordBase {
  readonly clusterId: string
  readonly spec: NodePoolSpec
  readonly facts: NodePoolFacts
  readonly said: Said<NodePoolStatus>
  readonly counts: NodeCounts
}
