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

/** What that comes to; fails where it comes to nothing in time, so that a bell that never rings holds up no run. `what`: as in "waited in vain for". */
export async function inTime<Value>(promised: Promise<Value>, what: string, withinMs = 10_000): Promise<Value> {
  const isOver = new AbortController()
  const inVain = async () => {
    await delay(withinMs, undefined, { signal: isOver.signal })
    return assert.fail(`waited ${withinMs} ms in vain for ${what}`)
  }
  try {
    return await Promise.race([promised, inVain()])
  } finally {
    isOver.abort()
  }
}
