/** The work of a region that is run in order; over three hundred lines, as each test needs the same queue, clock and events that are scripted. */
import assert from 'node:assert/strict'
import { afterEach, describe, test } from 'node:test'

import type { Controller } from '#ports/controller.ts'
import type { Log } from '#ports/log.ts'
import type { RegionChange, RegionEvents } from '#ports/region-events.ts'
import { StaleRevision, StoreUnavailable, type WorkKey } from '#ports/store.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { systemTime } from '#test/harness/waiting.ts'
import { retryAfter, runOrderedWorker, type OrderedWorker } from './ordered-worker.ts'
import { RegionClock } from './region-clock.ts'
import { Turns } from './turns.ts'

const REGION = 'sim-9'
const NOON = Date.UTC(2026, 11, 1, 12)
const SECOND = 1_000, DAY = 86_400_000
const PATIENCE_MS = 10_000
const LOG: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => LOG }

/** What happens by itself: a list of instants, each with the key that it wakes. */
class FakeEvents implements RegionEvents {
  readonly coming: { at: number; id: string }[] = []
  readonly heardOf: string[] = []
  #given: string[] = []
  nextAt(): number | undefined {
    return this.coming.length === 0 ? undefined : Math.min(...this.coming.map(event => event.at))
  }

  async liveUntil(at: number): Promise<readonly RegionChange[]> {
    const happened = this.coming.filter(event => event.at <= at).sort((one, other) => one.at - other.at)
    for (const event of happened) this.coming.splice(this.coming.indexOf(event), 1)
    this.#given.push(...happened.map(({ id }) => id))
    return happened.map(({ id }) => ({ kind: 'ControlPlane', clusterId: id }))
  }

  heard(): void { this.heardOf.push(...this.#given.splice(0)) }

  async everything(): Promise<readonly RegionChange[]> { return [] }
}

describe('a region that is run in order', () => {
  const ends: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const end of ends.splice(0)) await end()
  })

  /** `passes` tells each run as `kind/id @ milliseconds after noon`, by the time that it decides by. */
  async function open(reconcile: (kind: string, id: string, now: number) => Promise<{ lookAgainAt?: number | undefined }>, { telling, turns, ...setting }: { paused?: boolean; speed?: number; telling?: (id: string) => void; turns?: Turns } = {}, fails = false) {
    const store = new MemoryStore(() => Date.now())
    await store.write(NOON, tx => tx.putRegion({ region: REGION, kind: 'Simulated', ready: true, text: '', settings: {} }))
    const clock = new RegionClock(systemTime, { paused: true, speed: 1, at: NOON, ...setting })
    const events = new FakeEvents()
    const passes: string[] = []
    const controllerOf = (kind: Controller['kind']): Controller => ({
      kind,
      async reconcile(id) {
        const now = clock.passTime(), shown = clock.now()
        // What fails here is tried again, so that it is told, too.
        const isOfItsTime = now <= shown && shown <= now + SECOND * (clock.paused ? 0 : 1)
        passes.push(`${kind}/${id} @ ${now - NOON}${isOfItsTime ? '' : ` where the clock shows ${shown - NOON}`}`)
        const answer = await reconcile(kind, id, now)
        assert.deepEqual([clock.passTime(), clock.now()], [now, shown], 'time stands still while a pass runs')
        return answer
      },
    })
    const stop = new AbortController()
    const lease = await store.queue.register({ name: 'server', hosts: [], ttlMs: 60_000 })
    const worker: OrderedWorker = runOrderedWorker({
      region: REGION, queue: store.queue, lease, clock, realClock: systemTime, controllers: [controllerOf('cluster'), controllerOf('node')], events, log: LOG, ...turns && { turns },
      tell: async changes => {
        for (const change of changes) {
          if (change.kind !== 'ControlPlane') continue
          telling?.(change.clusterId)
          await store.queue.enqueue({ kind: 'cluster', id: change.clusterId, region: REGION })
        }
      },
    }, stop.signal)
    ends.push(async () => {
      stop.abort()
      if (!fails) await worker.ended
    })
    const enqueue = (key: WorkKey, dueAt?: number) => store.write(clock.now(), tx => tx.enqueue({ ...key, region: REGION }, dueAt))
    const settled = async () => assert.ok(await worker.settled(PATIENCE_MS), 'it did not come to rest')
    return { store, clock, events, passes, worker, enqueue, settled }
  }

