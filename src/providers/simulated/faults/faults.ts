import type { FaultOrder, FaultTarget, RegionFaults } from '#ports/region-world.ts'
import type { World } from '../world/world.ts'
import { callKind, PORT_CALLS } from './calls.ts'
import { complaint, whyUnfit } from './complaint.ts'
import { concerns, isActive, isInTime, timesOf, type Fault } from './fault.ts'

/** Of an event that ends a fault, and not only the hold of one thing. */
const END = 'end'
/** More than so many things that one fault holds are not counted one by one. */
const MOST_AFFECTED = 1_000

/** The faults of a region: data, kept with its world, asked at each call of a port and at each happening behind it. */
export class Faults implements RegionFaults {
  readonly #world: World
  readonly #table
  readonly #onChange: (() => void)[] = []
  readonly #onLieEnd: ((port: string, call: string, id: string) => void)[] = []

  constructor(world: World) {
    this.#world = world
    this.#table = world.table<Fault>('fault')
    world.on('fault', id => {
      if (id === END) this.#endLies(fault => !isActive(fault, world.now()))
      this.#changed(id === END)
    })
  }

  /** Told when a fault begins, ends or goes, so that what goes on by itself is looked at again. */
  onChange(told: () => void): void {
    this.#onChange.push(told)
  }

  /** Told of each thing about which a look goes on telling the truth again. */
  onLieEnd(told: (port: string, call: string, id: string) => void): void {
    this.#onLieEnd.push(told)
  }

