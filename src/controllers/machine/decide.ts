import { DEADLINES } from '#model/status/deadlines.ts'
import type { LedgerEntry, MachineRecord } from '#ports/store.ts'

export interface MachinePassSeen {
  readonly record: Pick<MachineRecord, 'machineId' | 'deletionRequestedAt'>
  readonly ledger: LedgerEntry['state'] | undefined
  readonly now: number
  /** Of one that is to go: the machine that its server becomes instead. */
  readonly successor?: Successor
}

type Successor = Pick<MachineRecord, 'machineId' | 'refused' | 'obstacle' | 'createdAt'>

export type MachineStep = 'intend' | 'ensure' | 'keepPlace' | 'ensureGone'

/**
 * The intent stands in the ledger before the machine is made, so that nothing made is ever without an owner; then it is as the record orders, or gone. One whose server becomes another machine keeps its place until that one has it: what it gave
 * back before would be whoever's comes first.
 */
export function decideMachine({ record, ledger, now, successor }: MachinePassSeen): MachineStep {
  if (record.deletionRequestedAt !== undefined) return successor && isOnItsWay(successor) && now < awaitedUntil(successor) ? 'keepPlace' : 'ensureGone'
  return ledger === undefined || ledger === 'Released' ? 'intend' : 'ensure'
}

/** A provider's errors are tried again for so long. */
export function awaitedUntil({ createdAt }: Pick<Successor, 'createdAt'>): number {
  return createdAt + DEADLINES.machineCreation
}

function isOnItsWay({ machineId, refused, obstacle }: Successor): boolean {
  return machineId === undefined && !refused && !obstacle
}

export type OrderedMachineStep = 'ensure' | 'obey' | 'ask' | 'ensureGone' | 'rest'

/**
 * A machine that a pool ordered, whose intent stood in the ledger before its record: what was refused, or given up, waits for whoever owns it. One whose removal was given up goes on to be as it is ordered,
 * as far as it is still there. Of one that was never told to be there, and that was given up, is asked whether it is.
 */
export function decideOrdered({ machineId, refused, obstacle, deletionRequestedAt }: Pick<MachineRecord, 'machineId' | 'refused' | 'obstacle' | 'deletionRequestedAt'>): OrderedMachineStep {
  if (obstacle) return machineId === undefined ? 'ask' : deletionRequestedAt === undefined ? 'rest' : 'obey'
  if (deletionRequestedAt !== undefined) return 'ensureGone'
  return refused ? 'rest' : 'ensure'
}
