import type { Clock } from '#ports/clock.ts'
import type { Components } from '#ports/components.ts'
import type { Log } from '#ports/log.ts'
import type { Overlay } from '#ports/overlay.ts'
import type { Store } from '#ports/store.ts'
import type { AddressedCluster, TenantCluster, TenantClusterAddress } from '#ports/tenant-cluster.ts'

/** What the join endpoint of one region works with. */
export interface JoinOptions {
  readonly region: string
  readonly store: Store
  readonly tenantCluster: TenantCluster
  /** How a cluster is spoken to, from somebody who remembers it; without it its keys are read each time. */
  readonly tenantAddressOf?: ((cluster: AddressedCluster) => Promise<TenantClusterAddress | undefined>) | undefined
  readonly components: Components
  /** The region's. */
  readonly clock: Clock
  readonly log: Log
  /** `https://HOST:PORT` as machines reach us. */
  readonly url: string
  /** PEM texts: the key that is fixed for the region, its certificate for the host of `url`, and the CA that signed it. */
  readonly tls: { readonly key: string; readonly certificate: string; readonly ca: string }
  /** `HOST:PORT` of the region's image registry as machines reach it. */
  readonly registry: string
  /** `name:tag` of the sandbox image in it, `pause:3.10` by default. */
  readonly pauseImage?: string
  /** By which machines outside of the region's network are part of it; without it they are not. */
  readonly overlay?: Overlay
  /** `cluster.local` by default. */
  readonly clusterDomain?: string
  /** Real milliseconds, for limits of requests. */
  readonly realNow: () => number
  /** At least 8 random bytes for an id. */
  readonly randomBytes: (count: number) => Uint8Array
}