  complaint(order: FaultOrder): ReturnType<RegionFaults['complaint']> {
    return complaint(order, this.#world.now())
  }

  async inject(id: string, order: FaultOrder): Promise<void> {
    const now = this.#world.now()
    this.#table.put(id, { ...order, id, injectedAt: now, hits: 0, passed: 0 })
    this.#schedule(order)
    this.#changed(false)
    await this.#world.settle()
  }

  list(): readonly Fault[] {
    return [...this.#table.values()].toSorted((one, other) => one.injectedAt - other.injectedAt || (one.id < other.id ? -1 : 1))
  }

  /** False if there is none of that id. */
  async clear(id: string): Promise<boolean> {
    this.#endLies(fault => fault.id === id)
    const was = this.#table.delete(id)
    if (was) this.#changed(true)
    await this.#world.settle()
    return was
  }

  async clearAll(): Promise<void> {
    this.#endLies(() => true)
    for (const { id } of this.list()) this.#table.delete(id)
    this.#changed(true)
    await this.#world.settle()
  }

  /** The fault that strikes here and now, counted as a hit; undefined: none does. */
  strike(port: string, call: string, target: FaultTarget): Fault | undefined {
    if (this.#table.size === 0) return undefined
    for (const fault of this.list()) {
      if (!this.#holds(fault, port, call, target)) continue
      fault.passed++
      const strikes = fault.target?.nth === undefined || fault.passed === fault.target.nth
      if (strikes) this.#hit(fault)
      // What falls silent as it starts is held so.
      if (strikes && fault.effect.type === 'silent') affect(fault, target)
      this.#table.put(fault.id, fault)
      if (strikes) return fault
    }
    return undefined
  }

  /** The fault under which something goes on, for as long as it does; not counted by itself. */
  standing(port: string, call: string, target: FaultTarget): Fault | undefined {
    if (this.#table.size === 0) return undefined
    return this.list().find(fault => this.#affects(fault, port, call, target) || this.#holds(fault, port, call, target))
  }

  /** The fault that holds a thing in a state for as long as it stands; each thing is one hit. */
  affecting(port: string, call: string, target: FaultTarget): Fault | undefined {
    if (this.#table.size === 0) return undefined
    for (const fault of this.list()) {
      if (this.#affects(fault, port, call, target)) return fault
      if (!this.#holds(fault, port, call, target) || !this.#isIts(fault, target)) continue
      if (affect(fault, target)) {
        this.#hit(fault)
        this.#table.put(fault.id, fault)
      }
      return fault
    }
    return undefined
  }

  /** A fault that holds this call of this thing since an earlier one, and still does. */
  hanging(port: string, call: string, target: FaultTarget): Fault | undefined {
    if (this.#table.size === 0) return undefined
    const now = this.#world.now()
    return this.list().find(fault => {
      const since = fault.port === port ? this.heldSince(fault, call, target) : undefined
      return since !== undefined && now < Math.min(since + (fault.effect.for ?? Infinity), fault.until ?? Infinity)
    })
  }

  heldSince(fault: Fault, call: string, target: FaultTarget): number | undefined {
    return fault.hangs?.[`${call}/${target.id}`]
  }

  hold(fault: Fault, call: string, target: FaultTarget, since: number): void {
    const key = `${call}/${target.id}`
    if (fault.hangs?.[key] !== undefined) return
    fault.hangs = { ...fault.hangs, [key]: since }
    this.#table.put(fault.id, fault)
    if (fault.effect.for !== undefined) this.#world.schedule('fault', '', since + fault.effect.for)
  }

  /** When a call about the thing of that id was last let go that had been held for a time. For all others it is no news: each new thing that is held would tell those that wait for something else to try again, and make the next one. */
  releasedAt(id: string): number | undefined {
    if (this.#table.size === 0) return undefined
    const now = this.#world.now()
    const ends = [...this.#table.values()].flatMap(({ port, hangs, effect }) => (hangs === undefined || effect.for === undefined ? [] : Object.keys(PORT_CALLS[port] ?? {}).map(call => (hangs[`${call}/${id}`] ?? Infinity) + effect.for!)))
    const over = ends.filter(at => at <= now)
    return over.length === 0 ? undefined : Math.max(...over)
  }

  /** Keeps what a fault remembers. */
  remember(fault: Fault): void {
    this.#table.put(fault.id, fault)
  }

  restore(): void {
    for (const { from, until, usedUpAt, hangs, effect } of this.#table.values()) {
      for (const at of [from, ...effect.for === undefined ? [] : Object.values(hangs ?? {}).map(since => since + effect.for!)]) this.#world.reschedule('fault', '', at)
      for (const at of [until, usedUpAt]) this.#world.reschedule('fault', END, at)
    }
  }

  /** Its last hit ends a fault. That is told as what happens at this instant, after the call that it struck. */
  #hit(fault: Fault): void {
    fault.hits++
    if (fault.hits !== timesOf(fault)) return
    fault.usedUpAt = this.#world.now()
    this.#world.schedule('fault', END, fault.usedUpAt)
  }

  /** It holds that thing already, whatever it has hit since. */
  #affects(fault: Fault, port: string, call: string, { id }: FaultTarget): boolean {
    return fault.port === port && fault.call === call && fault.affects?.[id] === true && isInTime(fault, this.#world.now())
  }

  /** Of those that it could hold: each of them, or the how manieth that comes by; one thing comes by once. */
  #isIts(fault: Fault, { id }: FaultTarget): boolean {
    if (fault.target?.nth === undefined) return true
    if (fault.cameBy?.[id] || fault.passed >= MOST_AFFECTED) return false
    fault.passed++
    if (fault.passed === fault.target.nth) return true
    fault.cameBy = { ...fault.cameBy, [id]: true }
    this.#table.put(fault.id, fault)
    return false
  }

  #holds(fault: Fault, port: string, call: string, target: FaultTarget): boolean {
    if (fault.port !== port || !isActive(fault, this.#world.now())) return false
    const called = fault.call === undefined ? target.onlyNamed !== true && isEvery(fault, port, call) : fault.call === call
    return called && concerns(fault, target) && !this.#wasHeld(fault, call, target)
  }

  /** What it held for its time goes its way. */
  #wasHeld(fault: Fault, call: string, target: FaultTarget): boolean {
    return this.heldSince(fault, call, target) !== undefined
  }

  /** What such faults lied about is told once. */
  #endLies(of: (fault: Fault) => boolean): void {
    for (const fault of this.list()) {
      if (!fault.lies || !of(fault)) continue
      const { lies, ...rest } = fault
      this.#table.put(fault.id, rest)
      for (const [call = '', id = ''] of Object.keys(lies).map(key => key.split(/\/(.*)/s))) for (const told of this.#onLieEnd) told(fault.port, call, id)
    }
  }

  #schedule({ from, until }: FaultOrder): void {
    this.#world.schedule('fault', '', from)
    this.#world.schedule('fault', END, until)
  }

  /** Where one begins nothing that was tried in vain can succeed, and trying at once would only use it up. */
  #changed(isEnd: boolean): void {
    for (const told of this.#onChange) told()
    if (isEnd) this.#world.turn()
    else this.#world.tell({ kind: 'Turn' })
  }
}

/** False where it holds too many for one more to be noted. */
function affect(fault: Fault, { id }: FaultTarget): boolean {
  if (Object.keys(fault.affects ?? {}).length >= MOST_AFFECTED) return false
  fault.affects = { ...fault.affects, [id]: true }
  return true
}

/** Without a call a fault is at every call of the port at which its effect has a meaning, but at nothing that happens by itself. */
function isEvery({ effect }: FaultOrder, port: string, call: string): boolean {
  const kind = callKind(port, call)
  return kind === undefined || (kind !== 'happening' && whyUnfit(effect.type, kind, `${port} ${call}`) === undefined)
}
