import type { LedgerEntry, MachineRecord } from '#ports/store.ts'

export interface MachinePassSeen {
  readonly record: Pick<MachineRecord, 'machineId' | 'deletionRequestedAt'>
  readonly ledger: LedgerEntry['state'] | undefined
}

export type MachineStep = 'intend' | 'ensure' | 'ensureGone'

/** The intent stands in the ledger before the machine is made, so that nothing made is ever without an owner; then it is as the record orders, or gone. */
export function decideMachine({ record, ledger }: MachinePassSeen): MachineStep {
  if (record.deletionRequestedAt !== undefined) return 'ensureGone'
  return ledger === undefined || ledger === 'Released' ? 'intend' : 'ensure'
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