  test('keys run by due time, kind and id, each at its due time', async () => {
    const { clock, passes, enqueue, settled } = await open(async () => ({}))
    await enqueue({ kind: 'node', id: 'a' }, NOON + SECOND)
    await enqueue({ kind: 'cluster', id: 'b' }, NOON + SECOND)
    await enqueue({ kind: 'cluster', id: 'a' }, NOON + SECOND)
    await enqueue({ kind: 'cluster', id: 'z' }, NOON + SECOND - 1)
    await enqueue({ kind: 'cluster', id: 'late' }, NOON + 3 * SECOND)
    clock.set({ step: 2 * SECOND })
    await settled()
    assert.deepEqual(passes, ['cluster/z @ 999', 'cluster/a @ 1000', 'cluster/b @ 1000', 'node/a @ 1000'])
    assert.equal(clock.now(), NOON + 2 * SECOND)
  })

  test('a call has its turn while the region waits for the store', async () => {
    // Nothing but the end of a turn lets a call begin.
    const turns = new Turns({ ...systemTime, sleep: () => new Promise(() => undefined) }), began = Promise.withResolvers<void>()
    let isAway = true
    const { passes, enqueue, settled } = await open(async () => {
      began.resolve()
      if (isAway) throw new StoreUnavailable('away')
      return {}
    }, { turns })
    await enqueue({ kind: 'node', id: 'a' })
    await began.promise
    await turns.call(async () => { isAway = false })
    await settled()
    assert.ok(passes.length > 1)
  })

  test('a call that waits while many keys are due has its turn between two of them, and all of them are run while calls come all the time', async () => {
    const turns = new Turns({ ...systemTime, sleep: () => new Promise(() => undefined) }), calls: Promise<void>[] = [], story: string[] = []
    const { clock, enqueue, settled } = await open(async (_kind, id) => {
      story.push(id)
      calls.push(turns.call(async () => { story.push(`call of ${id}`) }))
      return {}
    }, { turns })
    for (const id of ['a', 'b', 'c']) await enqueue({ kind: 'node', id }, NOON + SECOND)
    await enqueue({ kind: 'node', id: 'later' }, NOON + 2 * SECOND)
    clock.set({ step: 2 * SECOND })
    await settled()
    await Promise.all(calls)
    assert.deepEqual(story, ['a', 'b', 'c', 'later'].flatMap(id => [id, `call of ${id}`]))
  })

  test('an event of the region comes at its instant, after what is due at that instant', async () => {
    const { clock, events, passes, enqueue, settled } = await open(async () => ({}))
    events.coming.push({ at: NOON + 700, id: 'woken' }, { at: NOON + 500, id: 'first' })
    await enqueue({ kind: 'node', id: 'due' }, NOON + 700)
    clock.set({ step: SECOND })
    await settled()
    assert.deepEqual(passes, ['cluster/first @ 500', 'node/due @ 700', 'cluster/woken @ 700'])
  })

  test('what happened was heard when it is written, also where the store was away, and before any pass', async () => {
    const story: string[] = []
    let away = 2
    const { clock, events, settled } = await open(async (_, id) => {
      story.push(`pass over ${id}, heard: ${events.heardOf.join()}`)
      return {}
    }, {
      telling: id => {
        story.push(`telling ${id}, heard: ${events.heardOf.join()}`)
        if (away-- > 0) throw new StoreUnavailable('away')
      },
    })
    events.coming.push({ at: NOON + 500, id: 'first' }, { at: NOON + 700, id: 'other' })
    clock.set({ step: SECOND })
    await settled()
    assert.deepEqual(story, ['telling first, heard: ', 'telling first, heard: ', 'telling first, heard: ', 'pass over first, heard: first', 'telling other, heard: first', 'pass over other, heard: first,other'])
  })

