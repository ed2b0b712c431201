import type { NodeCounts, RecordBase, Said } from '../cluster/record.ts'
import type { NodePoolStatus } from './status.ts'

export type NodePoolType = 'edge-machine-set' | 'edge-machine-pool' | 'machine-set'

export interface Label { readonly key: string; readonly value: string }
export interface Taint { readonly key: string; readonly value: string; readonly effect: 'NoSchedule' | 'NoExecute' | 'PreferNoSchedule' }

/** What the user asked for (api.md 4, CreateEdgeNodePool); only static pools so far. */
export interface NodePoolSpec {
  readonly name: string
  readonly type: NodePoolType
  readonly labels: readonly Label[]
  readonly taints: readonly Taint[]
  /** Echoed only if sent. */
  readonly vpcId?: string
  /** Echoed only if sent. */
  readonly billingConfigs?: { readonly prePaidPeriod?: number | string; readonly prePaidPeriodNumber?: number; readonly autoRenew?: boolean }
  /** True if the caller sent KubernetesConfig. */
  readonly kubernetesConfigSent: boolean
}

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
  /** Wanted machines were refused (elastic and central pools). */
  readonly refused?: { readonly as: 'StockOut' | 'LimitedByQuota' | 'Balance' | 'ScalingFailed'; readonly because: string }
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
