/** What becomes of a machine that a pool ordered, from its intent until it is gone; over three hundred lines, since a pass over one and a pass over many take the same steps by the same looks. */
import { isDeepStrictEqual } from 'node:util'
import { machineEntry } from '#model/node/claim.ts'
import { nodeDeletionDeadline } from '#model/node/readiness.ts'
import { DEADLINES } from '#model/status/deadlines.ts'
import { rfc3339Seconds, spanText } from '#model/time.ts'
import { MachineRefused, type MachineSeen } from '#ports/machines.ts'
import { isOfOurStore } from '#ports/of-our-store.ts'
import type { MachineRecord, Transaction } from '#ports/store.ts'
import { askedNow, type Asked } from './asked.ts'
import { beAsOrdered } from './be-as-ordered.ts'
import { decideOrdered } from './decide.ts'
import { leaveToLateOnes } from './leave-to-others.ts'
import { askAgain, askedAgainAt, isOrderedOtherwise, lookedFor, orderAskedAgainAt } from './looked-for.ts'
import { messageOf } from './message-of.ts'
import { orderOf } from './order-of.ts'
import type { MachinePassPorts, MachinePorts } from './ports.ts'
import { NotRemoved, removeMachine } from './remove-machine.ts'
import { isSame, makeForOwner, takeDownIfBack, takeDownLost } from './take-down-lost.ts'
import { wakeStopping } from './wake-stopping.ts'

/** Long enough for most machines to have joined, and short beside the time that they have for it. */
const NODE_AWAITED_MS = 60_000

export type OrderedMachine = MachineRecord & { readonly ownedBy: NonNullable<MachineRecord['ownedBy']> }
type Refusal = Omit<NonNullable<MachineRecord['refused']>, 'at'>

/**
 * One pass over a machine that a pool ordered. Its intent came with its record; what the provider says of it (made, refused, held) is written to the record, and
 * whoever owns it (the node that it is to become, or the pool of a bare claim) is woken and decides what becomes of it.
 */
export async function reconcileOrdered(record: OrderedMachine, ports: MachinePassPorts, signal: AbortSignal): Promise<{ lookAgainAt?: number }> {
  const step = decideOrdered(record)
  ports.onDecision?.({ by: 'decideOrdered', about: record.id, seen: record, decided: step })
  if (step === 'ensure' || step === 'obey') await wakeStopping([record], ports)
  switch (step) {
    case 'ensure': await ensure(record, ports, signal); return {}
    case 'obey': return await obey(record, ports, signal)
    case 'ask': return await ask(record, ports, signal)
    case 'ensureGone': await ensureGone(record, ports, signal); return {}
    case 'rest': return {}
  }
}

async function ensure(record: OrderedMachine, ports: MachinePassPorts, signal: AbortSignal): Promise<void> {
  if (record.machineId !== undefined) {
    await beAsOrdered(record, () => ports.regionOf(record.region).machines.ensure(orderOf(record)), ports, signal)
    return await notePowers([record], ports)
  }
  const asked = await askedNow(record.region, ports), arrears = await arrearsOf(record, ports)
  const seen = await make(record, { arrears, asked, ask: () => ports.regionOf(record.region).machines.ensure(orderOf(record)) }, ports, signal)
  if (seen) await noteMade([{ record, seen }], ports)
}

export interface Making {
  /** Why its account gets none, as a sentence. */
  readonly arrears: string | undefined
  readonly asked: Asked
  readonly ask: () => Promise<MachineSeen>
}

/** Makes it by `ask`; undefined where it was not had, which is noted. */
export async function make(record: OrderedMachine, { arrears, asked, ask }: Making, ports: MachinePassPorts, signal: AbortSignal): Promise<MachineSeen | undefined> {
  if (arrears !== undefined) {
    // An earlier try may have made it, or begun to, and not said so: it would be nobody's. It is no machine more, so what was begun is gone on with.
    const { seen } = await lookedFor(record, ports)
    if (seen?.power === 'on') return seen
    if (!seen) return await noteNotMade(record, new Error(arrears), asked, ports, { as: 'Balance', because: arrears })
  }
  try {
    return await makeForOwner(record, ask, ports)
  } catch (error) {
    if (signal.aborted || isOfOurStore(error)) throw error
    return await noteNotMade(record, error, asked, ports)
  }
}