  test('paused, what is due now runs and the rest waits', async () => {
    const { clock, passes, enqueue, settled } = await open(async (_, __, now) => ({ lookAgainAt: now + 1 }))
    await enqueue({ kind: 'cluster', id: 'a' })
    await settled()
    assert.deepEqual([passes, clock.now()], [['cluster/a @ 0'], NOON])
  })

  test('a running clock waits for the next instant in real time and wakes for what is enqueued', async () => {
    const { clock, passes, enqueue, worker } = await open(async () => ({}), { paused: false, speed: 100 })
    await enqueue({ kind: 'cluster', id: 'later' }, NOON + 30 * SECOND)
    await enqueue({ kind: 'cluster', id: 'now' })
    const began = Date.now()
    while (passes.length < 2 && Date.now() - began < PATIENCE_MS) await worker.settled(100)
    assert.match(passes[0] ?? '', /^cluster\/now/)
    const at = Number(passes[1]?.split('@ ')[1])
    assert.ok(passes[1]?.startsWith('cluster/later') && at >= 30_000 && at <= 31_000, String(passes[1]))
    assert.ok(Date.now() - began >= 250, 'thirty seconds at speed 100 take three tenths of a second')
    assert.ok(clock.now() >= NOON + 30 * SECOND)
  })

  test('a running clock that is behind does what falls within a moment together, none of it early or more than a second late, and after what happened until then', async () => {
    const { clock, events, passes, enqueue, worker } = await open(async (_, id) => {
      if (id === 'woken') assert.deepEqual(events.heardOf, ['woken'])
      if (id !== 'slow') return {}
      clock.set({ paused: false })
      await systemTime.sleep(50)
      return {}
    }, { paused: true, speed: 1_000 })
    await enqueue({ kind: 'node', id: 'first' }, NOON + 10 * SECOND)
    await enqueue({ kind: 'cluster', id: 'woken' }, NOON + 10 * SECOND + 500)
    await enqueue({ kind: 'node', id: 'apart' }, NOON + 13 * SECOND)
    events.coming.push({ at: NOON + 10 * SECOND + 700, id: 'woken' })
    await enqueue({ kind: 'cluster', id: 'slow' })
    const began = Date.now()
    while (passes.length < 4 && Date.now() - began < PATIENCE_MS) await worker.settled(100)
    assert.deepEqual(passes.toSorted(), ['cluster/slow @ 0', 'cluster/woken @ 11000', 'node/apart @ 13000', 'node/first @ 10000'])
  })

  test('however long a running clock rested, passes decide by what it shows when they are woken', async () => {
    const { clock, passes, enqueue, worker } = await open(async () => ({}), { paused: false, speed: 1_000 })
    const began = Date.now()
    await clock.sleep(100 * SECOND)
    const rested = clock.now() - NOON
    await enqueue({ kind: 'cluster', id: 'asked' })
    while (passes.length < 1 && Date.now() - began < PATIENCE_MS) await worker.settled(100)
    const at = Number(passes[0]?.split('@ ')[1])
    assert.ok(at >= rested, `${at} after a rest until ${rested}`)
  })

