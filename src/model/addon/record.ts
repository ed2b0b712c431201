import type { RecordBase, Said } from '../cluster/record.ts'
import type { AddonStatus } from './status.ts'

/** What the user asked for (api.md 6, CreateAddon); answers echo it as it was sent. */
export interface AddonSpec {
  readonly name: string
  readonly version: string
  readonly deployMode: 'Unmanaged' | 'Managed'
  readonly deployNodeType: string
  /** A text that holds JSON; undefined if none was sent. */
  readonly config?: string
}

/** Why no pod of a workload is available, in the words of the seed's conditions. */
export type AddonReason = 'CrashLoopBackOff' | 'ImagePullBackOff' | 'SchedulingFailed'

/** A reason as it is held: it shows once it was seen long enough, and goes once it has been gone for its dwell (status-rules.md, Dwell). */
export interface HeldReason {
  readonly since: number
  /** The workload and what kubelet or scheduler said, a clause. */
  readonly text: string
  /** The workloads of which it is so, and since when of each; undefined where it is so of all that the add-on has. */
  readonly workloads?: Readonly<Record<string, number>>
  /** Held though it is so no more: the containers that had ended run since then, and have not run for long enough. */
  readonly runsSince?: number
}

/** Facts on one add-on. Times are epoch ms in the region's time. */
export interface AddonFacts {
  /** An installation or change that is asked for and not yet whole: by which action, since when. */
  readonly operation?: { readonly action: 'CreateAddon' | 'UpdateAddonConfig' | 'UpdateAddonVersion'; readonly since: number }
  /** What the installer last applied. */
  readonly applied?: { readonly version: string; readonly config?: string; readonly at: number }
  /** How often in a row nothing of it was there once it had been applied. */
  readonly missing?: number
  /** An object of its name that is not its own, as a sentence; first seen and last tried when. */
  readonly conflict?: { readonly text: string; readonly at: number; readonly triedAt: number }
  /** The installer failed with an error that fits nothing else, so often. */
  readonly installer?: { readonly failures: number; readonly text: string; readonly at: number }
  readonly reasons: Readonly<Partial<Record<AddonReason, HeldReason>>>
  /** At least one pod available, fewer than asked; or a rollout that stopped half-way: a clause. */
  readonly degraded?: HeldReason
  /** No pod of a workload is available and nobody says why; beside reasons that are held meanwhile, too. */
  readonly unavailable?: HeldReason
  /** Why nothing is done about it now: it was not looked at yet, or its removal waits, for one of the sentences below. */
  readonly waitsFor?: string
  readonly deletion?: { readonly requestedAt: number; readonly by: 'call' | 'cluster'; readonly crds: 'Delete' | 'Retain' }
  readonly obstacles: readonly string[]
  /** What was still there when its removal was last tried, and when. */
  readonly left?: { readonly text: string; readonly at: number }
  readonly staleSince?: number
}

/** Its key is (cluster, name); `id` is `<ClusterId>:<Name>`. */
export interface AddonRecord extends RecordBase {
  readonly clusterId: string
  readonly spec: AddonSpec
  readonly facts: AddonFacts
  readonly said: Said<AddonStatus>
}

export function addonId(clusterId: string, name: string): string {
  return `${clusterId}:${name}`
}

/** One add-on that may be installed, as ListSupportedAddons tells it. */
export interface SupportedAddon {
  readonly name: string
  /** Newest last. `kubernetes`: the minors it is for, e.g. `1.35`. */
  readonly versions: readonly { readonly version: string; readonly kubernetes: readonly string[] }[]
  readonly podNetworkModes: readonly string[]
  readonly deployModes: readonly ('Unmanaged' | 'Managed')[]
  readonly deployNodeTypes: readonly string[]
  readonly necessary: 'Required' | 'Recommended' | 'OnDemand'
  readonly categories: readonly string[]
}

/** Why nothing is done about an add-on before its cluster was Running for the first time; who makes the cluster usable wakes it. */
export const CLUSTER_NOT_USABLE_YET = 'Its cluster is not usable yet'
export const CLUSTER_NOT_RUNNING = 'Its cluster is not running'
export const API_SILENT = 'The API of its cluster does not answer now'
