import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NameTaken, StoreUnavailable, type Store, type Transaction } from '#ports/store.ts'
import { storeWith } from '#ports/store-with.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { addCluster, NOON } from '#test/harness/sample-records.ts'
import { until } from '#test/harness/waiting.ts'
import { callsTogether } from './calls-together.ts'

const NEVER = () => new Promise<void>(() => {})

/** A store that tells which clusters each of its transactions added, and waits before each of them for what `before` answers. */
async function watched(before: (number: number) => Promise<unknown> = async () => undefined): Promise<{ store: Store; transactions: string[][] }> {
  const memory = new MemoryStore(() => 0)
  const transactions: string[][] = []
  return { transactions, store: storeWith(memory, () => ({
    write: async (now, work, instants) => {
      const added: string[] = []
      await before(transactions.push(added))
      return memory.write(now, tx => work(new Proxy(tx, {
        get(target, name) {
          const own: unknown = Reflect.get(target, name, target)
          if (name !== 'insertCluster') return typeof own === 'function' ? own.bind(target) as unknown : own
          return (...given: Parameters<Transaction['insertCluster']>) => {
            added.push(given[0].spec.name)
            return target.insertCluster(...given)
          }
        },
      })), instants)
    },
  })) }
}

const make = (store: Store, name: string, now = NOON): Promise<string> => store.write(now, tx => addCluster(tx, name))

test('calls that come while a transaction is under way are written together in the next one, each with its own answer', async () => {
  const first = Promise.withResolvers<void>()
  const { store, transactions } = await watched(number => (number === 1 ? first.promise : Promise.resolve()))
  const together = callsTogether(store, () => true, NEVER)
  const one = make(together({ names: ['a'] }), 'a')
  await until(() => transactions.length === 1)
  const others = ['b', 'c', 'd'].map((name, number) => make(together({ names: [name] }), name, NOON + number))
  first.resolve()
  assert.deepEqual(await Promise.all([one, ...others]), ['c-a', 'c-b', 'c-c', 'c-d'])
  assert.deepEqual(transactions, [['a'], ['b', 'c', 'd']])
})

test('two that must not meet are written one after the other, the first one first', async () => {
  const { store, transactions } = await watched()
  const together = callsTogether(store, () => true, NEVER)
  await Promise.all([make(together({ names: ['pool', 'token'] }), 'a'), make(together({ names: ['other', 'token'] }), 'b'), make(together({ names: ['other'] }), 'c'), make(together({ names: ['third'] }), 'd')])
  assert.deepEqual(transactions, [['a', 'd'], ['b'], ['c']])
})

test('of the calls of a cluster that somebody holds one alone has a transaction, and those of other clusters are written meanwhile', async () => {
  const held = Promise.withResolvers<void>()
  const { store, transactions } = await watched(number => (number === 1 ? held.promise : Promise.resolve()))
  const together = callsTogether(store, () => true, async () => undefined)
  const first = make(together({ clusterId: 'held', names: ['a'] }), 'a')
  await until(() => transactions.length === 1)
  const own = ['b', 'c'].map(name => make(together({ clusterId: 'held', names: [name] }), name))
  for (const name of ['d', 'e']) await make(together({ clusterId: 'other', names: [name] }), name)
  assert.deepEqual(transactions, [[], ['d'], ['e']])
  held.resolve()
  await Promise.all([first, ...own])
  assert.deepEqual(transactions, [['a'], ['d'], ['e'], ['b'], ['c']])
})

