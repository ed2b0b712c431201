import type { Controller } from '#ports/controller.ts'
import { reconcileOrdered } from './ordered-machine.ts'
import { reconcileOwn } from './own-machine.ts'
import type { MachinePorts } from './ports.ts'

export type { MachinePorts } from './ports.ts'

/** Makes machines as their records order, and takes them away; users' own ones and those that pools ordered. */
export function machineController(ports: MachinePorts): Controller {
  return {
    kind: 'machine',
    async reconcile(id, signal) {
      const record = await ports.store.findMachine(id)
      if (!record) return {}
      return record.ownedBy ? await reconcileOrdered({ ...record, ownedBy: record.ownedBy }, ports, signal) : await reconcileOwn(record, ports)
    },
  }
}