/** Nobody in arrears is given another machine; why, as a sentence. */
export async function arrearsOf({ accountId, region }: Pick<OrderedMachine, 'accountId' | 'region'>, { store }: MachinePorts): Promise<string | undefined> {
  const { arrearsSince } = await store.findAccount({ accountId, region })
  return arrearsSince === undefined ? undefined : `The account is in arrears since ${rfc3339Seconds(arrearsSince)}, and gets no more machines until they are paid`
}

export interface Made {
  readonly record: OrderedMachine
  readonly seen: MachineSeen
}

/** Written for all of them in one transaction; all are of one region. */
export async function noteMade(made: readonly Made[], ports: MachinePassPorts): Promise<void> {
  const [first] = made
  if (!first) return
  const { clock } = ports.regionOf(first.record.region)
  const lost = await ports.store.write(clock.now(), async tx => {
    const kept = new Map((await tx.lockMachines(made.flatMap(({ record: { id, template } }) => [id, ...template?.replaces === undefined ? [] : [template.replaces]]))).map(machine => [machine.id, machine]))
    const gone = made.flatMap(({ record, seen }) => (kept.has(record.id) ? [] : [{ ...record, power: seen.power, machineId: seen.machineId }]))
    for (const { record } of made) await madeForAnother(tx, kept.get(record.id), record, clock.now())
    const there = made.flatMap(({ record, seen }) => {
      const locked = kept.get(record.id)
      return locked && isSame(locked, record) ? [{ ...record, ownedBy: locked.ownedBy ?? record.ownedBy, machineId: seen.machineId, power: seen.power, ordered: locked.power }] : []
    })
    for (const machine of there) await tx.putLedger(machineEntry(machine, 'Held', clock.now(), { power: machine.power }))
    if (there.length > 0) await tx.setMachineIds(there)
    for (const { id, template } of there) if (kept.get(id)?.deletionRequestedAt === undefined) await takePlace(tx, kept.get(template?.replaces ?? ''), clock.now())
    // One that was found after its making failed may be otherwise than it is ordered.
    for (const { id, region, power, ordered } of there) if (power !== ordered) await tx.enqueue({ kind: 'machine', id, region })
    // A node hears of its machine by what comes next, its join; only one that does not come has to be looked at.
    for (const machine of there) await wakeConcerned(tx, machine, machine.ownedBy.nodeId === undefined ? undefined : clock.now() + NODE_AWAITED_MS)
    return gone
  })
  await takeDownLost(lost, ports)
}

/** The machine that it replaces goes from now on, and not before: nothing is lost for one that is refused, or was taken back. */
async function takePlace(tx: Transaction, before: MachineRecord | undefined, now: number): Promise<void> {
  if (before && !before.ownedBy && before.deletionRequestedAt === undefined) await tx.changeMachine(before.id, { deletionRequestedAt: now })
}

/** The id was taken again since: what was made just now may be what the other is about to have, and boots by a token that is none any more. A bare claim is tried anew; what is more than that knows its own machine. */
async function madeForAnother(tx: Transaction, locked: MachineRecord | undefined, record: OrderedMachine, now: number): Promise<void> {
  if (!locked || isSame(locked, record)) return
  if (locked.ownedBy && locked.ownedBy.nodeId === undefined && locked.deletionRequestedAt === undefined) await tx.changeMachine(locked.id, { deletionRequestedAt: now })
  await tx.enqueue({ kind: 'machine', id: locked.id, region: locked.region })
}

