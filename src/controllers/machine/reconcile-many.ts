import type { PassOutcome } from '#ports/controller.ts'
import type { MachineSeen } from '#ports/machines.ts'
import type { MachineRecord } from '#ports/store.ts'
import { askedNow, type Asked } from './asked.ts'
import { beAsOrdered } from './be-as-ordered.ts'
import { decideOrdered } from './decide.ts'
import { orderOf } from './order-of.ts'
import { arrearsOf, make, noteMade, notePowers, type Made, type OrderedMachine } from './ordered-machine.ts'
import type { MachinePassPorts, MachinePorts } from './ports.ts'
import { wakeStopping } from './wake-stopping.ts'

/**
 * Passes over many machines: those that pools ordered are asked for in this order without waiting in between, so that what the provider keeps of all of them is one write. Those that are there for
 * the first time are written down together; a crash before that asks for each of them again, which finds it. All others are left to passes of their own.
 */
export async function reconcileMachines(ids: readonly string[], ports: MachinePassPorts, signal: AbortSignal): Promise<ReadonlyMap<string, PassOutcome>> {
  const records = new Map((await ports.store.machinesById(ids)).map(record => [record.id, record]))
  const outcomes = new Map<string, PassOutcome>()
  for (const id of ids) if (!records.has(id)) outcomes.set(id, {})
  const ordered = ids.flatMap(id => records.get(id) ?? []).filter(isToBeThere)
  await wakeStopping(ordered, ports)
  const instants = await askedIn(ordered, ports), refusals = await refusalsOf(ordered, ports)
  const asked = ordered.map(record => {
    ports.onDecision?.({ by: 'decideOrdered', about: record.id, seen: record, decided: 'ensure' })
    const refusal = record.machineId === undefined ? refusals.get(accountOf(record)) : undefined
    const answer = refusal === undefined ? ports.regionOf(record.region).machines.ensure(orderOf(record)) : undefined
    answer?.catch(() => {}) // waited for below
    return { record, refusal, answer }
  })
  const made: Made[] = [], kept: OrderedMachine[] = []
  for (const one of asked) outcomes.set(one.record.id, await outcomeOf(one).catch((error: unknown) => ({ error })))
  try {
    await notePowers(kept, ports)
  } finally {
    await noteMade(made, ports)
  }
  return outcomes

  async function outcomeOf({ record, refusal, answer }: { readonly record: OrderedMachine; readonly refusal: string | undefined; readonly answer: Promise<MachineSeen> | undefined }): Promise<PassOutcome> {
    if (record.machineId !== undefined) {
      await beAsOrdered(record, () => answer ?? ports.regionOf(record.region).machines.ensure(orderOf(record)), ports, signal)
      kept.push(record)
      return {}
    }
    const seen = await make(record, { arrears: refusal, asked: instants.get(record.region) ?? await askedNow(record.region, ports), ask: () => answer ?? ports.regionOf(record.region).machines.ensure(orderOf(record)) }, ports, signal)
    if (seen) made.push({ record, seen })
    return {}
  }
}

function isToBeThere(record: MachineRecord): record is OrderedMachine {
  return record.ownedBy !== undefined && decideOrdered(record) === 'ensure'
}

/** Why accounts of machines that are not there yet get none. */
async function refusalsOf(records: readonly OrderedMachine[], ports: MachinePorts): Promise<ReadonlyMap<string, string | undefined>> {
  const accounts = new Map(records.flatMap(record => (record.machineId === undefined ? [[accountOf(record), record] as const] : [])))
  const refusals = new Map<string, string | undefined>()
  for (const [account, record] of accounts) refusals.set(account, await arrearsOf(record, ports))
  return refusals
}

/** Of regions with machines that are not there yet. */
async function askedIn(records: readonly OrderedMachine[], ports: MachinePorts): Promise<ReadonlyMap<string, Asked>> {
  const regions = new Set(records.flatMap(record => (record.machineId === undefined ? [record.region] : [])))
  return new Map(await Promise.all([...regions].map(async region => [region, await askedNow(region, ports)] as const)))
}

function accountOf({ accountId, region }: MachineRecord): string {
  return `${accountId}/${region}`
}
