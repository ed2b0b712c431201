import assert from 'node:assert/strict'
import { test } from 'node:test'
import { machineEntry } from '#model/node/claim.ts'
import type { MachineRecord, Scope } from '#ports/store.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import type { MachinePassPorts } from './ports.ts'
import { reconcileMachines } from './reconcile-many.ts'

const NOW = Date.UTC(2026, 11, 1), SCOPE: Scope = { accountId: 'a1', region: 'r1' }

/** Two machines whose records another process takes away while they are asked for, and a new one that stays; the removal of `m1` fails so often. */
async function passOverLost(failures: number): Promise<{ readonly world: readonly string[]; readonly known: readonly (readonly [string, string])[]; readonly error: unknown }> {
  const store = new MemoryStore()
  const machine = (id: string): MachineRecord & { ownedBy: NonNullable<MachineRecord['ownedBy']> } => ({
    id, ...SCOPE, name: id, address: '10.0.0.2', power: 'on', link: 'up', createdAt: NOW, ownedBy: { nodeId: `n-${id}`, nodePoolId: 'p1', clusterId: 'c1' }, ...id !== 'm-new' && { machineId: `i-${id}` },
  })
  const ids = ['m1', 'm2', 'm-new']
  await store.write(NOW, async tx => {
    for (const one of ids.map(machine)) {
      await tx.insertMachine(one)
      await tx.putLedger(machineEntry(one, one.machineId === undefined ? 'Intended' : 'Held', NOW))
    }
  })
  const world = new Set<string>()
  let left = failures
  const machines = {
    async ensure({ id }: { readonly id: string }) {
      if (id !== 'm-new') await store.write(NOW, async tx => {
        await tx.putLedger(machineEntry(machine(id), 'Released', NOW))
        await tx.forgetMachine(id)
      })
      world.add(id)
      return { id, power: 'on', link: 'up', powerSince: NOW, machineId: `i-${id}` }
    },
    async ensureGone(id: string) {
      if (id === 'm1' && left-- > 0) throw new Error('TerminateInstances: timeout')
      world.delete(id)
    },
  }
  const ports = { store, newLedgerId: () => 'l1', regionOf: () => ({ clock: { now: () => NOW }, machines }), leaveToOthers: async () => undefined } as unknown as MachinePassPorts
  const error: unknown = await reconcileMachines(ids, ports, new AbortController().signal).then(() => undefined, (thrown: unknown) => thrown)
  return { world: [...world], known: (await store.machinesById(ids)).map(({ id, machineId }) => [id, machineId ?? 'unknown'] as const), error }
}

test('a machine whose record is gone is tried for twice when it is taken down', async () => {
  assert.deepEqual(await passOverLost(1), { world: ['m-new'], known: [['m-new', 'i-m-new']], error: undefined })
})

test('one that cannot be taken down keeps no other from it, and none that was made from being noted; that is told', async () => {
  const { world, known, error } = await passOverLost(2)
  assert.deepEqual([world.toSorted(), known], [['m-new', 'm1'], [['m-new', 'i-m-new']]])
  assert.match(String(error), /m1, whose record is gone/)
})
