import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'

import type { Clock } from '#ports/clock.ts'

/** Real time, for tests of what runs in real time. */
export const systemTime: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    await delay(ms, undefined, signal ? { signal } : {})
  },
}

/** Waits for a fact; fails when it has not come true in time. */
export async function until(holds: () => boolean | Promise<boolean>, withinMs = 10_000): Promise<void> {
  const patience = Date.now() + withinMs
  while (!(await holds())) {
    assert.ok(Date.now() < patience, `waited ${withinMs} ms in vain for: ${holds.toString()}`)
    await delay(5)
  }
}
