import { supplyOf } from '#ports/machines.ts'
import type { MachineRecord } from '#ports/store.ts'
import type { MachinePorts } from './ports.ts'

export type Asked = NonNullable<NonNullable<MachineRecord['refused']>['asked']>

/** What holds before a region's machines are asked for; what changes after it may come too late for them. */
export async function askedNow(region: string, ports: MachinePorts): Promise<Asked> {
  const { clock, machines } = ports.regionOf(region)
  const at = clock.now(), supply = await supplyOf(machines)
  return { at, ...supply !== undefined && { supply } }
}
