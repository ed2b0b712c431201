import { MachineRefused, type MachineOrder, type Machines, type MachineSeen } from '#ports/machines.ts'
import type { SteppedClock } from '../stepped-clock.ts'

/** Machines in memory: a power state, a link, a machine-id. */
export class MemoryMachines implements Machines {
  readonly made = new Map<string, MachineSeen>()
  readonly firstBoots = new Map<string, string>()
  /** How many more machines are in stock; more than there are by default. */
  stock = Number.POSITIVE_INFINITY
  /** How often `stock` was set by somebody. */
  supplied = 0
  /** Beginnings of names of machines that are not to be had. */
  readonly soldOut = new Set<string>()
  /** Thrown whenever a machine is to be made. */
  makingFails: Error | undefined
  /** Thrown after a machine was made. */
  halfMade: Error | undefined
  /** Machines that cannot be removed, and why. */
  readonly held = new Map<string, Error>()
  readonly #clock: SteppedClock
  readonly #watchers = new Set<(seen: MachineSeen) => void>()

  constructor(clock: SteppedClock) {
    this.#clock = clock
  }

  async ensure({ id, name, power, link, firstBoot, nodePoolId = this.made.get(id)?.nodePoolId }: MachineOrder): Promise<MachineSeen> {
    const before = this.made.get(id)
    if (!before) {
      if (this.makingFails) throw this.makingFails
      if (this.stock <= 0 || [...this.soldOut].some(beginning => name.startsWith(beginning))) throw new MachineRefused('StockOut', `RunInstances: ${name} is sold out`)
      this.stock -= 1
      if (firstBoot !== undefined) this.firstBoots.set(id, firstBoot)
    }
    const now = this.#clock.now()
    const turned = before?.power !== power
    const lastOnAt = power === 'on' && turned ? now : before?.lastOnAt
    const seen: MachineSeen = { id, power, link, powerSince: turned ? now : before?.powerSince ?? now, machineId: `machine-id-of-${id}`, ...(lastOnAt !== undefined && { lastOnAt }), ...(nodePoolId !== undefined && { nodePoolId }) }
    this.made.set(id, seen)
    if (!before && this.halfMade) throw this.halfMade
    if (turned || before?.link !== link) this.#tell(seen)
    return seen
  }

  async crash(id: string): Promise<void> {
    const before = this.made.get(id)
    if (!before) return
    const seen: MachineSeen = { ...before, power: 'off', powerSince: this.#clock.now() }
    this.made.set(id, seen)
    this.#tell(seen)
  }

  async look(id: string): Promise<MachineSeen | undefined> { return this.made.get(id) }

  async watch(onChange: (seen: MachineSeen) => void, signal: AbortSignal): Promise<void> {
    this.#watchers.add(onChange)
    for (const seen of this.made.values()) onChange(seen)
    await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
    this.#watchers.delete(onChange)
  }

  async ensureGone(id: string): Promise<void> {
    const why = this.held.get(id)
    if (why) throw why
    if (this.made.delete(id)) this.stock += 1
  }

  async supply(): Promise<string> { return String(this.supplied) }

  async exec(): Promise<{ exitCode: number; output: string }> { return { exitCode: 0, output: '' } }

  #tell(seen: MachineSeen): void {
    for (const tell of this.#watchers) tell(seen)
  }
}
