import { DEADLINES } from '#model/status/deadlines.ts'
import { MachineRefused } from '#ports/machines.ts'
import type { MachineRecord } from '#ports/store.ts'
import type { MachinePorts } from './ports.ts'

/**
 * True where it was refused while the machine that its server was before still goes: what that one gives back may be all that is missing, and a node that is refused now would be lost. So it is asked for again, for as long as other
 * errors are.
 */
export async function awaitsItsServer(record: MachineRecord, error: unknown, ports: MachinePorts): Promise<boolean> {
  const { id, accountId, region, ownedBy, template, createdAt } = record, instanceId = template?.instanceId, now = ports.regionOf(region).clock.now()
  if (!(error instanceof MachineRefused) || ownedBy?.nodeId === undefined || instanceId === undefined || now - createdAt >= DEADLINES.machineCreation) return false
  const named = await ports.store.findMachine(instanceId)
  const others = [...await ports.store.write(now, tx => tx.machinesOfInstances({ accountId, region }, [instanceId])), ...named ? [named] : []]
  return others.some(other => other.id !== id && other.accountId === accountId && other.region === region && other.deletionRequestedAt !== undefined)
}
