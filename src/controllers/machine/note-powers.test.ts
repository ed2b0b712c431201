import assert from 'node:assert/strict'
import { test } from 'node:test'
import { machineEntry } from '#model/node/claim.ts'
import { MachineHeld } from '#ports/machines.ts'
import type { Scope, Store } from '#ports/store.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { decideOrdered } from './decide.ts'
import { notePowers, reconcileOrdered, type OrderedMachine } from './ordered-machine.ts'
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

for (const { name, given } of [
  { name: 'asked for, as nobody knows whether it is there', given: {} },
  { name: 'found to be on after all', given: { machineId: 'i-1' } },
]) test(`a machine that is asked to go again at the moment at which it is ${name} is tried for once more`, async () => {
  const store = new MemoryStore()
  const { machineId: _no, ...unknown } = machine
  const leaving: OrderedMachine = { ...unknown, ...given, power: 'on', createdAt: NOW - 3_600_000, deletionRequestedAt: NOW - 1_800_000, obstacle: { because: 'TerminateInstances: denied', at: NOW - 1_700_000 } }
  await store.write(NOW, async tx => {
    await tx.insertMachine(leaving)
    await tx.putLedger(machineEntry(leaving, 'Intended', NOW))
  })
  const seen = { id: 'm1', power: 'on', link: 'up', powerSince: 0, machineId: 'i-1' }
  let looks = 0
  const machines = {
    async look() {
      if (looks++ === 0) await store.write(NOW, tx => tx.changeMachine('m1', { deletionRequestedAt: NOW, obstacle: null }))
      return seen
    },
    ensure: () => Promise.resolve(seen),
  }
  const ports = { store, newLedgerId: () => 'l2', unanswered: new Map(), woken: new Map(), regionOf: () => ({ clock: { now: () => NOW }, machines }) } as unknown as MachinePassPorts
  await reconcileOrdered(leaving, ports, new AbortController().signal)
  const after = await store.findMachine('m1')
  assert.ok(after)
  assert.deepEqual([after.deletionRequestedAt, after.obstacle, decideOrdered(after)], [NOW, undefined, 'ensureGone'])
})

for (const { name, given } of [
  { name: 'its making is given up', given: {} },
  { name: 'its removal is refused', given: { deletionRequestedAt: NOW - 1_000, machineId: 'i-1' } },
]) test(`a machine that is asked to go at the moment at which ${name} is tried for`, async () => {
  const store = new MemoryStore()
  const { machineId: _no, ...unknown } = machine
  const wanted: OrderedMachine = { ...unknown, ...given, power: 'on', createdAt: NOW - 3_600_000 }
  await store.write(NOW, async tx => {
    await tx.insertMachine(wanted)
    await tx.putLedger(machineEntry(wanted, 'Intended', NOW))
  })
  const fails = async (error: Error) => {
    await store.write(NOW, tx => tx.changeMachine('m1', { deletionRequestedAt: NOW, obstacle: null }))
    throw error
  }
  const machines = { look: () => Promise.resolve(undefined), ensure: () => fails(new Error('RunInstances: internal error')), ensureGone: () => fails(new MachineHeld('TerminateInstances: denied')) }
  const ports = { store, newLedgerId: () => 'l2', unanswered: new Map(), woken: new Map(), regionOf: () => ({ clock: { now: () => NOW }, machines }) } as unknown as MachinePassPorts
  await reconcileOrdered(wanted, ports, new AbortController().signal)
  const after = await store.findMachine('m1')
  assert.ok(after)
  assert.deepEqual([after.deletionRequestedAt, after.obstacle, decideOrdered(after)], [NOW, undefined, 'ensureGone'])
})
