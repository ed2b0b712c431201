import assert from 'node:assert/strict'
import { test } from 'node:test'
import { machineEntry } from '#model/node/claim.ts'
import type { Scope, Store } from '#ports/store.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { notePowers, type OrderedMachine } from './ordered-machine.ts'
import type { MachinePassPorts } from './ports.ts'

const NOW = Date.UTC(2026, 11, 1), SCOPE: Scope = { accountId: 'a1', region: 'r1' }
const ownedBy = { nodeId: 'n1', nodePoolId: 'p1', clusterId: 'c1' }
const machine: OrderedMachine = { id: 'm1', ...SCOPE, name: 'shop-1', address: '', power: 'off', link: 'up', createdAt: NOW, machineId: 'i-1', ownedBy }

test('a machine that is kept when its node goes does not become the node\'s again by being switched off at that moment', async () => {
  const store = new MemoryStore()
  await store.write(NOW, async tx => {
    await tx.insertMachine(machine)
    await tx.putLedger(machineEntry(machine, 'Held', NOW, { power: 'on' }))
  })
  // Between the look at the ledger and the write the node goes, and its machine is kept.
  const torn: Pick<Store, 'ledgersOf' | 'write'> = {
    async ledgersOf(ownerIds) {
      const found = await store.ledgersOf(ownerIds)
      await store.write(NOW, async tx => {
        await tx.putLedger({ ...machineEntry(machine, 'Retained', NOW, { power: 'on' }), owner: { kind: 'Machine', id: 'm1', name: 'shop-1' } })
        await tx.changeMachine('m1', { ownedBy: null })
      })
      return found
    },
    write: (now, work) => store.write(now, work),
  }
  const ports = { store: torn, newLedgerId: () => 'l2', regionOf: () => ({ clock: { now: () => NOW } }) } as unknown as MachinePassPorts
  await notePowers([machine], ports)
  const { items } = await store.listLedger(SCOPE, {}, { number: 1, size: 10 })
  assert.deepEqual(items.map(({ state, owner }) => [state, owner.kind]), [['Retained', 'Machine']])
})
