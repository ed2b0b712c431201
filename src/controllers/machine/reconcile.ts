import type { Controller } from '#ports/controller.ts'
import type { MachineRecord } from '#ports/store.ts'
import { reconcileOrdered } from './ordered-machine.ts'
import { reconcileOwn } from './own-machine.ts'
import { leavesToOthers } from './leave-to-others.ts'
import type { MachinePorts, Woken } from './ports.ts'
import { reconcileMachines } from './reconcile-many.ts'
import { untilGone } from './until-gone.ts'

export type { MachinePorts } from './ports.ts'

/** Makes machines as their records order, and takes them away; users' own ones and those that pools ordered. */
export function machineController(given: MachinePorts): Controller {
  const ports = { ...given, leaveToOthers: leavesToOthers(given.store), unanswered: new Map<string, Set<string>>(), woken: new Map<string, Woken>() }
  return {
    kind: 'machine',
    async reconcile(id, signal) {
      const record = await ports.store.findMachine(id)
      return record ? await passOver(record, signal) : {}
    },
    reconcileMany: (ids, signal) => reconcileMachines(ids, ports, signal),
  }

  function passOver(record: MachineRecord, signal: AbortSignal): Promise<{ lookAgainAt?: number }> {
    return record.ownedBy ? untilGone({ ...record, ownedBy: record.ownedBy }, ports, one => reconcileOrdered(one, ports, signal)) : reconcileOwn(record, ports, signal)
  }
}
