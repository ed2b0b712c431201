import { ledgerIdOf, nodeIdOf } from '#model/node/claim.ts'
import type { MachineSeen } from '#ports/machines.ts'
import type { LedgerEntry, MachineRecord } from '#ports/store.ts'
import type { LostMachinePorts } from './ports.ts'
import { isWaitingClaim, takeDownLost } from './take-down-lost.ts'

/**
 * A process that was killed after it made a machine, and before it noticed that others had taken the record down meanwhile, told nobody, and neither does a provider that ends a call long after it was given up: that provider alone knows of
 * the machine. Whoever watches the provider's machines sees it, and keeps it to be taken down. What is not in our ledger as released, or as a claim that was given back and waits, is not touched: it may be another's, or of records that
 * somebody has put back since. False: it is to be looked at again, as its record may go and leave it behind.
 */
export async function takeDownUnknown(region: string, { id, nodePoolId }: MachineSeen, ports: LostMachinePorts): Promise<boolean> {
  const { store } = ports
  const [record] = await store.machinesById([id])
  if (record) return record.machineId !== undefined && record.deletionRequestedAt === undefined
  const entries = await store.ledgersOf([id, nodeIdOf(id), ...nodePoolId === undefined ? [] : [nodePoolId]])
  // A row whose claim was given back names no machine any more; its own name is made of the machine's.
  const entry = entries.findLast(each => each.kind === 'Machine' && (each.providerId === id || each.id === ledgerIdOf(id)))
  if (entry?.region !== region || (entry.state !== 'Released' && !isWaitingClaim(entry))) return true
  const { machines, clock } = ports.regionOf(region)
  // Looked for last: one whose removal has just ended is told late, and is not there any more. Machines of others are not looked for.
  const seen = await machines.look(id)
  if (seen) await takeDownLost([recordOf(entry, seen, clock.now())], ports)
  return true
}

/** As far as anybody knows it still. */
function recordOf({ accountId, region, owner, clusterId = '' }: LedgerEntry, { id, power, link, machineId, nodePoolId = '' }: MachineSeen, now: number): MachineRecord {
  const ownedBy = owner.kind === 'Machine' ? undefined : { nodePoolId: owner.kind === 'NodePool' ? owner.id : nodePoolId, clusterId, ...owner.kind === 'Node' && { nodeId: owner.id } }
  return { id, accountId, region, name: owner.name, address: '', power, link, machineId, createdAt: now, ...ownedBy && { ownedBy } }
}
