import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { addCluster, NEW_CLUSTER, NOON } from '#test/harness/sample-records.ts'
import { regionStore } from './region-store.ts'

test('whoever writes, what is written is of the clock\'s instant, and deadlines are judged by what was heard until then', async () => {
  const memory = new MemoryStore(() => 0), clock = { shows: NOON + 900_500, heard: NOON + 899_999 }
  await memory.write(NOON, tx => addCluster(tx, 'a'))
  const store = regionStore(memory, 'sim-1', { now: () => clock.shows, passTime: () => clock.heard }, new AbortController().signal, () => false)
  const touch = async (now: number) => {
    await store.write(now, async tx => {
      await tx.lockCluster('c-a')
      await tx.changeCluster('c-a', { facts: { ...NEW_CLUSTER, attemptStartedAt: NOON, controlPlaneSays: `${now} ${clock.heard}` } }, { evidence: [] })
    })
    const found = await store.findCluster('c-a')
    return [found?.said.status.phase, found?.updatedAt]
  }
  for (const now of [NOON + 5, clock.heard, clock.shows]) assert.deepEqual(await touch(now), ['Creating', NOON + 900_500])
  clock.heard = NOON + 900_000
  for (const now of [NOON + 5, clock.heard, clock.shows]) assert.deepEqual(await touch(now), ['Failed', NOON + 900_500])
})

test('what began in a region that is removed by now is refused, and writes nothing', async () => {
  const memory = new MemoryStore(() => 0), removed = new AbortController()
  const store = regionStore(memory, 'sim-1', { now: () => NOON, passTime: () => NOON }, removed.signal, () => false)
  await store.write(NOON, tx => addCluster(tx, 'a'))
  removed.abort()
  await assert.rejects(store.write(NOON, tx => addCluster(tx, 'b')), /sim-1 takes no such order now: it is being deleted/)
  assert.deepEqual((await memory.clustersById(['c-a', 'c-b'])).map(({ id }) => id), ['c-a'])
})

test('a process that stood still while another one took the region over writes nothing, also if that befell it in between', async () => {
  const memory = new MemoryStore(() => 0)
  let isTaken = false
  const store = regionStore(memory, 'sim-1', { now: () => NOON, passTime: () => NOON }, new AbortController().signal, () => isTaken)
  await assert.rejects(store.write(NOON, async tx => {
    await addCluster(tx, 'a')
    isTaken = true
  }), /the lease by which this server runs the region sim-1 is over/)
  await assert.rejects(store.write(NOON, tx => addCluster(tx, 'b')), /the lease by which this server runs the region sim-1 is over/)
  assert.deepEqual(await memory.clustersById(['c-a', 'c-b']), [])
})
