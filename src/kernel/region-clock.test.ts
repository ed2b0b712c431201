import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import type { Clock } from '#ports/clock.ts'
import { END_OF_TIME, RegionClock } from './region-clock.ts'

const NOON = Date.UTC(2026, 11, 1, 12)

/** Real time that a test moves. */
class Real implements Clock {
  at = 1_000
  now(): number { return this.at }
  async sleep(): Promise<void> {}
}

function clockOf(setting: Partial<{ paused: boolean; speed: number; steppedTo: number }> = {}) {
  const real = new Real()
  return { real, clock: new RegionClock(real, { paused: false, speed: 1, at: NOON, ...setting }) }
}

describe('the clock of a region', () => {
  test('stands still while there is work, and follows its target while there is none, up to what is due', () => {
    const { real, clock } = clockOf({ speed: 60 })
    real.at += 1_000
    assert.deepEqual([clock.now(), clock.target()], [NOON, NOON + 60_000])
    clock.rest(NOON + 30_000)
    assert.equal(clock.now(), NOON + 30_000)
    clock.hold()
    clock.rest(END_OF_TIME)
    assert.equal(clock.now(), NOON + 60_000)
  })

  test('never goes back, whatever is set', () => {
    const { real, clock } = clockOf({ speed: 10 })
    clock.rest(END_OF_TIME)
    let last = clock.now()
    for (const change of [{ paused: true }, { step: 5_000 }, { paused: false, speed: 1 }, { speed: 1_000 }, { paused: true, step: 0 }]) {
      real.at += 70
      clock.set(change)
      clock.rest(END_OF_TIME)
      assert.ok(clock.now() >= last)
      last = clock.now()
      clock.moveTo(last - 1_000)
      assert.equal(clock.now(), last)
    }
  })

  test('paused it moves by steps alone, and steps add up', () => {
    const { real, clock } = clockOf({ paused: true })
    clock.rest(END_OF_TIME)
    real.at += 1_000_000
    assert.deepEqual([clock.now(), clock.msUntil(NOON + 1)], [NOON, Number.POSITIVE_INFINITY])
    clock.set({ step: 100 })
    clock.set({ step: 20 })
    assert.deepEqual([clock.now(), clock.target()], [NOON, NOON + 120])
    clock.rest(END_OF_TIME)
    assert.equal(clock.now(), NOON + 120)
  })

  test('whoever pauses a clock that is behind leaves it where it is', () => {
    const { real, clock } = clockOf()
    real.at += 10_000
    clock.set({ paused: true })
    assert.deepEqual([clock.now(), clock.target()], [NOON, NOON])
  })

  test('a setting that was kept goes on where it was, with the step that was under way', () => {
    const { clock } = clockOf({ paused: true })
    clock.set({ step: 500 })
    const { real, clock: next } = clockOf(clock.setting())
    real.at += 1_000
    assert.deepEqual([next.now(), next.target()], [NOON, NOON + 500])
  })

  test('a follower shows what the clock it follows shows', () => {
    const { real, clock } = clockOf({ speed: 3 })
    clock.rest(END_OF_TIME)
    const follower = RegionClock.following(real, clock.setting())
    real.at += 777
    assert.equal(follower.now(), clock.now())
  })

  test('time ends with the year 2099', () => {
    const { real, clock } = clockOf({ speed: 1e9 })
    real.at += 1e9
    assert.equal(clock.target(), END_OF_TIME)
    clock.set({ step: 1e15 })
    assert.equal(clock.target(), END_OF_TIME)
  })

  test('real time until an instant is counted from the target and the speed', () => {
    const { clock } = clockOf({ speed: 60 })
    assert.equal(clock.msUntil(NOON + 60_000), 1_000)
    assert.equal(clock.msUntil(NOON), 0)
  })
})
