import type { MachineOrder } from '#ports/machines.ts'
import type { QuotasUnderTest } from '#ports/quotas.contract.ts'
import type { Store } from '#ports/store.ts'
import { machinesWithinQuota } from '#providers/local/quotas/machines-within-quota.ts'
import { RecordedQuotas } from '#providers/local/quotas/recorded-quotas.ts'
import { machine, NOON } from './sample-records.ts'
import { SteppedClock } from './stepped-clock.ts'
import { MemoryMachines } from './world/machines.ts'

/** Quotas that stand among the records, over machines in memory. */
export function quotasInRecords({ store, close }: { readonly store: Store; readonly close: () => Promise<void> }, region = 'local-1'): QuotasUnderTest {
  const now = () => NOON
  const machines = machinesWithinQuota(new MemoryMachines(new SteppedClock()), { store, region, now })
  const insert = async (order: MachineOrder, account: string): Promise<MachineOrder> => {
    const { id, name, address, template } = order
    await store.write(NOON, tx => tx.insertMachine(machine({ id, name, address, accountId: account, region, ...template && { template, ownedBy: { nodePoolId: 'p-counters', clusterId: 'c-shop' } } })))
    return order
  }
  const own = (number: number, account: string): MachineOrder => ({ id: `m-${number}`, name: `counter-${number}`, address: '10.213.4.9', power: 'on', link: 'up', accountId: account })
  return {
    quotas: new RecordedQuotas(store, region, now), machines, close,
    order: (number, account) => insert({ ...own(number, account), template: {}, nodePoolId: 'p-counters' }, account),
    instead: async (old, number, account) => {
      await store.write(NOON, tx => tx.changeMachine(old.id, { ownedBy: null }))
      return await insert({ ...own(number, account), template: { instanceId: old.template?.instanceId ?? old.id, replaces: old.id }, nodePoolId: 'p-counters' }, account)
    },
    own: (number, account) => insert(own(number, account), account),
    noteMade: ({ id, template }, machineId) => store.write(NOON, async tx => {
      await tx.setMachineIds([{ id, machineId }])
      if (template?.replaces !== undefined) await tx.changeMachine(template.replaces, { deletionRequestedAt: NOON })
    }),
    remove: async ({ id }) => {
      await machines.ensureGone(id)
      await store.write(NOON, tx => tx.forgetMachine(id))
    },
  }
}
