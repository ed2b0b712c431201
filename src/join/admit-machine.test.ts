import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { addCluster, addNodePool, NOON, onboarding } from '#test/harness/sample-records.ts'
import { admitMachine } from './admit-machine.ts'
import { JoinRefused } from './refused.ts'

test('a script that is told to come again is one run, whose time counts from its first try', async () => {
  const store = new MemoryStore(() => 0), minute = 60_000
  const record = onboarding({ id: 'o', clusterId: 'c-shop', nodePoolId: 'p-counters' })
  await store.write(NOON, async tx => {
    await addCluster(tx, 'shop')
    await addNodePool(tx, 'counters', 'c-shop')
    await tx.insertOnboarding(record, 'token')
  })
  const existsAt = async (now: number, run?: string) => {
    const machine = { secretHash: 'hash', hostname: 'till-1', architecture: 'amd64', machineId: 'm', address: '10.0.0.9', kernel: '6.1', ...run !== undefined && { run } }
    const { nodeId } = await store.write(now, tx => admitMachine(tx, tx, record, machine, now, new Uint8Array(8)))
    return (await store.findNode(nodeId))?.facts.machineExistsAt
  }
  assert.deepEqual([await existsAt(NOON, 'a'), await existsAt(NOON + 10 * minute, 'a'), await existsAt(NOON + 20 * minute, 'a')], [NOON, NOON, NOON])
  assert.deepEqual([await existsAt(NOON + 30 * minute, 'b'), await existsAt(NOON + 31 * minute, 'b')], [NOON + 30 * minute, NOON + 30 * minute], 'it was begun again')
  assert.equal(await existsAt(NOON + 40 * minute), NOON + 40 * minute, 'scripts of before do not name their runs')
})

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
