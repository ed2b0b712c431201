import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { Store, WorkKey } from '#ports/store.ts'
import { storeWith } from '#ports/store-with.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { addCluster, NOON, SCOPE } from '#test/harness/sample-records.ts'
import { ofTheirKeys, sharedStore } from './shared-store.ts'

/** Counts what reaches the store. */
function counted(store: Store): { store: Store; counts: Map<string, number> } {
  const counts = new Map<string, number>()
  return {
    counts,
    store: new Proxy(store, {
      get(target, name) {
        const own: unknown = Reflect.get(target, name, target)
        if (typeof own !== 'function') return own
        return (...given: unknown[]): unknown => {
          counts.set(String(name), (counts.get(String(name)) ?? 0) + 1)
          return own.apply(target, given)
        }
      },
    }),
  }
}

async function fleet(): Promise<{ store: Store; counts: Map<string, number>; ids: readonly string[] }> {
  const memory = new MemoryStore(() => 0)
  const names = ['a', 'b', 'c']
  for (const name of names) await memory.write(NOON, tx => addCluster(tx, name))
  return { ...counted(memory), ids: names.map(name => `c-${name}`) }
}

const MACHINES = ['m-a', 'm-b', 'm-c']

async function machines(): Promise<{ store: Store; counts: Map<string, number> }> {
  const memory = new MemoryStore(() => 0)
  for (const id of MACHINES) await memory.write(NOON, tx => tx.insertMachine({ id, ...SCOPE, name: id, address: '', power: 'on', link: 'up', createdAt: NOON }))
  return counted(memory)
}

test('writes that meet are one transaction, each with its own answer', async () => {
  const { store, counts, ids } = await fleet()
  const shared = sharedStore(store, () => true)
  const answers = await Promise.all(ids.map(id => shared.write(NOON + 1, async tx => {
    await tx.lockCluster(id)
    await tx.changeCluster(id, { address: `at-${id}` }, { evidence: [] })
    return id
  })))
  assert.deepEqual(answers, ids)
  assert.deepEqual((await store.clustersById(ids)).map(({ address }) => address), ids.map(id => `at-${id}`))
  assert.equal(counts.get('write'), 1)
})

test('passes that lock trees alone and those that may lock machines are written by two transactions side by side, and each of them by one at a time', async () => {
  const { store, ids } = await fleet()
  const ends: PromiseWithResolvers<void>[] = []
  const shared = sharedStore(storeWith(store, () => ({
    write: async (now, work, instants) => {
      ends.push(Promise.withResolvers())
      await ends.at(-1)?.promise
      return store.write(now, work, instants)
    },
  })), () => true)
  const controllers = ofTheirKeys((['cluster', 'node', 'node-pool', 'addon', 'machine'] as const).map(kind => ({ kind, reconcile: async (id: string) => { await shared.write(NOON + 1, tx => tx.lockCluster(id)); return {} } })))
  const { signal } = new AbortController()
  const pass = () => controllers.map(controller => controller.reconcile(ids[0] ?? '', signal))
  const first = pass()
  await setImmediate()
  await setImmediate()
  const second = pass()
  await setImmediate()
  await setImmediate()
  assert.equal(ends.length, 2)
  for (const end of ends) end.resolve()
  await Promise.all(first)
  await setImmediate()
  await setImmediate()
  assert.equal(ends.length, 4)
  for (const end of ends) end.resolve()
  await Promise.all(second)
})

test('one that fails does so alone', async () => {
  const { store, ids } = await fleet()
  const shared = sharedStore(store, () => true)
  const outcomes = await Promise.allSettled(ids.map((id, index) => shared.write(NOON + 1, async tx => {
    if (index === 1) throw new Error('on purpose')
    await tx.lockCluster(id)
    await tx.changeCluster(id, { address: `at-${id}` }, { evidence: [] })
  })))
  assert.deepEqual(outcomes.map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled'])
  assert.deepEqual((await store.clustersById(ids)).map(({ address }) => address), [`at-${ids[0]}`, undefined, `at-${ids[2]}`])
})

test('writes at different instants do not share a transaction', async () => {
  const { store, counts, ids } = await fleet()
  const shared = sharedStore(store, () => true)
  await Promise.all(ids.map((id, index) => shared.write(NOON + index, tx => tx.lockCluster(id))))
  assert.equal(counts.get('write'), 3)
})

test('looks at machines that meet are one, and one that is asked for later sees what was written meanwhile', async () => {
  const { store, counts } = await machines()
  const shared = sharedStore(store, () => true)
  const found = await Promise.all([...MACHINES, 'nobody'].map(id => shared.findMachine(id)))
  assert.deepEqual(found.map(machine => machine?.id), [...MACHINES, undefined])
  assert.equal(counts.get('machinesById'), 1)
  await shared.write(NOON + 1, tx => tx.forgetMachine('m-a'))
  assert.equal(await shared.findMachine('m-a'), undefined)
})

test('while the order of passes matters everything is as the store does it', async () => {
  const { store, counts, ids } = await fleet(), there = await machines()
  const shared = sharedStore(store, () => false)
  await Promise.all(ids.map(id => shared.write(NOON + 1, tx => tx.lockCluster(id))))
  assert.equal(counts.get('write'), 3)
  assert.equal((await sharedStore(there.store, () => false).findMachine('m-a'))?.id, 'm-a')
  assert.equal(there.counts.get('machinesById'), undefined)
})

test('what passes over many keys lock is locked together, before any of them writes', async () => {
  const { store, ids } = await fleet()
  const locked: (readonly WorkKey[])[] = []
  const watched: Store = new Proxy(store, {
    get(target, name) {
      if (name !== 'write') return Reflect.get(target, name, target) as unknown
      const write: Store['write'] = (now, work) => store.write(now, tx => {
        const lockTrees = tx.lockTrees.bind(tx)
        tx.lockTrees = async keys => { locked.push(keys); await lockTrees(keys) }
        return work(tx)
      })
      return write
    },
  })
  const shared = sharedStore(watched, () => true)
  const [controller] = ofTheirKeys([{
    kind: 'cluster',
    reconcile: async () => ({}),
    reconcileMany: async some => new Map(await Promise.all(some.map(id => shared.write(NOON + 1, async tx => [(await tx.lockCluster(id))?.id ?? '', {}] as const)))),
  }])
  const { signal } = new AbortController()
  await Promise.all([controller?.reconcileMany?.(ids.slice(0, 2), signal), controller?.reconcileMany?.(ids.slice(2), signal)])
  assert.deepEqual(locked.map(keys => keys.map(({ id }) => id).sort()), [ids])
})

test('a pass that locks the trees of others does so in a transaction of its own, and behind no machine that is held', async () => {
  for (const kind of ['account', 'given-back'] as const) {
    const { store, counts, ids } = await fleet()
    const shared = sharedStore(store, () => true)
    const [machine, other] = ofTheirKeys([
      { kind: 'machine', reconcile: async id => { await shared.write(NOON + 1, tx => tx.lockMachine(id)); return {} } },
      { kind, reconcile: async () => { await shared.write(NOON + 1, tx => tx.lockCluster(ids[0] ?? '')); return {} } },
    ])
    const { signal } = new AbortController()
    await Promise.all([machine?.reconcile('m-a', signal), other?.reconcile('any', signal), machine?.reconcile('m-b', signal), machine?.reconcile('m-c', signal)])
    assert.equal(counts.get('write'), 3, `${kind}: those of the machines that come after it go together`)
  }
})
