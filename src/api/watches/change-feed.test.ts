import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { suite, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Log } from '#ports/log.ts'
import { until } from '#test/harness/waiting.ts'
import { ChangeFeed } from './change-feed.ts'

const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => SILENT }

/** A feed whose store tells by hand, and shows how often and whether it is listened to. */
function openFeed() {
  const listened = { begun: 0, now: 0, ring: () => {} }
  const feed = new ChangeFeed({
    changesAfter: async () => ({ changes: [], upTo: 0, region: undefined }),
    listenToHistory: async (onMoved, signal) => {
      listened.begun += 1
      listened.now += 1
      listened.ring = onMoved
      await new Promise<void>(resolve => { signal.addEventListener('abort', () => { resolve() }, { once: true }) })
      listened.now -= 1
    },
  }, SILENT, 5_000)
  return { feed, listened }
}

suite('the feed of changes', () => {
  test('who waits is woken by the next ring, also by one that came before they waited, and leaves nothing at their signal', async () => {
    const { feed, listened } = openFeed(), { signal } = new AbortController()
    feed.join()
    const { rings } = feed, both = Promise.all([feed.rungAfter(rings, signal), feed.rungAfter(rings, signal)])
    listened.ring()
    await both
    await feed.rungAfter(rings, signal)
    assert.equal(getEventListeners(signal, 'abort').length, 0)
  })

  test('of those who come and go nothing stays while it does not ring', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void, { feed } = openFeed()
    feed.join()
    const comeAndGo = async () => {
      const ended = new AbortController(), waits = feed.rungAfter(feed.rings, ended.signal)
      ended.abort()
      await waits
      return new WeakRef(ended.signal)
    }
    const gone = await Promise.all(Array.from({ length: 100 }, comeAndGo))
    await until(() => {
      collect()
      return gone.every(signal => signal.deref() === undefined)
    }, 3_000)
  })

  test('readers that come and go are listened for once; some seconds after the last one, and at once when it is closed, that ends', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { feed, listened } = openFeed(), seconds = async (number: number) => {
      t.mock.timers.tick(number * 1_000)
      await Promise.resolve()
    }
    for (let reader = 0; reader < 10; reader++) {
      feed.join()()
      await seconds(4)
    }
    assert.deepEqual([listened.begun, listened.now], [1, 1])
    const leave = feed.join()
    await seconds(60)
    assert.deepEqual([listened.begun, listened.now], [1, 1], 'while somebody watches it stays')
    leave()
    await seconds(6)
    assert.equal(listened.now, 0)
    const last = feed.join()
    assert.deepEqual([listened.begun, listened.now], [2, 1])
    feed.close()
    last()
    await seconds(0)
    assert.equal(listened.now, 0)
  })
})
