import type { MachineOrder } from '#ports/machines.ts'
import type { MachineRecord } from '#ports/store.ts'

/** The order that a record stands for. */
export function orderOf({ id, accountId, name, address, power, link, ownedBy, template = ownedBy && {}, firstBoot }: MachineRecord): MachineOrder {
  return { id, accountId, name, address, power, link, ...(template && { template }), ...(ownedBy && { nodePoolId: ownedBy.nodePoolId }), ...(firstBoot !== undefined && { firstBoot }) }
}
