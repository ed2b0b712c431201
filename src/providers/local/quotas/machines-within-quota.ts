import { MachineRefused, supplyOf, type MachineOrder, type Machines, type MachineSeen } from '#ports/machines.ts'
import { isOfOurStore, NotAsked } from '#ports/of-our-store.ts'
import type { Store } from '#ports/store.ts'
import { COUNTED } from './recorded-quotas.ts'

interface Parts {
  readonly store: Pick<Store, 'findMachine' | 'quotaChanges' | 'write'>
  readonly region: string
  readonly now: () => number
}

/**
 * The same machines, of which an account is made no more for its pools than its quota lets: that a machine may be made is written to its record under the quota's lock before its provider is asked. So it counts from then on, also for whoever goes on after a crash,
 * until its record goes with it. What a user adds by hand does not count.
 */
export function machinesWithinQuota(machines: Machines, parts: Parts): Machines {
  return {
    async ensure(order: MachineOrder): Promise<MachineSeen> {
      if (order.template) await take(order, parts).catch((error: unknown) => fail(order, error))
      return await machines.ensure(order)
    },
    async supply(): Promise<string> {
      return `${await supplyOf(machines) ?? ''}/${await parts.store.quotaChanges(parts.region)}`
    },
    crash: id => machines.crash(id),
    look: id => machines.look(id),
    watch: (onChange, signal) => machines.watch(onChange, signal),
    ensureGone: id => machines.ensureGone(id),
    ...machines.exec && { exec: machines.exec.bind(machines) },
    ...machines.runScript && { runScript: machines.runScript.bind(machines) },
  }
}

/** The provider was not asked, so only a refusal is told as what became of the machine. */
function fail({ name }: MachineOrder, error: unknown): never {
  throw error instanceof MachineRefused || isOfOurStore(error) ? error : new NotAsked(`Taking a place under the quota for the machine ${name}`, { cause: error })
}

/** Throws MachineRefused where the account has as many as it may. Of one whose record is gone nothing is counted: whoever asked takes it down again. */
async function take({ id, name }: MachineOrder, { store, now }: Parts): Promise<void> {
  const known = await store.findMachine(id)
  if (!known || known.granted || known.machineId !== undefined) return
  const over = await store.write(now(), async tx => {
    // The quota first: whoever holds a machine waits for no quota.
    const limit = await tx.lockQuota(known, COUNTED)
    const machine = await tx.lockMachine(id)
    if (!machine || machine.granted || machine.machineId !== undefined) return undefined
    const held = limit === undefined ? 0 : await tx.machinesHeld(machine, id)
    if (limit !== undefined && held >= limit) return { limit, held }
    await tx.changeMachine(id, { granted: true })
    return undefined
  })
  if (over) throw MachineRefused.overQuota(`The account may have ${over.limit} of the kind ${COUNTED} and has ${over.held}: the machine ${name} was not made`)
}
