import { nodeIdOf } from '#model/node/claim.ts'
import type { MachineSeen } from '#ports/machines.ts'
import type { LedgerEntry, MachineRecord } from '#ports/store.ts'
import type { MachinePorts } from './ports.ts'
import { takeDownLost } from './take-down-lost.ts'

/**
 * A process that was killed after it made a machine, and before it noticed that others had taken the record down meanwhile, told nobody: its provider alone knows of that one. Whoever watches the provider's machines sees it, and keeps it
 * to be taken down. What is not in our ledger as released is not touched: it may be another's, or of records that somebody has put back since.
 */
export async function takeDownUnknown(region: string, { id, nodePoolId }: MachineSeen, ports: MachinePorts): Promise<void> {
  const { store } = ports
  if ((await store.machinesById([id])).length > 0) return
  const { machines, clock } = ports.regionOf(region)
  // Looked for after its record was: one whose removal has just ended is told late, and is not there any more.
  const seen = await machines.look(id)
  if (!seen) return
  const entry = (await store.ledgersOf([id, nodeIdOf(id), ...nodePoolId === undefined ? [] : [nodePoolId]])).findLast(({ kind, providerId }) => kind === 'Machine' && providerId === id)
  if (entry?.state !== 'Released' || entry.region !== region) return
  await takeDownLost([recordOf(entry, seen, clock.now())], ports)
}

/** As far as anybody knows it still. */
function recordOf({ accountId, region, owner, clusterId = '' }: LedgerEntry, { id, power, link, machineId, nodePoolId = '' }: MachineSeen, now: number): MachineRecord {
  const ownedBy = owner.kind === 'Machine' ? undefined : { nodePoolId: owner.kind === 'NodePool' ? owner.id : nodePoolId, clusterId, ...owner.kind === 'Node' && { nodeId: owner.id } }
  return { id, accountId, region, name: owner.name, address: '', power, link, machineId, createdAt: now, ...ownedBy && { ownedBy } }
}
