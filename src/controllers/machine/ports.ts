import type { Clock } from '#ports/clock.ts'
import type { Machines } from '#ports/machines.ts'
import type { Store } from '#ports/store.ts'

export interface MachinePorts {
  readonly store: Store
  readonly newLedgerId: () => string
  regionOf(region: string): { readonly clock: Clock; readonly machines: Machines }
}