/** What is off costs no compute, so the ledger is told; all are of one region. */
export async function notePowers(records: readonly OrderedMachine[], ports: MachinePassPorts): Promise<void> {
  const [first] = records
  if (!first) return
  const { clock } = ports.regionOf(first.region)
  const entries = await ports.store.ledgersOf([...new Set(records.map(({ ownedBy }) => ownedBy.nodeId ?? ownedBy.nodePoolId))])
  const held = new Map(entries.flatMap(entry => (entry.kind === 'Machine' && entry.state === 'Held' ? [[entry.providerId, entry] as const] : [])))
  // What the ledger holds no more was perhaps taken down since its record was read, and was made again just now.
  const unheld = records.filter(({ id }) => !held.has(id))
  const kept = new Set(unheld.length === 0 ? [] : (await ports.store.machinesById(unheld.map(({ id }) => id))).map(({ id }) => id))
  const moved = records.flatMap(({ id, power }) => {
    const known = held.get(id)
    return known === undefined || (known.power ?? 'on') === power ? [] : [{ ...known, power }]
  })
  if (moved.length > 0) await ports.store.write(clock.now(), async tx => {
    // One that became its account's own meanwhile, or another's, has another row by now.
    const owners = new Map((await tx.lockMachines(moved.flatMap(({ providerId }) => providerId ?? []))).map(({ id, ownedBy }) => [id, ownedBy?.nodeId ?? ownedBy?.nodePoolId]))
    for (const entry of moved) if (entry.providerId !== undefined && owners.get(entry.providerId) === entry.owner.id) await tx.putLedger(entry)
  })
  await takeDownLost(unheld.filter(({ id }) => !kept.has(id)), ports)
}

/**
 * A refusal ends the claim; other errors are tried again for some minutes, but a bare claim is a try itself. What was made before is known by its power only: one that is on was made and is answered, and of one that
 * is off part may be missing. So a node's machine that is off is asked for again, and refusals of it are errors like others; that of a bare claim is to be taken back. Where no look is answered, an earlier call may have left something
 * that nobody could take back now: refusals are errors like others, and a bare claim, whose pool says by what it was refused before, is tried again until somebody can look.
 */
async function noteNotMade(record: OrderedMachine, error: unknown, asked: Asked, ports: MachinePassPorts, refusal = refusalOf(record, error)): Promise<MachineSeen | undefined> {
  const isBare = record.ownedBy.nodeId === undefined
  if (isBare && !refusal) {
    await noteRefusal(record, { as: 'ScalingFailed', because: notMade(record, error), asked }, ports)
    return undefined
  }
  const isOver = ports.regionOf(record.region).clock.now() - record.createdAt >= DEADLINES.machineCreation
  if (!refusal && !isOver) throw error
  const { seen, answers } = await lookedFor(record, ports)
  if (seen?.power === 'on') return seen
  if (refusal && answers && (isBare || !seen)) {
    await noteRefusal(record, { ...refusal, asked, ...seen && { left: true } }, ports)
    return undefined
  }
  if (isBare || !isOver) throw error
  const because = `Its machine could not be made in ${spanText(DEADLINES.machineCreation)}: ${messageOf(error)}`
  await writeUnlessAsked(record, ports, now => ({ obstacle: { because, at: now, ...refusal && !answers && { refused: { ...refusal, asked, at: now } } } }), async tx => {
    if (!answers) await askAgain(tx, record, ports)
  })
  return undefined
}

/**
 * It was given up, and nobody ever said that it is there: one answer is enough. One that is there costs, and is to be known for that; it is as it is ordered, or goes when it is asked to again. Where nothing is there, and it was
 * refused, its claim ends by that refusal, late as it is.
 */
