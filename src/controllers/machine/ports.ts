import type { Clock } from '#ports/clock.ts'
import type { DecisionPorts } from '#ports/decisions.ts'
import type { Machines } from '#ports/machines.ts'
import type { Scope, Store } from '#ports/store.ts'

export interface MachinePorts extends DecisionPorts {
  readonly store: Store
  readonly newLedgerId: () => string
  regionOf(region: string): { readonly clock: Clock; readonly machines: Machines }
}

/** As passes have it. */
export interface MachinePassPorts extends MachinePorts {
  /** Pools that were refused machines hear that one was given back. */
  wakeRefused(scope: Scope, now: number): Promise<void>
}
