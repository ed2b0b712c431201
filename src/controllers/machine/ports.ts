import type { Clock } from '#ports/clock.ts'
import type { DecisionPorts } from '#ports/decisions.ts'
import type { Machines } from '#ports/machines.ts'
import type { Store } from '#ports/store.ts'
import type { leavesToOthers } from './leave-to-others.ts'

export interface MachinePorts extends DecisionPorts {
  readonly store: Store
  readonly newLedgerId: () => string
  /** `tellsAll`: the region tells of everything by which an answer of it may be another one; `toldAt`: when it last told of something that may concern one machine, where it keeps that. */
  regionOf(region: string): { readonly clock: Clock; readonly machines: Machines; readonly tellsAll?: boolean; readonly toldAt?: (id?: string) => number | undefined }
}

/** Of machines of nobody their provider is asked no more than whether they are there. */
export type LostMachinePorts = Pick<MachinePorts, 'store' | 'newLedgerId'> & { regionOf(region: string): { readonly clock: Clock; readonly machines: Pick<Machines, 'look'> } }

/** As passes have it. */
export interface MachinePassPorts extends MachinePorts {
  readonly leaveToOthers: ReturnType<typeof leavesToOthers>
  /** Machines of each region for which this process asked in vain: they are passed over as soon as the provider answers for another one. */
  readonly unanswered: Map<string, Set<string>>
  /** Machines that were passed over because of that. */
  readonly woken: Map<string, Woken>
}

export interface Woken {
  /** How often in vain. */
  readonly times: number
  /** Absent until it was asked for in vain again. */
  readonly restsUntil?: number
}
