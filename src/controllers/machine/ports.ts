import type { Clock } from '#ports/clock.ts'
import type { DecisionPorts } from '#ports/decisions.ts'
import type { Machines } from '#ports/machines.ts'
import type { MachineRecord, Store } from '#ports/store.ts'

export interface MachinePorts extends DecisionPorts {
  readonly store: Store
  readonly newLedgerId: () => string
  regionOf(region: string): { readonly clock: Clock; readonly machines: Machines }
}

/** As passes have it. */
export interface MachinePassPorts extends MachinePorts {
  /** A pool that was refused machines hears that this one was given back. */
  wakeRefused(gone: Pick<MachineRecord, 'accountId' | 'region' | 'ownedBy' | 'machineId'>, now: number): Promise<void>
}
