import type { PassOutcome } from '#ports/controller.ts'
import type { MachineRecord } from '#ports/store.ts'
import { decideOrdered } from './decide.ts'
import { orderOf } from './order-of.ts'
import { arrearsOf, make, noteMade, notePowers, type Made, type OrderedMachine } from './ordered-machine.ts'
import type { MachinePorts } from './ports.ts'

/**
 * Passes over many machines: those that pools ordered and that are to be made are made one after another and written down together; a crash before that makes each of
 * them again, which finds it. Those that were made are brought to what their records order together. All others have a pass of their own (`alone`).
 */
export async function reconcileMachines(ids: readonly string[], alone: (record: MachineRecord) => Promise<PassOutcome>, ports: MachinePorts, signal: AbortSignal): Promise<ReadonlyMap<string, PassOutcome>> {
  const records = new Map((await ports.store.machinesById(ids)).map(record => [record.id, record]))
  const outcomes = new Map<string, PassOutcome>()
  const arrears = new Map<string, string | undefined>()
  const made: Made[] = [], kept: { readonly record: OrderedMachine; readonly ensured: Promise<PassOutcome> }[] = []
  for (const id of ids) {
    const record = records.get(id)
    if (!record) outcomes.set(id, {})
    else if (isMade(record)) kept.push({ record, ensured: ensure(record) })
    else outcomes.set(id, await one(record).catch((error: unknown) => ({ error })))
  }
  const ensured: OrderedMachine[] = []
  for (const { record, ensured: ends } of kept) {
    const outcome = await ends
    outcomes.set(record.id, outcome)
    if (!('error' in outcome)) ensured.push(record)
  }
  await notePowers(ensured, ports)
  await noteMade(made, ports)
  return outcomes

  /** Not waited for one by one: what the provider keeps of all of them is one write. */
  function ensure(record: OrderedMachine): Promise<PassOutcome> {
    ports.onDecision?.({ by: 'decideOrdered', about: record.id, seen: record, decided: 'ensure' })
    return ports.regionOf(record.region).machines.ensure(orderOf(record)).then(() => ({}), (error: unknown) => ({ error }))
  }

  async function one(record: MachineRecord): Promise<PassOutcome> {
    if (!isToBeMade(record)) return await alone(record)
    ports.onDecision?.({ by: 'decideOrdered', about: record.id, seen: record, decided: 'ensure' })
    const account = `${record.accountId}/${record.region}`
    if (!arrears.has(account)) arrears.set(account, await arrearsOf(record, ports))
    const seen = await make(record, arrears.get(account), ports, signal)
    if (seen) made.push({ record, seen })
    return {}
  }
}

function isMade(record: MachineRecord): record is OrderedMachine {
  return record.ownedBy !== undefined && record.machineId !== undefined && decideOrdered(record) === 'ensure'
}

function isToBeMade(record: MachineRecord): record is OrderedMachine {
  return record.ownedBy !== undefined && record.machineId === undefined && decideOrdered(record) === 'ensure'
}
