import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Store, WorkKey } from '#ports/store.ts'
import { storeWith } from '#ports/store-with.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { addCluster, NOON, SCOPE } from '#test/harness/sample-records.ts'
import { accountController, type AccountPorts } from './reconcile.ts'

test('the clusters of an account that is in arrears are locked together before any of them is written, as by everybody else', async () => {
  const memory = new MemoryStore(() => NOON)
  // Later ones have lower ids.
  for (const [number, name] of ['c', 'b', 'a'].entries()) await memory.write(NOON + number, tx => addCluster(tx, name))
  await memory.write(NOON, tx => tx.putAccount({ ...SCOPE, balance: { amount: 0, at: NOON, spentBefore: 0n } }))
  const locks: string[] = []
  const write: Store['write'] = (now, work, instants) => memory.write(now, tx => {
    const lockTrees = tx.lockTrees.bind(tx), lockCluster = tx.lockCluster.bind(tx)
    tx.lockTrees = async (keys: readonly WorkKey[]) => { locks.push(`together ${keys.map(({ id }) => id).join(' ')}`); await lockTrees(keys) }
    tx.lockCluster = async id => { locks.push(id); return lockCluster(id) }
    return work(tx)
  }, instants)
  const clock = { now: () => NOON + 3_600_000, sleep: async () => {} }
  const ports: Pick<AccountPorts, 'store'> & { regionOf: () => { clock: typeof clock; graceMs: number } } = { store: storeWith(memory, () => ({ write })), regionOf: () => ({ clock, graceMs: 0 }) }
  await accountController(ports as unknown as AccountPorts).reconcile(`${SCOPE.accountId}/${SCOPE.region}`, new AbortController().signal)
  const clusters = await memory.clustersOfRegion(SCOPE.region)
  assert.deepEqual(clusters.map(({ facts }) => facts.unpaid), [true, true, true])
  assert.deepEqual(locks.filter(lock => lock.startsWith('together')).map(lock => lock.split(' ').slice(1).toSorted((one, other) => (one < other ? -1 : 1))), [['c-a', 'c-b', 'c-c']])
  assert.ok(locks.indexOf('c-c') > locks.findIndex(lock => lock.startsWith('together')))
})
