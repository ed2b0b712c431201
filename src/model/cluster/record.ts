import type { Evidence, ResourceName } from '../evidence.ts'
import type { ClusterStatus } from './status.ts'

/** What the user asked for, member for member as `CreateCluster` takes it (api.md 2), with the server's defaults filled in; answers echo it. */
export interface ClusterSpec {
  readonly name: string
  readonly description: string
  readonly profile: string
  /** As it was sent; undefined if the caller sent none (then the newest served version runs). */
  readonly kubernetesVersion: string | undefined
  /** The version that runs, e.g. `v1.35.4`. */
  readonly servedVersion: string
  readonly deleteProtectionEnabled: boolean
  readonly edgeTunnelEnabled: boolean
  readonly subnetIds: readonly string[]
  readonly apiServerPublicAccessEnabled: boolean
  readonly publicAccess: { readonly billingType: number; readonly bandwidth: number; readonly isp?: string }
  readonly resourcePublicAccessDefaultEnabled: boolean
  readonly podNetworkMode: string
  readonly podCidrs: readonly string[]
  readonly maxPodsPerNode: number
  /** Nobody sent it: an answer that shows it makes the Terraform provider replace the cluster. */
  readonly maxPodsPerNodeIsDefault?: true
  readonly vpcCniSubnetIds: readonly string[]
  readonly serviceCidrs: readonly string[]
  readonly logging?: { readonly logProjectId: string; readonly logSetups: readonly { logType: string; logTtl: number; enabled: boolean }[] }
  readonly tags: readonly { key: string; value: string }[]
}

export type CreationEnd = 'CreateError' | 'LimitedByQuota' | 'StockOut' | 'Balance'

/** What holds a cluster down that is no component: its data is lost, for good or until a copy of it is put back, or its host could not start it. */
export const THE_DATA = 'data', ITS_COPY = 'copy', THE_START = 'start'

/**
 * What the record remembers and what was last seen of the cluster itself: all that its rules see besides `now` and its pools.
 * Times are epoch ms in the region's time.
 */
export interface ClusterFacts {
  /** First attempt to start the control plane; undefined while it waits for components. Starts the 15 minutes of creation. */
  readonly attemptStartedAt?: number
  /** What it waits for before the first attempt, as a sentence. */
  readonly waitsFor?: string
  readonly firstReadyAt?: number
  readonly creationEnded?: { readonly as: CreationEnd; readonly because: string }
  readonly deletion?: { readonly requestedAt: number; readonly cascading: readonly string[]; readonly retain: readonly string[]; readonly force: boolean; /** Since this request nothing of its control plane was seen any more, so what was in it is gone, whatever else of the cluster is waited for. */ readonly controlPlaneGone?: true }
  /** A cleanup step that failed for good: the thing and the call, as sentences. */
  readonly obstacles: readonly string[]
  readonly unpaid: boolean
  /** Set with `unpaid`: the balance and since when there is none. */
  readonly arrears?: Evidence
  /** Set when the debt was paid, until the cluster is usable again. */
  readonly startingSince?: number
  /** That start took all its time, and nobody could look: what, since when and why not, as a sentence; until somebody can, or another debt is paid. */
  readonly startUnseen?: string
  /** An UpdateClusterConfig or an upgrade under way. */
  readonly updating?: { readonly action: string; readonly since: number }
  /** unkept: no readyz after five restarts in ten minutes, or its data is lost. */
  readonly controlPlane: 'absent' | 'starting' | 'usable' | 'unkept'
  /** A sentence on what the control plane lacks or why it is so; the component's own last words where there are some. */
  readonly controlPlaneSays?: string
  /** Once usable: what `controlPlaneSays` is about while it is down, a component, `THE_DATA`, `ITS_COPY` or `THE_START`; absent where nothing of it is known to be down. */
  readonly downBy?: string
  /** Once usable: its API has not been ready since then. */
  readonly notReadySince?: number
  /** Usable API, but this is down (scheduler, controller-manager, DNS), since then. */
  readonly degraded?: { readonly what: string; readonly since: number; /** Since when each of several is. */ readonly each?: Readonly<Record<string, number>>; /** Why its host does not start it again, a sentence. */ readonly why?: string }
  /** Set while nobody can look; the pair is kept. */
  readonly staleSince?: number
}

/** Nine counters of nodes by phase, as the wire's NodeStatistics. */
export interface NodeCounts {
  readonly total: number
  readonly creating: number
  readonly running: number
  readonly updating: number
  readonly deleting: number
  readonly failed: number
  readonly stopped: number
  readonly stopping: number
  readonly starting: number
}

/** What every record carries of its status. `since` moves only when the pair moves. */
export interface Said<Status> {
  readonly status: Status
  readonly since: number
  readonly rule: string
  readonly because: string
  readonly evidence: readonly Evidence[]
  readonly causedBy?: ResourceName
}

export interface RecordBase {
  readonly id: string
  readonly accountId: string
  readonly region: string
  /** Grows with each write of spec or facts; a write that carries an older one is refused (StaleRevision). Derived status and counters do not move it. */
  readonly revision: number
  readonly createdAt: number
  readonly updatedAt: number
  readonly createClientToken?: string
  readonly updateClientToken?: string
}

export interface ClusterRecord extends RecordBase {
  readonly spec: ClusterSpec
  readonly facts: ClusterFacts
  readonly said: Said<ClusterStatus>
  readonly counts: NodeCounts
  /** The address of its API, once claimed, e.g. `10.213.4.7`. */
  readonly address?: string
}
