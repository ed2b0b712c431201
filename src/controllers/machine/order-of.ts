import type { MachineOrder } from '#ports/machines.ts'
import type { MachineRecord } from '#ports/store.ts'

/** The order that a record stands for. */
export function orderOf({ id, name, address, power, link, template, firstBoot }: MachineRecord): MachineOrder {
  return { id, name, address, power, link, ...(template && { template }), ...(firstBoot !== undefined && { firstBoot }) }
}
