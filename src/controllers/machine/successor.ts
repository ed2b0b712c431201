import type { MachineRecord } from '#ports/store.ts'
import type { MachinePorts } from './ports.ts'

/** The machine that a server becomes instead of the one that goes (MachineTemplate.replaces), and that is wanted still. Only what pools ordered is a server of theirs. */
export async function successorOf({ id, accountId, region, template }: MachineRecord, ports: MachinePorts): Promise<MachineRecord | undefined> {
  if (!template) return undefined
  const ofServer = await ports.store.write(ports.regionOf(region).clock.now(), tx => tx.machinesOfInstances({ accountId, region }, [template.instanceId ?? id]))
  return ofServer.find(other => other.id !== id && other.deletionRequestedAt === undefined)
}
