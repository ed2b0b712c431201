import type { Clock } from '#ports/clock.ts'
import type { Store, Transaction } from '#ports/store.ts'
import type { TenantCluster, TenantClusterAddress } from '#ports/tenant-cluster.ts'

export interface NodePoolRegion {
  readonly clock: Clock
  readonly tenant: TenantCluster
  /** An address on the region's network for a machine that is to be made; undefined where none is free. Absent where machines have theirs from elsewhere. */
  readonly claimMachineAddress?: (tx: Transaction, machineId: string) => Promise<string | undefined>
  /** The line of an onboarding script with that token, as machines of the region run it; undefined until the region can be reached by them. */
  readonly bootstrapLine?: (token: string) => string | undefined
  /** For ids and tokens; a region with a seed of its own draws them from it. */
  readonly randomBytes: (count: number) => Uint8Array
}

export interface NodePoolPorts {
  readonly store: Store
  regionOf(region: string): NodePoolRegion
  /** `undefined` while the cluster has no address or no keys. */
  tenantAddressOf(cluster: { readonly id: string; readonly address?: string }): Promise<TenantClusterAddress | undefined>
}
