import { isDeepStrictEqual } from 'node:util'
import { lookedForAgainAt } from './looked-for.ts'
import type { OrderedMachine } from './ordered-machine.ts'
import type { MachinePorts } from './ports.ts'

const MINUTE = 60_000

/**
 * A pass over what a pool tried to have: once that is to go, it is asked to go again, ever more seldom, and soon once the region told of something, until it is gone, and no pool has to wait for that. The obstacle is lifted first: whoever looks at it while it is being removed
 * again may not count on it.
 */
export async function untilGone(record: OrderedMachine, ports: MachinePorts, pass: (record: OrderedMachine) => Promise<{ lookAgainAt?: number }>): Promise<{ lookAgainAt?: number }> {
  const { obstacle, deletionRequestedAt, ownedBy, region } = record
  if (ownedBy.nodeId !== undefined || deletionRequestedAt === undefined) return await pass(record)
  const { clock, toldAt } = ports.regionOf(region), now = clock.now(), told = toldAt?.(record.id) ?? -Infinity
  const dueAt = obstacle && (obstacle.at <= told ? obstacle.at + MINUTE : lookedForAgainAt({ region, since: deletionRequestedAt, now: obstacle.at }, ports))
  if (dueAt !== undefined && dueAt > now) return { lookAgainAt: dueAt }
  const lifted = obstacle ? await lift(record, now, ports) : record
  return lifted ? sooner(await pass(lifted), now + MINUTE) : {}
}

/** Undefined where somebody else has asked it to go again, or has it as a node's machine. */
async function lift({ obstacle, ...record }: OrderedMachine, now: number, { store }: MachinePorts): Promise<OrderedMachine | undefined> {
  return await store.write(now, async tx => {
    const machine = await tx.lockMachine(record.id)
    if (machine?.deletionRequestedAt !== record.deletionRequestedAt || !isDeepStrictEqual(machine?.obstacle, obstacle)) return undefined
    await tx.changeMachine(record.id, { obstacle: null })
    return record
  })
}

function sooner({ lookAgainAt = Infinity }: { readonly lookAgainAt?: number }, other: number): { lookAgainAt: number } {
  return { lookAgainAt: Math.min(lookAgainAt, other) }
}
