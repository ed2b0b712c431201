import type { MachineOrder, Machines, MachineSeen } from '#ports/machines.ts'
import type { SteppedClock } from '../stepped-clock.ts'

/** Machines in memory: a power state, a link, a machine-id. */
export class MemoryMachines implements Machines {
  readonly made = new Map<string, MachineSeen>()
  readonly #clock: SteppedClock
  readonly #watchers = new Set<(seen: MachineSeen) => void>()

  constructor(clock: SteppedClock) {
    this.#clock = clock
  }

  async ensure({ id, power, link }: MachineOrder): Promise<MachineSeen> {
    const before = this.made.get(id)
    const now = this.#clock.now()
    const turned = before?.power !== power
    const lastOnAt = power === 'on' && turned ? now : before?.lastOnAt
    const seen: MachineSeen = { id, power, link, powerSince: turned ? now : before?.powerSince ?? now, machineId: `machine-id-of-${id}`, ...(lastOnAt !== undefined && { lastOnAt }) }
    this.made.set(id, seen)
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

  async ensureGone(id: string): Promise<void> { this.made.delete(id) }
  async exec(): Promise<{ exitCode: number; output: string }> { return { exitCode: 0, output: '' } }

  #tell(seen: MachineSeen): void {
    for (const tell of this.#watchers) tell(seen)
  }
}