test('one that is refused is so alone, and what it wrote is nowhere', async () => {
  const { store, transactions } = await watched()
  const together = callsTogether(store, () => true, NEVER)
  const refused = together({ names: ['b'] }).write(NOON, async tx => {
    await addCluster(tx, 'b')
    throw new NameTaken('b')
  })
  const ended = await Promise.allSettled([make(together({ names: ['a'] }), 'a'), refused, make(together({ names: ['c'] }), 'c')])
  assert.deepEqual(ended.map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled'])
  assert.deepEqual((await store.clustersById(['c-a', 'c-b', 'c-c'])).map(({ id }) => id), ['c-a', 'c-c'])
  assert.deepEqual(transactions.map(added => added.toSorted().join()).toSorted(), ['a,b,c', 'a,c', 'b'], 'the others together once more')
})

test('where it is not known who is in the way each is written by itself, and none waits for another', async () => {
  const waits = Promise.withResolvers<void>()
  const { store, transactions } = await watched(number => (number === 2 ? waits.promise : Promise.resolve()))
  const together = callsTogether(store, () => true, NEVER)
  let tries = 0
  const broken = together({ names: ['b'] }).write(NOON, async tx => {
    if (tries++ === 0) throw new Error('a statement that failed')
    return addCluster(tx, 'b')
  })
  const first = make(together({ names: ['a'] }), 'a')
  assert.equal(await broken, 'c-b')
  waits.resolve()
  assert.equal(await first, 'c-a')
  assert.deepEqual(transactions.slice(1).map(added => added.join()).toSorted(), ['a', 'b'])
})

test('all trees are locked before anything is written, so that nothing is written at an instant before that of who held one', async () => {
  const memory = new MemoryStore(() => 0)
  for (const name of ['one', 'two']) await memory.write(NOON, tx => addCluster(tx, name))
  const steps: string[] = []
  const together = callsTogether(storeWith(memory, () => ({
    write: (now, work, instants) => memory.write(now, tx => {
      const lockTrees = tx.lockTrees.bind(tx), waitAtMost = tx.waitAtMost.bind(tx)
      tx.waitAtMost = async ms => { steps.push('waits'); await waitAtMost(ms) }
      tx.lockTrees = async keys => { await lockTrees(keys); steps.push(...keys.map(({ kind, id }) => `${kind} ${id}`)) }
      return work(tx)
    }, instants),
  })), () => true, NEVER)
  await Promise.all(['c-two', 'c-one'].map(clusterId => together({ clusterId, names: [] }).write(NOON, async () => { steps.push('writes') })))
  assert.deepEqual(steps, ['waits', 'cluster c-one', 'cluster c-two', 'writes', 'writes'])
})

test('where the database cannot be reached any more nothing is written a second time, as it may have been committed', async () => {
  const memory = new MemoryStore(() => 0)
  const together = callsTogether(storeWith(memory, () => ({
    write: async (now, work, instants) => {
      await memory.write(now, work, instants)
      throw new StoreUnavailable('gone')
    },
  })), () => true, NEVER)
  const ended = await Promise.allSettled(['a', 'b'].map(name => make(together({ names: [name] }), name)))
  for (const outcome of ended) assert.ok(outcome.status === 'rejected' && outcome.reason instanceof StoreUnavailable, JSON.stringify(outcome))
  assert.deepEqual((await memory.clustersById(['c-a', 'c-b'])).map(({ id, revision }) => [id, revision]), [['c-a', 1], ['c-b', 1]])
})

test('who comes after a transaction that waits for long does not wait for its end', async () => {
  const first = Promise.withResolvers<void>(), patience = Promise.withResolvers<void>()
  const { store, transactions } = await watched(number => (number === 1 ? first.promise : Promise.resolve()))
  const together = callsTogether(store, () => true, () => patience.promise)
  const waits = make(together({ names: ['a'] }), 'a')
  await until(() => transactions.length === 1)
  const next = make(together({ names: ['b'] }), 'b')
  patience.resolve()
  assert.equal(await next, 'c-b')
  first.resolve()
  assert.equal(await waits, 'c-a')
})

test('while the order of calls matters each is written by itself', async () => {
  const { store, transactions } = await watched()
  const together = callsTogether(store, () => false, NEVER)
  await Promise.all(['a', 'b'].map(name => make(together({ names: [name] }), name)))
  assert.deepEqual(transactions, [['a'], ['b']])
})
