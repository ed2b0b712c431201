/**
 * Looks at machines whose provider may answer nothing. Those that were given up so wait for an answer: each is asked for ever more seldom by itself, sooner where an order waits for it, and as soon as the provider answers for
 * another one of their region.
 */
import type { MachineSeen } from '#ports/machines.ts'
import type { MachineRecord, Transaction } from '#ports/store.ts'
import type { MachinePassPorts, MachinePorts } from './ports.ts'

const MINUTE = 60_000, HOUR = 60 * MINUTE, DAY = 24 * HOUR

/** How often at most is asked for one: every hour on its first day, and every day after some weeks, or still more seldom where the region tells of what changes. */
const ALONE_MS = HOUR
/** The same where an order waits: whoever gave it looks for it, so it is carried out within minutes of the first answer; of a provider that is away for weeks that is a small part of the time. */
const ORDERED_MS = 5 * MINUTE

/** A provider that does not answer keeps nothing from being given up; nothing is known then. */
export async function lookedFor({ id, region }: Pick<MachineRecord, 'id' | 'region'>, ports: MachinePassPorts): Promise<{ readonly seen: MachineSeen | undefined; readonly answers: boolean }> {
  let seen: MachineSeen | undefined
  try {
    seen = await ports.regionOf(region).machines.look(id)
  } catch {
    ports.unanswered.set(region, (ports.unanswered.get(region) ?? new Set()).add(id))
    return { seen: undefined, answers: false } // told by `answers`
  }
  await wakeOthers(id, region, ports)
  return { seen, answers: true }
}

export async function askAgain(tx: Transaction, record: MachineRecord, ports: MachinePorts): Promise<void> {
  await tx.enqueue({ kind: 'machine', id: record.id, region: record.region }, askedAgainAt(record, ports))
}

export function askedAgainAt({ region, createdAt, deletionRequestedAt = createdAt }: MachineRecord, ports: MachinePorts): number {
  return againAt(region, deletionRequestedAt, ALONE_MS, ports)
}

/** `since`: when it was first asked for in vain for that order. */
export function orderAskedAgainAt({ region }: Pick<MachineRecord, 'region'>, since: number, ports: MachinePorts): number {
  return againAt(region, since, ORDERED_MS, ports)
}

/** What it is ordered to be is not what it is known to be: the ledger tells the power that was carried out last, and its provider's watch the link. */
export async function isOrderedOtherwise({ id, power, link, ownedBy }: MachineRecord, { store }: MachinePorts): Promise<boolean> {
  const owner = ownedBy?.nodeId ?? ownedBy?.nodePoolId
  const entries = owner === undefined ? [] : await store.ledgersOf([owner])
  const held = entries.find(entry => entry.kind === 'Machine' && entry.state === 'Held' && entry.providerId === id)
  if (held && (held.power ?? 'on') !== power) return true
  const [sight] = await store.sights('MachinePower', [id])
  const seen = sight?.fact as Partial<Pick<MachineSeen, 'link'>> | undefined
  return seen?.link !== undefined && seen.link !== link
}

function againAt(region: string, since: number, most: number, ports: MachinePorts): number {
  const { clock, tellsAll } = ports.regionOf(region), now = clock.now(), age = now - since
  return now + Math.min(Math.max(age / 2, MINUTE), Math.max(most, Math.min(age / (DAY / most), tellsAll ? Infinity : DAY)))
}

async function wakeOthers(id: string, region: string, ports: MachinePassPorts): Promise<void> {
  const others = [...ports.unanswered.get(region) ?? []].filter(other => other !== id)
  ports.unanswered.delete(region)
  if (others.length > 0) await ports.store.write(ports.regionOf(region).clock.now(), async tx => {
    for (const other of others) await tx.enqueue({ kind: 'machine', id: other, region })
  })
}