  test('where the clock runs, passes and what happened meanwhile do not wait for each other', async () => {
    const told = Promise.withResolvers<void>()
    const { clock, events, passes, enqueue, worker } = await open(async (_, id) => {
      if (id === 'slow') {
        clock.set({ paused: false })
        await systemTime.sleep(50)
      }
      if (id === 'long') await Promise.race([told.promise, systemTime.sleep(PATIENCE_MS)])
      return {}
    }, { paused: true, speed: 1_000, telling: () => told.resolve() })
    await enqueue({ kind: 'node', id: 'long' }, NOON + 10 * SECOND)
    events.coming.push({ at: NOON + 10 * SECOND + 700, id: 'woken' })
    await enqueue({ kind: 'cluster', id: 'slow' })
    const began = Date.now()
    while (passes.length < 3 && Date.now() - began < PATIENCE_MS) await worker.settled(100)
    assert.deepEqual(passes, ['cluster/slow @ 0', 'node/long @ 10000', 'cluster/woken @ 11000'])
    assert.ok(Date.now() - began < PATIENCE_MS)
  })

  test('what happened at the instant of a pause is told before the first pass after it', async () => {
    let away = 1
    const heardBefore: string[] = []
    const { clock, events, enqueue, worker } = await open(async (_, id) => {
      heardBefore.push(`${id} after ${events.heardOf.join() || 'nothing'}`)
      if (id !== 'paused') return {}
      await enqueue({ kind: 'node', id: 'running' })
      clock.set({ paused: false })
      return {}
    }, { telling: () => { if (away-- > 0) throw new StoreUnavailable('away') } })
    events.coming.push({ at: NOON + SECOND, id: 'happened' })
    await enqueue({ kind: 'node', id: 'paused' }, NOON + SECOND)
    clock.set({ step: SECOND })
    const began = Date.now()
    while (heardBefore.length < 3 && Date.now() - began < PATIENCE_MS) await worker.settled(100)
    assert.deepEqual(heardBefore.toSorted(), ['happened after happened', 'paused after nothing', 'running after happened'])
  })

  test('a region whose ends cannot be written is given up, and whoever runs it hears that', async () => {
    const { store, enqueue, worker, passes } = await open(async () => ({}), {}, true)
    store.queue.completeMany = async () => { throw new Error('no') }
    await enqueue({ kind: 'cluster', id: 'x' })
    await assert.rejects(worker.ended, /no/)
    assert.equal(passes.length, 1)
  })

  test('what is due is done, and time goes on, though the region has something to tell at every look', async () => {
    const { clock, events, passes, enqueue } = await open(async () => ({}), { paused: false, speed: 1 })
    let looks = 0
    events.liveUntil = async () => {
      await systemTime.sleep(5)
      return [{ kind: 'ControlPlane', clusterId: `c${looks++ % 3}` }]
    }
    await enqueue({ kind: 'node', id: 'now' })
    await enqueue({ kind: 'node', id: 'later' }, NOON + SECOND)
    const began = Date.now()
    while (!passes.some(pass => pass.startsWith('node/later')) && Date.now() - began < PATIENCE_MS) await systemTime.sleep(20)
    const [now, later] = ['now', 'later'].map(id => Number(passes.find(pass => pass.startsWith(`node/${id}`))?.split('@ ')[1]))
    assert.ok(now !== undefined && now < SECOND, `now @ ${now}`)
    assert.ok(later !== undefined && later >= SECOND && later <= 3 * SECOND, `later @ ${later}`)
    assert.ok(Date.now() - began <= clock.now() - NOON + 2 * SECOND, 'its clock is not far behind')
  })

  test('ten years over what is idle cost what happens in them, and nothing else', async () => {
    const { clock, events, passes, settled } = await open(async () => ({}))
    for (let number = 0; number < 10; number++) events.coming.push({ at: NOON + number * 300 * DAY, id: `cluster-${number}` })
    const began = Date.now()
    clock.set({ step: 3_652 * DAY })
    await settled()
    assert.deepEqual([passes.length, clock.now()], [10, NOON + 3_652 * DAY])
    assert.ok(Date.now() - began < 5_000)
  })