async function ask(record: OrderedMachine, ports: MachinePassPorts, signal: AbortSignal): Promise<{ lookAgainAt?: number }> {
  const { seen, answers } = await lookedFor(record, ports)
  if (!answers) return { lookAgainAt: askedAgainAt(record, ports) }
  const { obstacle, deletionRequestedAt } = record
  if (deletionRequestedAt === undefined) {
    const { refused } = obstacle ?? {}
    if (!seen && refused) await writeUnlessAsked(record, ports, () => ({ obstacle: null, refused }))
    if (!seen) return {}
    // First, so that whoever dies now makes it again, and finds it.
    await writeAndWake(record, ports, () => ({ obstacle: null }))
    if (seen.power === 'on') await noteMade([{ record, seen }], ports)
    // Part may be missing, so it is asked for once more. Its time is over: an error gives it up again, and is asked about again where nobody can look then.
    else await ensure(withoutObstacle(record), ports, signal)
  } else if (seen && obstacle) await noteLeft(record, obstacle, seen, ports)
  else await ensureGone(record, ports, signal)
  return {}
}

function withoutObstacle({ obstacle: _lifted, ...record }: OrderedMachine): OrderedMachine {
  return record
}

function refusalOf(record: OrderedMachine, error: unknown): Refusal | undefined {
  return error instanceof MachineRefused ? { as: error.as, because: error.as === 'ScalingFailed' ? notMade(record, error) : error.message } : undefined
}

/** What a provider says in its own words is no sentence of ours. */
function notMade({ name }: OrderedMachine, error: unknown): string {
  return `The machine ${name} was not made: ${messageOf(error)}`
}

async function noteRefusal(record: OrderedMachine, refused: Refusal, ports: MachinePorts): Promise<void> {
  await writeAndWake(record, ports, now => ({ refused: { ...refused, at: now } }))
}

async function noteLeft(record: OrderedMachine, obstacle: NonNullable<MachineRecord['obstacle']>, seen: MachineSeen | undefined, ports: MachinePorts, isAskedAgain = false): Promise<void> {
  const held = obstacle.held === true || seen?.power === 'on'
  const made = record.machineId === undefined && seen
  await writeUnlessAsked(record, ports, () => ({ obstacle: { ...obstacle, ...held && { held } }, ...made && { machineId: made.machineId } }), async (tx, machine, now) => {
    // A crash came between making it and saying so: it costs, and it is to be known for that.
    if (made) await tx.putLedger(machineEntry({ ...machine, ownedBy: machine.ownedBy ?? record.ownedBy }, 'Held', now, { power: made.power }))
    // Orders that came while it was to go are carried out now.
    if (held && seen) await tx.enqueue({ kind: 'machine', id: record.id, region: record.region })
    if (isAskedAgain) await askAgain(tx, record, ports)
  })
}

/** One that was asked to go and did not is never made again: where nobody sees it any more, its removal has ended. Of one that was off when its removal failed part may be gone, and it stays as it is. */
async function obey(record: OrderedMachine, ports: MachinePassPorts, signal: AbortSignal): Promise<{ lookAgainAt?: number }> {
  const { machines } = ports.regionOf(record.region)
  const { seen, answers } = await lookedFor(record, ports)
  if (!answers) return { lookAgainAt: await obeyedLater(record, ports) }
  if (!seen) {
    await ensureGone(record, ports, signal)
    return {}
  }
  const { obstacle } = record, held = obstacle?.held === true || seen.power === 'on'
  const isNews = obstacle !== undefined && (obstacle.waits !== undefined || (obstacle.held === true) !== held)
  if (isNews) await writeUnlessAsked(record, ports, () => ({ obstacle: { because: obstacle.because, at: obstacle.at, ...held && { held } } }))
  if (held) await machines.ensure(orderOf(record))
  await notePowers([record], ports)
  return {}
}

/** When one is asked for again of which nobody can say whether it is there; an order that waits is remembered by when it began to. */
async function obeyedLater(record: OrderedMachine, ports: MachinePassPorts): Promise<number> {
  const { obstacle, power, link } = record, now = ports.regionOf(record.region).clock.now()
  if (!obstacle || !(await isOrderedOtherwise(record, ports))) return askedAgainAt(record, ports)
  const known = obstacle.waits?.power === power && obstacle.waits.link === link ? obstacle.waits : undefined
  if (!known) await writeUnlessAsked(record, ports, () => ({ obstacle: { ...obstacle, waits: { power, link, since: now } } }))
  return orderAskedAgainAt(record, known?.since ?? now, ports)
}

