/** A server that stands still for so long, as one that is stopped by SIGSTOP does, that another one takes over what it ran; then it goes on. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Log } from '#ports/log.ts'
import { storeWith } from '#ports/store-with.ts'
import { MemoryWorldStore } from '#providers/simulated/store/memory-world-store.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { SimulatedServer } from '#test/harness/simulated-server.ts'
import { until } from '#test/harness/waiting.ts'

const NAME = 'node-failed-not-ready', REGION = `${NAME}-1`, BODY = { Name: NAME, Seed: 5, ClientToken: 'once' }
const ROW = { Kind: 'Node', Phase: 'Failed', Condition: 'NotReady' }
const quiet = () => {}
const LOG: Log = { debug: quiet, info: quiet, warn: quiet, error: quiet, child: () => LOG }

/** Of a process that may stand still: what it then asks for is done when it goes on. */
class Standing {
  #still: PromiseWithResolvers<void> | undefined

  begin(): void {
    this.#still ??= Promise.withResolvers()
  }

  end(): void {
    this.#still?.resolve()
    this.#still = undefined
  }

  port<Port extends object>(port: Port): Port {
    return new Proxy(port, {
      get: (target, name) => {
        const found: unknown = Reflect.get(target, name, target)
        if (typeof found !== 'function') return found
        return (...given: unknown[]): unknown => (this.#still ? this.#still.promise.then((): unknown => found.apply(target, given)) : found.apply(target, given))
      },
    })
  }
}

interface Two {
  readonly one: SimulatedServer
  readonly other: SimulatedServer
  readonly store: MemoryStore
  readonly stopAt: (method: 'write' | 'listHistory', isThen: () => Promise<boolean>) => Promise<void>
  readonly goOn: () => void
}

/** Two servers on one database; the first stands still from such a call of its store on, a write that is done or a look into the history that it begins. */
async function withTwo(work: (two: Two) => Promise<void>): Promise<void> {
  const store = new MemoryStore(() => Date.now()), world = new MemoryWorldStore(), standing = new Standing()
  const stopped = Promise.withResolvers<void>()
  let stops: { readonly method: 'write' | 'listHistory'; readonly isThen: () => Promise<boolean> } | undefined
  const look = async (method: 'write' | 'listHistory'): Promise<void> => {
    if (stops?.method !== method || !await stops.isThen()) return
    stops = undefined
    standing.begin()
    // It is taken for dead.
    store.queue.lapse('one')
    stopped.resolve()
  }
  const watched = storeWith(standing.port(store), () => ({
    write: async (now, change, instants) => {
      const result = await standing.port(store).write(now, change, instants)
      await look('write')
      return result
    },
    listHistory: async (...asked) => {
      await look('listHistory')
      return standing.port(store).listHistory(...asked)
    },
  }))
  const one = await SimulatedServer.open({ store: watched, queue: standing.port(store.queue), worldStore: standing.port(world), name: 'one', log: LOG, listen: true })
  const other = await SimulatedServer.open({ store, queue: store.queue, worldStore: world, name: 'other', log: LOG, listen: true })
  try {
    await work({
      one, other, store, goOn: () => standing.end(),
      stopAt: (method, isThen) => {
        stops = { method, isThen }
        return stopped.promise
      },
    })
  } finally {
    standing.end()
    await Promise.allSettled([one.close(), other.close()]) // one was taken for dead
  }
}

const playOf = async (store: MemoryStore) => (await store.findRegion(REGION))?.settings['play'] as { readonly end?: object } | undefined

/** Until then calls in the region that both are asked in are passed on to the one that stands still. */
async function takesOver({ regions }: SimulatedServer): Promise<void> {
  await regions.look()
  await until(() => regions.faceOf('sim-1')?.elsewhere() === undefined && regions.faceOf('sim-1')?.refusesWrites() === undefined)
}

describe('a call whose server stands still', () => {
  test('and whose scenario another server plays to its end meanwhile is told to be sent again, and its repeat is told the story', async () => {
    await withTwo(async ({ one, other, store, stopAt, goOn }) => {
      const undisturbed = await other.done('RunScenario', BODY)
      const stopped = stopAt('write', async () => await playOf(store) !== undefined)
      const called = one.call('RunScenario', BODY)
      await stopped
      await takesOver(other)
      await until(async () => await store.findRegion(REGION) === undefined)
      goOn()
      const { status, code, message = '' } = await called
      assert.deepEqual([status, code], [503, 'ServiceUnavailable'], message)
      assert.deepEqual(await one.done('RunScenario', BODY), undisturbed)
    })
  })

  test('is told so as well where another scenario got a region under the same name by then', async () => {
    await withTwo(async ({ one, other, store, stopAt, goOn }) => {
      const stopped = stopAt('write', async () => await playOf(store) !== undefined)
      const called = one.call('RunScenario', BODY)
      await stopped
      await takesOver(other)
      await until(async () => await store.findRegion(REGION) === undefined)
      assert.equal((await other.done('RunScenario', { Name: NAME, StopAt: ROW }))['Region'], REGION)
      goOn()
      const { status, code, message = '' } = await called
      assert.deepEqual([status, code], [503, 'ServiceUnavailable'], message)
    })
  })

  test('while it reads the story is told no half of it where the region is gone by then', async () => {
    await withTwo(async ({ one, other, store, stopAt, goOn }) => {
      const stopped = stopAt('listHistory', async () => (await playOf(store))?.end !== undefined)
      const called = one.call('RunScenario', BODY)
      await stopped
      await takesOver(other)
      await until(async () => await store.findRegion(REGION) === undefined)
      goOn()
      const { status, code, message = '' } = await called
      assert.deepEqual([status, code], [503, 'ServiceUnavailable'], message)
    })
  })

  test('and whose region a user deletes meanwhile where it stays for him is told that it was deleted', async () => {
    await withTwo(async ({ one, other, store, stopAt, goOn }) => {
      const stopped = stopAt('write', async () => await playOf(store) !== undefined)
      const called = one.call('RunScenario', { ...BODY, StopAt: ROW })
      await stopped
      await takesOver(other)
      await until(async () => (await playOf(store))?.end !== undefined)
      await other.done('DeleteRegion', { Region: REGION })
      goOn()
      const { code, message = '' } = await called
      assert.equal(code, 'OperationDenied.RegionNotReady')
      assert.match(message, /it was deleted while the scenario was played in it/)
    })
  })
})
