/** What lists of the store's port are narrowed by; members that are given all have to match. */
import type { ResourceKind } from '#model/evidence.ts'

/** ORed; within one both members must match. */
export interface StatusFilter { readonly phase?: string; readonly condition?: string }

export interface ClusterFilter {
  readonly ids?: readonly string[]
  readonly name?: string
  readonly deleteProtectionEnabled?: boolean
  readonly podNetworkMode?: string
  readonly statuses?: readonly StatusFilter[]
  readonly createClientToken?: string
  readonly updateClientToken?: string
  readonly profiles?: readonly string[]
  readonly tags?: readonly { key: string; value?: string }[]
}
export interface NodePoolFilter {
  readonly ids?: readonly string[]
  readonly clusterIds?: readonly string[]
  readonly name?: string
  readonly statuses?: readonly StatusFilter[]
  readonly types?: readonly string[]
  readonly createClientToken?: string
  readonly updateClientToken?: string
  readonly autoScalingEnabled?: boolean
  /** Those that were refused machines and wait for them. */
  readonly refused?: true
  readonly tags?: readonly { key: string; value?: string }[]
}
export interface NodeFilter {
  readonly ids?: readonly string[]
  readonly clusterIds?: readonly string[]
  readonly nodePoolIds?: readonly string[]
  readonly name?: string
  readonly ips?: readonly string[]
  /** What lists show as InstanceId (model/node `instanceIdOf`). */
  readonly instanceIds?: readonly string[]
  readonly statuses?: readonly StatusFilter[]
  readonly createClientToken?: string
}
export interface AddonFilter {
  readonly clusterIds?: readonly string[]
  readonly names?: readonly string[]
  readonly deployModes?: readonly string[]
  readonly deployNodeTypes?: readonly string[]
  readonly statuses?: readonly StatusFilter[]
  readonly createClientToken?: string
  readonly updateClientToken?: string
}
export interface OnboardingFilter {
  readonly ids?: readonly string[]
  readonly clusterIds?: readonly string[]
  readonly nodePoolIds?: readonly string[]
  readonly name?: string
  readonly statuses?: readonly StatusFilter[]
  readonly createClientToken?: string
}
export interface HistoryFilter {
  readonly ids?: readonly string[]
  readonly clusterIds?: readonly string[]
  readonly kinds?: readonly ResourceKind[]
  readonly from?: number
  readonly to?: number
  /** For each resource the one row that held then. */
  readonly at?: number
}
