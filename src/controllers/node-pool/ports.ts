import type { Clock } from '#ports/clock.ts'
import type { DecisionPorts } from '#ports/decisions.ts'
import type { QuotaShown } from '#ports/quotas.ts'
import type { Store, Transaction } from '#ports/store.ts'
import type { AddressedCluster, TenantCluster, TenantClusterAddress } from '#ports/tenant-cluster.ts'

export interface NodePoolRegion {
  readonly clock: Clock
  readonly tenant: TenantCluster
  /** The region tells of everything by which an answer of it may be another one. */
  readonly tellsAll?: boolean
  /** Where it tells of that: the latest instant from which on answers may be others, of all or of the thing of that id. */
  readonly toldAt?: (id?: string) => number | undefined
  /** The limits that are set for an account. */
  readonly quotas?: (account: string) => Promise<readonly QuotaShown[]>
  /** Addresses on the region's network for machines that are to be made, in their order; fewer where fewer are free. Absent where machines have theirs from elsewhere. */
  readonly claimMachineAddresses?: (tx: Transaction, machineIds: readonly string[]) => Promise<readonly string[]>
  /** The line of an onboarding script with that token, as machines of the region run it; undefined until the region can be reached by them. */
  readonly bootstrapLine?: (token: string) => string | undefined
  /** For ids and tokens; a region with a seed of its own draws them from it. */
  readonly randomBytes: (count: number) => Uint8Array
}

export interface NodePoolPorts extends DecisionPorts {
  readonly store: Store
  regionOf(region: string): NodePoolRegion
  /** `undefined` while the cluster has no address or no keys. */
  tenantAddressOf(cluster: AddressedCluster): Promise<TenantClusterAddress | undefined>
}
