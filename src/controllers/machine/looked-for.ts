import type { MachineSeen } from '#ports/machines.ts'
import type { MachineRecord, Transaction } from '#ports/store.ts'
import type { MachinePorts } from './ports.ts'

/** How often is asked for one that was given up while its provider answered nothing: ever more seldom with its age, every hour on its first day and every day after some weeks. */
const ASKED_FOR = { first: 60_000, ofDay: 3_600_000, longest: 86_400_000 } as const

/** A provider that does not answer keeps nothing from being given up; nothing is known then. */
export async function lookedFor({ id, region }: Pick<MachineRecord, 'id' | 'region'>, ports: MachinePorts): Promise<{ readonly seen: MachineSeen | undefined; readonly answers: boolean }> {
  try {
    return { seen: await ports.regionOf(region).machines.look(id), answers: true }
  } catch {
    return { seen: undefined, answers: false } // told by `answers`
  }
}

export async function askAgain(tx: Transaction, record: MachineRecord, now: number): Promise<void> {
  await tx.enqueue({ kind: 'machine', id: record.id, region: record.region }, askedAgainAt(record, now))
}

export function askedAgainAt({ createdAt, deletionRequestedAt = createdAt }: MachineRecord, now: number): number {
  const age = now - deletionRequestedAt
  return now + Math.min(Math.max(age / 2, ASKED_FOR.first), Math.max(ASKED_FOR.ofDay, Math.min(age / 24, ASKED_FOR.longest)))
}
