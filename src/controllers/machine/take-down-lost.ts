import { ledgerIdOf, machineEntry } from '#model/node/claim.ts'
import type { LedgerEntry, MachineRecord, Transaction } from '#ports/store.ts'
import type { LostMachinePorts } from './ports.ts'

const BECAUSE = 'It was made when its record was gone already'
/** Somebody else may take an id or a name between the look and the write, and no record is left by which a later pass would try again. */
const TRIES = 3

/**
 * Another process took their records down while this one, long thought dead, was still making them: they are nobody's. Each becomes its account's own and is asked to go, so that its removal outlasts whoever dies now, is tried until
 * its provider says that it is gone, and is seen meanwhile. Nothing is taken down here: one whose id has a record again is that one's, and stays. All are of one region.
 */
export async function takeDownLost(lost: readonly MachineRecord[], ports: LostMachinePorts): Promise<void> {
  const [first] = lost
  if (!first) return
  const { clock } = ports.regionOf(first.region)
  for (let tries = 1; ; tries++) {
    try {
      return await ports.store.write(clock.now(), tx => putBack(tx, lost, clock.now(), ports))
    } catch (error) {
      if (tries === TRIES) throw new Error(`Keeping ${lost.map(({ id }) => id).join(', ')}, whose records are gone, to be taken down`, { cause: error })
    }
  }
}

/**
 * Right after its record went: whoever was still making it may have ended since its removal looked, and the watch told of it while the record was there. Where nobody can look it stays as it was.
 */
export async function takeDownIfBack(gone: MachineRecord, ports: LostMachinePorts): Promise<void> {
  const seen = await ports.regionOf(gone.region).machines.look(gone.id).catch(() => undefined) // as where nothing is there
  if (seen) await takeDownLost([{ ...gone, power: seen.power, machineId: seen.machineId }], ports)
}

/** Makes a machine that is there already, or tries to: of an error nobody knows what it left behind, so that is somebody's, too. */
export async function makeForOwner<Seen>(record: MachineRecord, ask: () => Promise<Seen>, ports: LostMachinePorts): Promise<Seen> {
  try {
    return await ask()
  } catch (error) {
    if (!(await ports.store.findMachine(record.id))) await takeDownLost([record], ports)
    throw error
  }
}

/** Of one id two machines may follow one another. */
export function isSame(one: Pick<MachineRecord, 'createdAt'>, other: Pick<MachineRecord, 'createdAt'>): boolean {
  return one.createdAt === other.createdAt
}

async function putBack(tx: Transaction, lost: readonly MachineRecord[], now: number, ports: LostMachinePorts): Promise<void> {
  const [first] = lost
  // With its region everything goes that was made in it.
  if (!first || !(await tx.holdRegion(first.region))) return
  for (const scope of new Set(lost.map(({ accountId }) => accountId))) await tx.lockName(`machines/${scope}/${first.region}`)
  const there = new Set((await tx.lockMachines(lost.map(({ id }) => id))).map(({ id }) => id))
  for (const record of lost) if (!there.has(record.id)) await putBackOne(tx, record, now, ports)
}

async function putBackOne(tx: Transaction, record: MachineRecord, now: number, ports: LostMachinePorts): Promise<void> {
  const { id, accountId, region, power, link, machineId, template } = record
  const isNameTaken = (await tx.machinesOf({ accountId, region })).some(other => other.name === record.name)
  const name = isNameTaken ? id : record.name
  // Its address went with its record, and others may have it.
  await tx.insertMachine({ id, accountId, region, name, address: '', power, link, createdAt: now, deletionRequestedAt: now, ...machineId !== undefined && { machineId }, ...template && { template } })
  const known = (await tx.ledgerOf(id)).find(({ kind }) => kind === 'Machine') ?? { ...entryOf(record, now, ports), ...await isClaimWaiting(tx, record) && { id: ports.newLedgerId() } }
  await tx.putLedger({ ...known, providerId: id, owner: { kind: 'Machine', id, name }, state: 'Releasing', because: BECAUSE, since: now, power })
  await tx.enqueue({ kind: 'machine', id, region })
}

/** The claim for which it was made was given back, and waits in the row that has the machine's name: that row is the pool's. */
async function isClaimWaiting(tx: Transaction, { id, ownedBy }: MachineRecord): Promise<boolean> {
  return ownedBy !== undefined && (await tx.ledgerOf(ownedBy.nodePoolId)).some(entry => entry.id === ledgerIdOf(id) && isWaitingClaim(entry))
}

/** What was refused is no machine, and names none. */
export function isWaitingClaim({ state, owner, providerId }: LedgerEntry): boolean {
  return state === 'Intended' && owner.kind === 'NodePool' && providerId === undefined
}

function entryOf(record: MachineRecord, now: number, ports: LostMachinePorts): LedgerEntry {
  const { id, accountId, region, name, ownedBy } = record
  if (ownedBy) return machineEntry({ ...record, ownedBy }, 'Releasing', now)
  return { id: ports.newLedgerId(), accountId, region, kind: 'Machine', owner: { kind: 'Machine', id, name }, state: 'Releasing', deleteProtected: false, since: now }
}
