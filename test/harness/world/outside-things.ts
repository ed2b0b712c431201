import { OutsideHeld, type OutsideOrder, type OutsideRefused, type OutsideResources, type OutsideSeen } from '#ports/outside.ts'
import type { SteppedClock } from '../stepped-clock.ts'

/** From the order to the thing. */
const MADE_AFTER_MS = 1_000

/** Load balancers and the like, in memory; made by the clock, and protected by whoever says so. */
export class MemoryOutside implements OutsideResources {
  readonly made = new Map<string, { order: OutsideOrder; readyAt: number; deleteProtected: boolean }>()
  refuses: OutsideRefused | undefined
  /** Making ends with this. */
  makes: Error | undefined
  /** Removing ends with this until it is taken away. */
  breaks: Error | undefined
  /** Removing says that it did, and did not. */
  lies = false
  /** Removing these is refused, and no look shows it. */
  readonly holds = new Set<string>()
  readonly #clock: SteppedClock

  constructor(clock: SteppedClock) {
    this.#clock = clock
  }

  async ensure(order: OutsideOrder): Promise<OutsideSeen> {
    if (!this.made.has(order.token)) {
      if (this.refuses) throw this.refuses
      if (this.makes) throw this.makes
      this.made.set(order.token, { order, readyAt: this.#clock.now() + MADE_AFTER_MS, deleteProtected: false })
    }
    return (await this.look(order.token))!
  }

  async look(token: string): Promise<OutsideSeen | undefined> {
    const thing = this.made.get(token)
    return thing && { providerId: `outside-${token}`, state: thing.readyAt <= this.#clock.now() ? 'ready' : 'making', deleteProtected: thing.deleteProtected }
  }

  async ensureGone(token: string): Promise<void> {
    if (this.breaks) throw this.breaks
    if (this.made.get(token)?.deleteProtected || this.holds.has(token)) throw new OutsideHeld(`outside-${token} has deletion protection, and DeleteLoadBalancer refused`)
    if (!this.lies) this.made.delete(token)
  }
}
