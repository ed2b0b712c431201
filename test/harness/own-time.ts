import type { WaitingTime } from '#client/waiting-time.ts'

/** Time that passes only where somebody waits; others have their turn meanwhile. */
export class OwnTime implements WaitingTime {
  at = 0
  now(): number {
    return this.at
  }
  async sleep(ms: number): Promise<void> {
    this.at += ms
    await new Promise(resolve => setImmediate(resolve))
  }
}