  test('a pass that fails is tried again in the region\'s time, without chance; a stale one at once', async () => {
    const errors: Error[] = [new Error('a'), new StaleRevision('b'), new Error('c')]
    const { clock, passes, enqueue, settled } = await open(async () => {
      const error = errors.shift()
      if (error) throw error
      return {}
    })
    await enqueue({ kind: 'cluster', id: 'x' })
    clock.set({ step: DAY })
    await settled()
    assert.deepEqual(passes, ['cluster/x @ 0', 'cluster/x @ 200', 'cluster/x @ 200', 'cluster/x @ 400'])
  })

  test('a store that is away is waited for in real time, at the same instant', async () => {
    let away = 2
    const { clock, passes, enqueue, settled } = await open(async () => {
      if (away-- > 0) throw new StoreUnavailable('away')
      return {}
    })
    await enqueue({ kind: 'cluster', id: 'x' })
    clock.set({ step: DAY })
    await settled()
    assert.deepEqual(passes, ['cluster/x @ 0', 'cluster/x @ 0', 'cluster/x @ 0'])
  })

  test('what looks again at once for ever does not hold the time of its region', async () => {
    const { clock, passes, enqueue, settled } = await open(async (_, __, now) => ({ lookAgainAt: now }))
    await enqueue({ kind: 'cluster', id: 'x' })
    clock.set({ step: 3 * SECOND })
    await settled()
    assert.ok(passes.length < 1_000)
    assert.equal(clock.now(), NOON + 3 * SECOND)
  })

  test('two that wake each other for ever at one instant do not hold the time of their region, and nothing else is kept from its time', async () => {
    const { store, clock, passes, enqueue, settled } = await open(async (kind, id, now) => {
      const other = kind === 'node' ? 'cluster' : 'node'
      if (id === 'restless') await store.write(now, tx => tx.enqueue({ kind: other, id, region: REGION }))
      return {}
    })
    await enqueue({ kind: 'node', id: 'restless' })
    await enqueue({ kind: 'node', id: 'other' }, NOON + 30_000)
    clock.set({ step: 60_000 })
    await settled()
    assert.ok(passes.includes('node/other @ 30000'))
    const instants = new Set(passes.filter(pass => pass.includes('restless')).map(pass => pass.split('@')[1]))
    assert.ok(instants.size > 1 && instants.size < 20, `they run again, at fewer and fewer instants: ${instants.size}`)
    assert.equal(clock.now(), NOON + 60_000)
  })

  test('what is woken again and again from outside at one instant runs each time, however often', async () => {
    const { passes, enqueue, settled } = await open(async () => ({}))
    const times = 2_100
    for (let time = 1; time <= times; time++) {
      await enqueue({ kind: 'node', id: 'busy' })
      await settled()
      assert.equal(passes.length, time)
    }
  })

  test('a part of a millisecond does not let a pass look too early', async () => {
    const { clock, passes, enqueue, settled } = await open(async (_, __, now) => (now < NOON + 10.5 ? { lookAgainAt: NOON + 10.5 } : {}))
    await enqueue({ kind: 'cluster', id: 'x' })
    clock.set({ step: SECOND })
    await settled()
    assert.deepEqual(passes, ['cluster/x @ 0', 'cluster/x @ 11'])
  })

  test('whoever waits for a step hears when it is behind', async () => {
    const { clock, enqueue, worker, settled } = await open(async () => {
      await systemTime.sleep(100)
      return {}
    })
    await enqueue({ kind: 'cluster', id: 'slow' }, NOON + 1)
    clock.set({ step: SECOND })
    assert.equal(await worker.settled(10), false)
    await settled()
    assert.equal(clock.now(), NOON + SECOND)
  })

  test('one that fails for long is tried ever more seldom', () => {
    assert.deepEqual([1, 2, 9, 48, 49, 55, 56].map(retryAfter), [200, 400, 30_000, 30_000, 60_000, 3_600_000, 4_050_000])
    const hour = 3_600_000
    let at = 0, tries = 0
    while (at < 10 * 365 * 24 * hour) at += retryAfter(++tries)
    assert.ok(tries < 200, String(tries))
    assert.ok(Number.isSafeInteger(retryAfter(1_000_000)))
  })
})
