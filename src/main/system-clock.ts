import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '#ports/clock.ts'

/** The real clock: local regions run in real time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(ms, signal) {
    await delay(ms, undefined, signal ? { signal } : {})
  },
}
