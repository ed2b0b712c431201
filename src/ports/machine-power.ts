import type { MachineSeen, MachineStuck, MachineTurnedAway } from './machines.ts'

/** What the machine provider's watch saw, as the sight of kind MachinePower of the machine's own id. */
export interface MachinePowerFact {
  readonly state: 'on' | 'off'
  readonly since: number
  readonly lastOnAt?: number
  readonly link: 'up' | 'cut'
  readonly machineId: string
  readonly stuck?: MachineStuck
  /** Told to whoever lists machines, and by the nodes for which pools ordered them. */
  readonly turnedAway?: MachineTurnedAway
}

export function machinePowerFact({ power, powerSince, lastOnAt, link, machineId, stuck, turnedAway }: MachineSeen): MachinePowerFact {
  return { state: power, since: powerSince, ...(lastOnAt !== undefined && { lastOnAt }), link, machineId, ...(stuck && { stuck }), ...(turnedAway && { turnedAway }) }
}
