/**
 * Looks at machines whose provider may answer nothing. Those that were given up so wait for an answer: each is asked for ever more seldom by itself, sooner where an order waits for it, and as soon as the provider answers for
 * another one of their region, but not over and over where it answers for those others alone.
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
export async function lookedFor(record: Pick<MachineRecord, 'id' | 'region' | 'createdAt' | 'deletionRequestedAt'>, ports: MachinePassPorts): Promise<{ readonly seen: MachineSeen | undefined; readonly answers: boolean }> {
  const { id, region } = record, { machines } = ports.regionOf(region)
  let seen: MachineSeen | undefined
  try {
    seen = await machines.look(id)
  } catch {
    noteUnanswered(record, ports)
    return { seen: undefined, answers: false } // told by `answers`
  }
  ports.woken.delete(id)
  await wakeOthers(id, region, ports)
  return { seen, answers: true }
}

export async function askAgain(tx: Transaction, record: MachineRecord, ports: MachinePorts): Promise<void> {
  await tx.enqueue({ kind: 'machine', id: record.id, region: record.region }, askedAgainAt(record, ports))
}

export function askedAgainAt({ region, createdAt, deletionRequestedAt = createdAt }: Pick<MachineRecord, 'region' | 'createdAt' | 'deletionRequestedAt'>, ports: MachinePorts): number {
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

/** The same of one that was looked at at another time. */
export function lookedForAgainAt({ region, since, now }: { readonly region: string; readonly since: number; readonly now: number }, ports: MachinePorts): number {
  return againAt(region, since, ALONE_MS, ports, now)
}

function againAt(region: string, since: number, most: number, ports: MachinePorts, now = ports.regionOf(region).clock.now()): number {
  const { tellsAll } = ports.regionOf(region), age = now - since
  return now + Math.min(Math.max(age / 2, MINUTE), Math.max(most, Math.min(age / (DAY / most), tellsAll ? Infinity : DAY)))
}

/** One that was woken in vain is woken no more for a while, each time for longer; its own times come as ever. */
function noteUnanswered(record: Parameters<typeof lookedFor>[0], ports: MachinePassPorts): void {
  const { id, region } = record, { unanswered, woken } = ports, now = ports.regionOf(region).clock.now(), known = woken.get(id)
  if (known && known.restsUntil === undefined) {
    const times = known.times + 1
    woken.set(id, { times, restsUntil: now + times * (askedAgainAt(record, ports) - now) })
  } else if (now >= (known?.restsUntil ?? now)) unanswered.set(region, (unanswered.get(region) ?? new Set()).add(id))
}

/** They are taken out first, so that one of many answers wakes them, and only once; where that cannot be written they wait for the next answer. */
async function wakeOthers(id: string, region: string, ports: MachinePassPorts): Promise<void> {
  const { unanswered, woken, store } = ports
  const others = [...unanswered.get(region) ?? []].filter(other => other !== id)
  unanswered.delete(region)
  if (others.length === 0) return
  try {
    await store.write(ports.regionOf(region).clock.now(), async tx => {
      for (const other of others) await tx.enqueue({ kind: 'machine', id: other, region })
    })
    for (const other of others) woken.set(other, { times: woken.get(other)?.times ?? 0 })
  } catch {
    unanswered.set(region, new Set([...unanswered.get(region) ?? [], ...others])) // what was seen is known all the same
  }
}
