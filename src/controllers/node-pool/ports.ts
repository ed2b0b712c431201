import type { Clock } from '#ports/clock.ts'
import type { Store } from '#ports/store.ts'

export interface NodePoolPorts {
  readonly store: Store
  regionOf(region: string): { readonly clock: Clock }
}