async function ensureGone(record: OrderedMachine, ports: MachinePassPorts, signal: AbortSignal): Promise<void> {
  const { machines, clock } = ports.regionOf(record.region)
  try {
    await removeMachine(record, machines)
  } catch (error) {
    if (signal.aborted || isOfOurStore(error)) throw error
    const isRefused = error instanceof NotRemoved && error.isHeld
    if (!isRefused && !(await isOverdue(record, ports))) throw error
    // What it was asked to do may be all that this provider fails at, or only its answers are lost: what it sees no more is gone. Where it answers no look, the obstacle is told all the same.
    const { seen, answers } = await lookedFor(record, ports)
    if (isRefused || seen || !answers) return await noteLeft(record, { because: messageOf(error), at: clock.now(), ...isRefused && { held: true } }, seen, ports, !answers)
  }
  const left = await ports.leaveToOthers(record), now = clock.now()
  await ports.store.write(now, async tx => {
    const locked = await tx.lockMachine(record.id)
    if (!locked) return
    // Its id was taken again since, and what was taken down was perhaps another's: that is made again.
    if (!isSame(locked, record)) return await tx.enqueue({ kind: 'machine', id: record.id, region: record.region })
    await tx.putLedger(machineEntry(record, 'Released', now))
    await tx.releaseAddress(record.region, record.id)
    await tx.forgetMachine(record.id)
    await wakeConcerned(tx, record)
    if (left) await tx.enqueue(left)
  })
  await leaveToLateOnes(record, left, ports)
  await takeDownIfBack(record, ports)
}

/** The node's own deadline has passed, so what stands in its way is to be named. */
async function isOverdue({ region, ownedBy, deletionRequestedAt = 0 }: OrderedMachine, ports: MachinePorts): Promise<boolean> {
  const now = ports.regionOf(region).clock.now()
  const node = ownedBy.nodeId === undefined ? undefined : await ports.store.findNode(ownedBy.nodeId)
  const began = node?.facts.deletion?.requestedAt ?? deletionRequestedAt
  return now - began >= (node ? nodeDeletionDeadline({ now, facts: node.facts }) : DEADLINES.nodeDeletionInPool)
}

type Change = (now: number) => Parameters<Transaction['changeMachine']>[1]
type More = (tx: Transaction, machine: MachineRecord, now: number) => Promise<void>

/** An obstacle is of the try that met it. One that was asked to go since its record was read, or is wanted again, is passed over anew, and an old obstacle would end that before its first try. */
async function writeUnlessAsked(record: OrderedMachine, ports: MachinePorts, change: Change, more?: More): Promise<void> {
  await writeAndWake(record, ports, change, more, machine => machine.deletionRequestedAt === record.deletionRequestedAt && isDeepStrictEqual(machine.obstacle, record.obstacle))
}

async function writeAndWake(record: OrderedMachine, ports: MachinePorts, change: Change, more?: More, isStill: (machine: MachineRecord) => boolean = () => true): Promise<void> {
  const now = ports.regionOf(record.region).clock.now()
  await ports.store.write(now, async tx => {
    const machine = await tx.lockMachine(record.id)
    if (!machine || !isStill(machine)) return
    await tx.changeMachine(record.id, change(now))
    await more?.(tx, machine, now)
    await wakeConcerned(tx, record)
  })
}

async function wakeConcerned(tx: Transaction, { region, ownedBy, template }: OrderedMachine, dueAt?: number): Promise<void> {
  await tx.enqueue(ownedBy.nodeId === undefined ? { kind: 'node-pool', id: ownedBy.nodePoolId, region } : { kind: 'node', id: ownedBy.nodeId, region }, dueAt)
  if (template?.replaces !== undefined) await tx.enqueue({ kind: 'machine', id: template.replaces, region }) // it goes once this one is there
}
