import type { tenantAddresses } from '#controllers/cluster/tenant-address.ts'
import type { Components } from '#ports/components.ts'
import type { Log } from '#ports/log.ts'
import type { RegionRecord } from '#ports/store.ts'
import type { OpenStore } from '#store/open.ts'
import type { ComponentSupply } from '../component-supply.ts'
import type { Configuration } from '../configuration.ts'
import type { LocalRegionFace } from './face.ts'

/** What serving the region of this host takes. */
export interface LocalRegionRun {
  readonly configuration: Configuration
  readonly region: RegionRecord
  readonly face: LocalRegionFace
  readonly supply: ComponentSupply
  readonly components: Components
  readonly opened: OpenStore
  readonly tenantAddressOf: ReturnType<typeof tenantAddresses>
  readonly log: Log
  readonly say: (text: string) => void
  readonly signal: AbortSignal
}
