import type { ClusterRecord } from '#model/cluster/record.ts'
import type { ControlPlaneSeen } from '#ports/control-plane-host.ts'
import type { TenantClusterProbe } from '#ports/tenant-cluster.ts'
import type { ClusterOutside } from './outside.ts'

/** Whether the programs of the wanted Kubernetes version are there; `waiting` and `gaveUp` say it in a sentence. */
export type ComponentsState = { readonly state: 'ready' } | { readonly state: 'waiting' | 'gaveUp'; readonly says: string }

/** Everything that a pass over a cluster looked at. Times are the region's, in epoch ms. */
export interface ClusterSeen {
  readonly now: number
  readonly record: Pick<ClusterRecord, 'facts' | 'address' | 'spec'>
  /** Since when the present pair is shown: what was given up on is looked at again ever more seldom. */
  readonly shownSince: number
  readonly host: ControlPlaneSeen
  /** `undefined` where no API server runs, so that there is nobody to ask. */
  readonly probe: TenantClusterProbe | undefined
  readonly components: ComponentsState
  /** What it has outside; looked at while it is made and while it goes. */
  readonly outside: readonly ClusterOutside[]
  /** Records of its pools and nodes that are still there; looked at in deletion only. */
  readonly children: { readonly pools: number; readonly nodes: number }
  /** How often a healthy cluster is probed besides events, ms. */
  readonly probeEveryMs: number
  /** Every change is told; looking by the clock is a backstop only. */
  readonly tellsAll?: boolean | undefined
}
