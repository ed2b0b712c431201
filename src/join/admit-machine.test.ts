import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { addCluster, addNodePool, NOON, onboarding } from '#test/harness/sample-records.ts'
import { admitMachine } from './admit-machine.ts'
import { JoinRefused } from './refused.ts'

test('a script that is deleted while a machine joins with it makes no node', async () => {
  const store = new MemoryStore(() => 0)
  const record = onboarding({ id: 'o', clusterId: 'c-shop', nodePoolId: 'p-counters' })
  await store.write(NOON, async tx => {
    await addCluster(tx, 'shop')
    await addNodePool(tx, 'counters', 'c-shop')
    await tx.insertOnboarding(record, 'token')
  })
  const machine = { secretHash: 'hash', hostname: 'till-1', architecture: 'amd64', machineId: 'm', address: '10.0.0.9', kernel: '6.1' }
  const admit = () => store.write(NOON, tx => admitMachine(tx, tx, record, machine, NOON, new Uint8Array(8)))
  await store.write(NOON, tx => tx.forgetOnboarding('o', NOON))
  await assert.rejects(admit, (error: unknown) => error instanceof JoinRefused && error.message.includes('was deleted'))
  assert.deepEqual(await store.nodesOf({ clusterId: 'c-shop' }), [])
})
