import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryWorldStore } from '#providers/simulated/store/memory-world-store.ts'
import { ANY_CLUSTER } from '#test/harness/fresh-regions.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { SimulatedServer } from '#test/harness/simulated-server.ts'

test('a call that began in a region is refused when that was deleted, and writes nothing into one that was made again under its name', async () => {
  const store = new MemoryStore(() => Date.now()), begun = Promise.withResolvers<void>(), made = Promise.withResolvers<void>()
  let holds = false
  const slow = new Proxy(store, {
    get(target, name) {
      const own: unknown = Reflect.get(target, name, target)
      if (typeof own !== 'function') return own
      return async (...given: unknown[]): Promise<unknown> => {
        if (name === 'write' && holds) {
          holds = false
          begun.resolve()
          await made.promise
        }
        return own.apply(target, given) as unknown
      }
    },
  })
  const server = await SimulatedServer.open({ store: slow, queue: store.queue, worldStore: new MemoryWorldStore() })
  try {
    const region = { Region: 'ci-1', Seed: 7, Paused: true }
    await server.done('CreateRegion', region)
    holds = true
    const late = server.call('CreateCluster', ANY_CLUSTER, 'ci-1')
    await begun.promise
    await server.done('DeleteRegion', { Region: 'ci-1' })
    await server.done('CreateRegion', region)
    made.resolve()
    const { code, message } = await late
    assert.deepEqual([code, message], ['OperationDenied.RegionNotReady', 'The region ci-1 takes no such order now: it is being deleted.'])
    assert.equal((await server.done('ListClusters', {}, 'ci-1')).TotalCount, 0)
    assert.equal(typeof (await server.done('CreateCluster', ANY_CLUSTER, 'ci-1')).Id, 'string')
  } finally {
    await server.close()
  }
})
