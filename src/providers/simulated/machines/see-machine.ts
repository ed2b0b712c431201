import type { MachineSeen } from '#ports/machines.ts'
import type { Draw } from '../world/draw.ts'
import type { WorldMachine } from '../world/things.ts'

export function seeMachine(id: string, { power, powerSince, lastOnAt, link, pool, stuck, turnedAway }: WorldMachine, draw: Draw): MachineSeen {
  return { id, power, powerSince, link, machineId: draw.hex(32, 'machine-id', id), ...(lastOnAt !== undefined && { lastOnAt }), ...(pool !== undefined && { nodePoolId: pool }), ...(stuck && { stuck }), ...(turnedAway && { turnedAway }) }
}

/** Its system is up and reaches the network. */
export function isConnected({ power, link, upAt }: WorldMachine, now: number): boolean {
  return power === 'on' && link === 'up' && (upAt ?? Infinity) <= now
}
