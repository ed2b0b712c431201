import type { Clock } from '#ports/clock.ts'
import { Wake } from './wake.ts'

/** What of a region's clock is kept between processes. Instants are epoch ms of the region's time, `since` is real time. */
export interface ClockSetting {
  readonly paused: boolean
  /** Region milliseconds a real millisecond. */
  readonly speed: number
  /** What the clock showed at `since`. */
  readonly at: number
  readonly since: number
  /** How far a step goes that had not come to its end. */
  readonly steppedTo?: number
}

/** own-actions.md: a clock is not stepped past the year 2100, and does not run past it either. */
export const END_OF_TIME = Date.UTC(2100, 0, 1)

/**
 * The clock of a region with its own time. It wants to be at its target (where speed or steps have brought it) and is where the work of the region has come to: `now` never goes back and
 * never past something that is due. While nothing is due it follows its target by itself (`rest`); while there is work it stands still (`hold`).
 */
export class RegionClock implements Clock {
  readonly #real: Clock
  readonly #moved = new Wake()
  readonly #set = new Wake()
  #at: number
  #paused: boolean
  #speed: number
  #anchor: { readonly at: number; readonly since: number }
  #steppedTo: number
  /** Up to which all that happened was heard of. */
  #heardUntil: number
  /** Up to where the clock follows its target by itself; undefined: not at all. */
  #restsUntil: number | undefined

  constructor(real: Clock, setting: Omit<ClockSetting, 'since'>) {
    this.#real = real
    this.#at = setting.at
    this.#heardUntil = setting.at
    this.#paused = setting.paused
    this.#speed = setting.speed
    this.#anchor = { at: setting.at, since: real.now() }
    this.#steppedTo = Math.max(setting.at, setting.steppedTo ?? setting.at)
  }

  get paused(): boolean {
    return this.#paused
  }

  get speed(): number {
    return this.#speed
  }

  /** Until then nothing is due; undefined while there is work. */
  get restsUntil(): number | undefined {
    return this.#restsUntil
  }

  /** A setting as another process keeps it: the clock there runs on, and this one shows what it shows there, to within the difference of the hosts' clocks. */
  static following(real: Clock, setting: ClockSetting): RegionClock {
    const clock = new RegionClock(real, setting)
    clock.#anchor = { at: setting.at, since: setting.since }
    clock.rest(END_OF_TIME)
    return clock
  }

  now(): number {
    if (this.#restsUntil !== undefined) this.#at = Math.max(this.#at, Math.min(this.target(), this.#restsUntil))
    return this.#at
  }

  /**
   * By which passes decide, and deadlines are judged: what happened until then was heard of, and passes may run while what happened since is being told. Never ahead of the clock, never back, and moved by
   * `heard` alone: while the clock rests no deadline passes, so it may stay behind.
   */
  passTime(): number {
    return this.#heardUntil
  }

  /** What happened until now was heard of, or until an earlier instant. */
  heard(until = Number.POSITIVE_INFINITY): void {
    this.#heardUntil = Math.max(this.#heardUntil, Math.min(this.now(), until))
  }

  /** Where the clock would be if there were no work. */
  target(): number {
    if (this.#paused) return this.#steppedTo
    const ran = Math.floor(Math.max(0, this.#real.now() - this.#anchor.since) * this.#speed)
    return Math.min(END_OF_TIME, Math.max(this.#steppedTo, this.#anchor.at + ran))
  }

  /** From now on the clock stands where it is, and only `moveTo` moves it. */
  hold(): void {
    this.now()
    this.#restsUntil = undefined
  }

  /** Nothing is due before that instant: the clock follows its target up to there. */
  rest(until: number): void {
    this.#restsUntil = until
    this.now()
    this.#moved.call()
  }

  /** Never back. */
  moveTo(at: number): void {
    if (at <= this.#at) return
    this.#at = at
    this.#moved.call()
  }

  /** Real milliseconds until the target comes to that instant; infinite while it stands still before it. */
  msUntil(at: number): number {
    const target = this.target()
    if (at <= target) return 0
    if (this.#paused || at > END_OF_TIME) return Number.POSITIVE_INFINITY
    return Math.ceil((at - target) / this.#speed)
  }

  /** Changes how it runs; a step moves the target, running or not. What was left of an earlier step when a clock is set running counts no more. */
  set(change: { readonly paused?: boolean | undefined; readonly speed?: number | undefined; readonly step?: number | undefined }): void {
    const now = this.now(), target = this.target()
    const paused = change.paused ?? this.#paused
    // Whoever pauses wants it to stand where it is; whoever only steps further keeps the steps that are under way.
    const from = change.paused === true && !this.#paused ? now : this.#paused ? target : now
    const to = Math.min(END_OF_TIME, from + (change.step ?? 0))
    this.#speed = change.speed ?? this.#speed
    this.#steppedTo = Math.max(now, paused || change.step !== undefined ? to : now)
    this.#anchor = { at: this.#steppedTo, since: this.#real.now() }
    this.#paused = paused
    // What was enqueued a moment ago is not passed over by a step: whoever runs the region looks first.
    this.#restsUntil = undefined
    this.#set.call()
  }

  /** The next time that somebody sets it. */
  nextSet(): Promise<void> {
    return this.#set.next()
  }

  /** For the record: a clock made of it later goes on from what this one shows now. */
  setting(): ClockSetting {
    const at = this.now()
    return { paused: this.#paused, speed: this.#speed, at, since: this.#real.now(), ...(this.#paused && this.#steppedTo > at && { steppedTo: this.#steppedTo }) }
  }

  /** Region time, so only for those whom the region's own work does not wait for. */
  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const end = this.now() + ms
    while (this.now() < end) {
      signal?.throwIfAborted()
      const stop = new AbortController()
      const ends = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal
      const wait = Math.min(this.msUntil(end), 1_000)
      await Promise.race([this.#moved.next(), this.#set.next(), this.#real.sleep(Math.max(1, wait), ends).catch(() => undefined)]) // aborted: looked at above
      stop.abort()
    }
  }
}
