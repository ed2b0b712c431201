import type { Clock } from '#ports/clock.ts'
import type { ClusterPki, ControlPlaneHost } from '#ports/control-plane-host.ts'
import type { DecisionPorts } from '#ports/decisions.ts'
import type { Log } from '#ports/log.ts'
import type { OutsideResources } from '#ports/outside.ts'
import type { Store } from '#ports/store.ts'
import type { AddressedCluster, TenantCluster, TenantClusterAddress } from '#ports/tenant-cluster.ts'
import type { ComponentsState } from './seen.ts'

/** What a cluster controller needs of the region that a cluster lives in. */
export interface ClusterRegion {
  /** The region's time. */
  readonly clock: Clock
  readonly host: ControlPlaneHost
  readonly tenant: TenantCluster
  /** Load balancers and the like; absent where the region makes none. */
  readonly outside?: OutsideResources | undefined
  /** Addresses on the region's network for API servers. */
  readonly addressPool: { readonly first: string; readonly last: string }
  /** `HOST:PORT` of the region's image registry. */
  readonly registry: string
  /** How often a healthy cluster is probed besides events, ms. */
  readonly probeEveryMs: number
  /** The region tells every change of a control plane, so that looking by the clock is a backstop only (regions with their own time). */
  readonly tellsAll?: boolean
  componentsReady(kubernetesVersion: string): Promise<ComponentsState>
}

export interface ClusterPorts extends DecisionPorts {
  readonly store: Store
  readonly log: Log
  regionOf(region: string): ClusterRegion
  /** `undefined` while the cluster has no address or no keys yet. */
  tenantAddressOf(cluster: AddressedCluster): Promise<TenantClusterAddress | undefined>
  makePki(cluster: { readonly id: string; readonly name: string }): Promise<ClusterPki>
  readonly newLedgerId: () => string
  /** Told after a pass wrote facts, so that whoever watches this cluster can begin or end without polling. */
  onChanged?(clusterId: string): void
}
