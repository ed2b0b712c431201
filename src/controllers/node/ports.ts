import type { Clock } from '#ports/clock.ts'
import type { DecisionPorts } from '#ports/decisions.ts'
import type { Log } from '#ports/log.ts'
import type { MachineLogins } from '#ports/machine-logins.ts'
import type { Machines } from '#ports/machines.ts'
import type { Store } from '#ports/store.ts'
import type { AddressedCluster, TenantCluster, TenantClusterAddress } from '#ports/tenant-cluster.ts'

export interface NodeRegion {
  /** The region's time. */
  readonly clock: Clock
  readonly tenant: TenantCluster
  /** Absent where the region makes none. */
  readonly machines?: Machines
  /** The logins of this process; absent where nobody is logged in to. */
  readonly logins?: Pick<MachineLogins, 'isUnderWay' | 'end'>
  /** It tells of everything by which an answer of it may be another one. */
  readonly tellsAll?: boolean
}

export interface NodePorts extends DecisionPorts {
  readonly store: Store
  readonly log: Log
  regionOf(region: string): NodeRegion
  /** `undefined` while the cluster has no address or no keys. */
  tenantAddressOf(cluster: AddressedCluster): Promise<TenantClusterAddress | undefined>
}
