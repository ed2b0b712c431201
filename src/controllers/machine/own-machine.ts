import { rfc3339Seconds } from '#model/time.ts'
import { isOfOurStore } from '#ports/of-our-store.ts'
import type { LedgerEntry, LedgerState, MachineRecord, Transaction } from '#ports/store.ts'
import { awaitedUntil, decideMachine } from './decide.ts'
import { leaveToLateOnes } from './leave-to-others.ts'
import { messageOf } from './message-of.ts'
import { orderOf } from './order-of.ts'
import type { MachinePassPorts, MachinePorts } from './ports.ts'
import { removeMachine } from './remove-machine.ts'
import { successorOf } from './successor.ts'
import { isSame, makeForOwner, takeDownIfBack, takeDownLost } from './take-down-lost.ts'

/** One pass over a machine that a user added, or kept when its node was deleted. */
export async function reconcileOwn(record: MachineRecord, ports: MachinePassPorts, signal: AbortSignal): Promise<{ lookAgainAt?: number }> {
  const { id, accountId, region } = record
  const { clock } = ports.regionOf(region)
  const { items } = await ports.store.listLedger({ accountId, region }, { ownerIds: [id] }, { number: 1, size: 10 })
  const entry = items.find(({ kind }) => kind === 'Machine'), ledger = entry?.state
  const successor = record.deletionRequestedAt === undefined ? undefined : await successorOf(record, ports)
  const seen = { record, ledger, now: clock.now(), ...successor && { successor } }
  const step = decideMachine(seen)
  ports.onDecision?.({ by: 'decideMachine', about: id, seen, decided: step })
  switch (step) {
    case 'intend':
      await ports.store.write(clock.now(), async tx => {
        if (await tx.lockMachine(id)) await putEntry(tx, record, 'Intended', ports)
      })
      return { lookAgainAt: clock.now() }
    case 'ensure': await ensure(record, entry, ports, signal); return {}
    // Woken as soon as that one is there, or is not to be.
    case 'keepPlace': return successor ? { lookAgainAt: awaitedUntil(successor) } : {}
    case 'ensureGone': await ensureGone(record, successor, ports, signal); return {}
  }
}

/** What is off costs no compute, so the ledger is told of the power, too. */
async function ensure(record: MachineRecord, entry: LedgerEntry | undefined, ports: MachinePassPorts, signal: AbortSignal): Promise<void> {
  const { machines, clock } = ports.regionOf(record.region)
  const seen = await makeForOwner(record, () => machines.ensure(orderOf(record)), ports).catch(async (error: unknown) => {
    if (!signal.aborted && !isOfOurStore(error)) await noteNotAsOrdered(record, entry, error, ports)
    throw error
  })
  const isHeld = entry?.state === 'Held' || entry?.state === 'Retained'
  if (isHeld && record.machineId === seen.machineId && powerOf(entry) === record.power && !record.obstacle) {
    if (!(await ports.store.findMachine(record.id))) await takeDownLost([record], ports)
    return
  }
  const isLost = await ports.store.write(clock.now(), async tx => {
    const locked = await tx.lockMachine(record.id)
    if (!locked) return true
    if (!isSame(locked, record)) {
      await tx.enqueue({ kind: 'machine', id: record.id, region: record.region })
      return false
    }
    await putEntry(tx, locked, isHeld ? entry.state : 'Held', ports)
    const stands = locked.deletionRequestedAt === undefined && locked.obstacle !== undefined
    if (locked.machineId !== seen.machineId || stands) await tx.changeMachine(record.id, { machineId: seen.machineId, ...stands && { obstacle: null } })
    return false
  })
  if (isLost) await takeDownLost([record], ports)
}

/** Tried until it is as ordered; what is answered is told meanwhile, since the first answer to that order. */
async function noteNotAsOrdered({ id, region, createdAt, power, machineId }: MachineRecord, entry: LedgerEntry | undefined, error: unknown, ports: MachinePorts): Promise<void> {
  const now = ports.regionOf(region).clock.now()
  const what = machineId === undefined ? 'Making it' : entry && powerOf(entry) === power ? 'Having it as it is ordered' : `Switching it ${power}`
  await ports.store.write(now, async tx => {
    const locked = await tx.lockMachine(id)
    if (!locked || !isSame(locked, { createdAt }) || locked.deletionRequestedAt !== undefined || locked.power !== power) return
    const known = locked.obstacle?.because.startsWith(`${what} fails since `) ? locked.obstacle : undefined, at = known?.at ?? now
    const because = `${what} fails since ${rfc3339Seconds(at)}: ${messageOf(error)}`
    if (known?.because !== because) await tx.changeMachine(id, { obstacle: { because, at } })
  })
}

/** Tried until it is gone; why it is still there is told meanwhile. */
async function ensureGone(record: MachineRecord, successor: MachineRecord | undefined, ports: MachinePassPorts, signal: AbortSignal): Promise<void> {
  const { machines, clock } = ports.regionOf(record.region)
  try {
    await removeMachine(record, machines)
  } catch (error) {
    if (!signal.aborted && !isOfOurStore(error)) await noteNotGone(record, error, ports)
    throw error
  }
  const nodes = record.machineId === undefined ? [] : await ports.store.nodesOfMachine(record.region, record.machineId)
  // What its successor has is left to nobody else.
  const isHandedOver = successor?.machineId !== undefined
  const left = isHandedOver ? undefined : await ports.leaveToOthers(record)
  await ports.store.write(clock.now(), async tx => {
    const locked = await tx.lockMachine(record.id)
    if (!locked) return
    if (!isSame(locked, record)) return await tx.enqueue({ kind: 'machine', id: record.id, region: record.region })
    await putEntry(tx, record, 'Released', ports)
    await tx.releaseAddress(record.region, record.id)
    await tx.forgetMachine(record.id)
    // Whoever ran on it is told by its own next look: no provider of ours has that machine any more.
    for (const node of nodes) await tx.enqueue({ kind: 'node', id: node.id, region: record.region })
    if (left) await tx.enqueue(left)
  })
  if (!isHandedOver) await leaveToLateOnes(record, left, ports)
  await takeDownIfBack(record, ports)
}

async function noteNotGone({ id, region, createdAt }: MachineRecord, error: unknown, ports: MachinePorts): Promise<void> {
  const now = ports.regionOf(region).clock.now()
  const because = messageOf(error)
  await ports.store.write(now, async tx => {
    const locked = await tx.lockMachine(id)
    if (locked && isSame(locked, { createdAt }) && locked.deletionRequestedAt !== undefined && locked.obstacle?.because !== because) await tx.changeMachine(id, { obstacle: { because, at: now } })
  })
}

async function putEntry(tx: Transaction, record: MachineRecord, state: LedgerState, ports: MachinePorts): Promise<void> {
  const known = (await tx.ledgerOf(record.id)).find(entry => entry.kind === 'Machine')
  if ((known?.state === state && (state === 'Released' || powerOf(known) === record.power)) || (known === undefined && state === 'Released')) return
  await tx.putLedger({
    ...(known ?? { id: ports.newLedgerId(), accountId: record.accountId, region: record.region, kind: 'Machine' as const, deleteProtected: false, owner: { kind: 'Machine' as const, id: record.id, name: record.name } }),
    providerId: record.id, state, since: known?.state === state ? known.since : ports.regionOf(record.region).clock.now(), power: record.power,
  })
}

function powerOf({ power = 'on' }: LedgerEntry): 'on' | 'off' {
  return power
}
