import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClockSetting } from '#kernel/region-clock.ts'
import type { Components } from '#ports/components.ts'
import { SimulatedRegionFace, type OpenRegion } from './face.ts'

const NOON = Date.UTC(2026, 0, 5, 12), HERE = 'http://127.0.0.1:7420'

function face(clock: Omit<ClockSetting, 'since'>, servedAt = HERE): SimulatedRegionFace {
  const settings = { seed: 1, lane: 0, opened: 1, servedAt, clock: { ...clock, since: Date.now() - 3_600_000 } }
  return new SimulatedRegionFace(settings, { components: {} as Components, bootstrapLine: (at, token) => `${at} ${token}`, endpoint: () => HERE, lookAtFaults: async () => {} })
}

test('while nobody runs a region its clock stands still, and a step that was not done is still to be done', () => {
  assert.deepEqual(face({ paused: true, speed: 1, at: NOON, steppedTo: NOON + 60_000 }).clock.read(), { now: NOON, speed: 1, paused: true, behindMs: 60_000 })
  const running = face({ paused: false, speed: 60, at: NOON })
  assert.deepEqual([running.clock.read(), running.now()], [{ now: NOON, speed: 60, paused: false }, NOON])
})

test('reads wait while faults stand that nobody counts: until it is known that none does, or the region is open here', async () => {
  const region = face({ paused: true, speed: 1, at: NOON }, 'http://127.0.0.1:7421')
  assert.match(region.refusesReads() ?? '', /faults of our own answers stand/, 'some may, as long as nobody has looked')
  const judged = region.untilJudged()
  region.judgeReads(false)
  await judged
  assert.equal(region.refusesReads(), undefined)

  region.judgeReads(true)
  const opened = region.untilJudged()
  const standing: { port: string }[] = [{ port: 'api' }]
  region.open({ clock: { now: () => NOON }, world: { faults: { list: () => standing } } } as unknown as OpenRegion)
  await opened
  assert.equal(region.refusesReads(), undefined)

  region.close()
  assert.notEqual(region.refusesReads(), undefined, 'what stood in it when it was closed here stands')
  standing.length = 0
  region.open({ clock: { now: () => NOON }, world: { faults: { list: () => standing } } } as unknown as OpenRegion)
  region.close()
  assert.equal(region.refusesReads(), undefined)
})

test('a region that is being opened takes no writes for now, one that goes takes none any more', () => {
  const region = face({ paused: true, speed: 1, at: NOON })
  assert.equal(region.refusesWrites()?.passes, true)
  region.follow({ ...region.settings, deleting: true })
  assert.equal(region.refusesWrites()?.passes, false)
})

test('a region that another server runs shows the clock that runs there', () => {
  const { now } = face({ paused: false, speed: 1, at: NOON }, 'http://127.0.0.1:7421').clock.read()
  assert.ok(now >= NOON + 3_600_000)
})
