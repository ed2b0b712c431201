import assert from 'node:assert/strict'
import { afterEach, describe, test } from 'node:test'

import type { Controller } from '#ports/controller.ts'
import type { Log } from '#ports/log.ts'
import type { Queue } from '#ports/queue.ts'
import { StaleRevision, StoreUnavailable } from '#ports/store.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { systemTime, until } from '#test/harness/waiting.ts'
import { keepWatching } from './watching.ts'
import { runWorker, type Worker, type WorkerOptions } from './worker.ts'

const REGION = 'sim-1'
/** A queue some of whose methods are others; the rest is its own. */
const withMethods = (queue: MemoryStore['queue'], methods: Partial<Queue>): Queue =>
  new Proxy(queue, { get: (target, name) => { const own: unknown = Reflect.get(methods, name) ?? Reflect.get(target, name, target); return typeof own === 'function' ? own.bind(target) as unknown : own } })
const key = (id: string) => ({ kind: 'cluster' as const, id, region: REGION })

describe('the worker', () => {
  const workers: Worker[] = []
  afterEach(async () => {
    await Promise.all(workers.splice(0).map(worker => worker.stop()))
  })
  const logged: string[] = []
  const log: Log = { debug() {}, info() {}, warn: (_, text) => void logged.push(text), error: (facts, text) => void logged.push(`${text} ${JSON.stringify(facts)}`), child: () => log }
  const start = (store: MemoryStore, reconcile: Controller['reconcile'], change: Partial<WorkerOptions> = {}) => {
    const worker = runWorker({
      queue: store.queue, clock: systemTime, log, controllers: [{ kind: 'cluster', reconcile }], name: `worker-${workers.length}`, hosts: [], now: () => systemTime.now(), regions: async () => [REGION], ...change,
    })
    workers.push(worker)
    return worker
  }

  test('a key runs when it is enqueued and again when it asked for it', async () => {
    const store = new MemoryStore(() => Date.now())
    const runs: number[] = []
    start(store, async () => {
      runs.push(Date.now())
      return runs.length < 3 ? { lookAgainAt: Date.now() + 60 } : {}
    })
    await store.queue.enqueue(key('a'))
    await until(() => runs.length === 3 && store.waiting().size === 0)
    assert.ok((runs[1] ?? 0) - (runs[0] ?? 0) >= 60, 'not before its time')
  })

  test('one key never runs twice at once, and what came in meanwhile is not lost', async () => {
    const store = new MemoryStore(() => Date.now())
    let running = 0
    let most = 0
    let runs = 0
    const reconcile = async () => {
      running += 1
      most = Math.max(most, running)
      await systemTime.sleep(20)
      running -= 1
      runs += 1
      return {}
    }
    start(store, reconcile)
    start(store, reconcile)
    await store.queue.enqueue(key('a'))
    await until(() => running === 1)
    for (let times = 0; times < 5; times++) await store.queue.enqueue(key('a'))
    await until(() => store.waiting().size === 0)
    assert.deepEqual([most, runs], [1, 2])
  })

  test('as many passes at once as allowed, and no more', async () => {
    const store = new MemoryStore(() => Date.now())
    let running = 0
    let most = 0
    start(store, async () => {
      most = Math.max(most, (running += 1))
      await systemTime.sleep(5)
      running -= 1
      return {}
    }, { concurrency: 4 })
    for (let number = 0; number < 20; number++) await store.queue.enqueue(key(`k${number}`))
    await until(() => store.waiting().size === 0)
    assert.equal(most, 4)
  })

  test('an error is logged once with its cause and tried again; a stale revision is neither', async () => {
    const store = new MemoryStore(() => Date.now())
    logged.length = 0
    const errors = [new StaleRevision('moved on'), new Error('Making the network', { cause: new Error('no route') })]
    let runs = 0
    const outcomes: string[] = []
    start(store, async () => {
      const error = errors[runs++]
      if (error) throw error
      return {}
    }, { meter: { passEnded: (_, outcome) => void outcomes.push(outcome), claimed() {}, running() {} } })
    await store.queue.enqueue(key('a'))
    await until(() => store.waiting().size === 0 && runs === 3)
    assert.deepEqual(outcomes, ['stale', 'failed', 'done'])
    assert.equal(logged.length, 1)
  })

  test('a lost lease stops every pass, and the worker goes on under a new one', async () => {
    const store = new MemoryStore(() => Date.now())
    let stopped = 0
    let runs = 0
    const worker = start(store, async (_, signal) => {
      runs += 1
      if (runs > 1) return {}
      await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
      stopped += 1
      throw new Error('stopped', { cause: signal.reason })
    })
    await store.queue.enqueue(key('a'))
    await until(() => runs === 1)
    const before = worker.lease()
    store.queue.lapse(before?.name ?? '')
    await until(() => runs === 2 && store.waiting().size === 0)
    assert.equal(stopped, 1)
    assert.equal(worker.lease()?.epoch, (before?.epoch ?? 0) + 1)
  })

  test('a key whose end could not be written for a while is not ours for ever', async () => {
    const store = new MemoryStore(() => Date.now())
    let refusals = 5
    const refusing = <Method extends 'complete' | 'fail'>(method: Method) => async (...given: Parameters<MemoryStore['queue'][Method]>) => {
      if (refusals-- > 0) throw new StoreUnavailable('The database is away')
      await (store.queue[method] as (...words: unknown[]) => Promise<void>).apply(store.queue, given)
    }
    const queue = withMethods(store.queue, { complete: refusing('complete'), fail: refusing('fail') })
    let runs = 0
    start(store, async () => { runs += 1; return {} }, { queue })
    await store.queue.enqueue(key('a'))
    await until(() => runs === 1 && store.waiting().size === 0)
    await store.queue.enqueue(key('a'))
    await until(() => runs === 2 && store.waiting().size === 0)
  })

  test('keys of a claim whose answer was lost run under a new epoch', async () => {
    const store = new MemoryStore(() => Date.now())
    let losses = 1
    const queue = withMethods(store.queue, {
      claim: async (...given: Parameters<MemoryStore['queue']['claim']>) => {
        const claimed = await store.queue.claim(...given)
        if (claimed.length > 0 && losses-- > 0) throw new StoreUnavailable('The connection broke after the commit')
        return claimed
      },
    })
    let runs = 0
    start(store, async () => { runs += 1; return {} }, { queue })
    await store.queue.enqueue(key('a'))
    await until(() => runs === 1 && store.waiting().size === 0)
  })

  test('stopping lets passes end, and gives the lease back', async () => {
    const store = new MemoryStore(() => Date.now())
    let ended = false
    let begun = false
    const worker = start(store, async (_, signal) => {
      begun = true
      await systemTime.sleep(100)
      ended = !signal.aborted
      return {}
    })
    await store.queue.enqueue(key('a'))
    await until(() => begun)
    const lease = worker.lease()
    await worker.stop()
    assert.deepEqual([ended, lease?.lost.aborted, store.waiting().size], [true, true, 0])
  })

  test('a watch is kept by one living process; another takes over when it dies', async () => {
    const store = new MemoryStore(() => Date.now())
    const idle = async () => ({})
    const pair = [start(store, idle), start(store, idle)]
    await until(() => pair.every(worker => worker.lease()))
    const done = new AbortController()
    const holders: string[] = []
    let watching = 0
    const kept = pair.map(worker => keepWatching({
      queue: store.queue, clock: systemTime, log, lease: () => worker.lease(), subject: 'machines/local-1',
      watch: async (held, signal) => {
        holders.push(held.lease.name)
        watching += 1
        assert.equal(watching, 1)
        await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
        watching -= 1
      },
    }, done.signal))
    await until(() => holders.length === 1)
    store.queue.lapse(holders[0] ?? '')
    await until(() => holders.length === 2)
    done.abort()
    await Promise.all(kept)
    assert.equal(watching, 0)
  })
})
