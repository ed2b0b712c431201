import type { ComponentLife } from '../world/things.ts'

const SECOND = 1_000
const RECENT_MS = 600_000
/** A supervisor waits longer after each end, doubling from a second up to a day and by an eighth from there on, so that what cannot run costs ever less. */
const DOUBLES_UP_TO_MS = 86_400_000, LONGER_BY = 9 / 8
/** Of a hundred years. */
const MOST_LONGER = 75
/** Having run this long, it counts as having run well. */
const RAN_WELL_MS = 600_000

/** The component's process starts. */
export function started(before: ComponentLife | undefined, at: number): ComponentLife {
  const { startsAgainAt: _, ...rest } = before ?? { starts: [], ends: 0 }
  return { ...rest, running: true, startedAt: at, starts: [...recentStarts(before, at), at] }
}

/** It ends, by itself or killed from outside; its supervisor starts it again, at the latest at `mendedAt`. */
export function ended(life: ComponentLife, at: number, how: { code?: number; signal?: string; lastLines: readonly string[] }, mendedAt?: number): ComponentLife {
  const ends = at - life.startedAt >= RAN_WELL_MS ? 1 : life.ends + 1
  const pause = pauseAfter(ends)
  return { ...life, running: false, ends, lastExit: { at, ...how }, startsAgainAt: Math.min(at + pause, Math.max(mendedAt ?? Infinity, at + SECOND)) }
}

function pauseAfter(ends: number): number {
  const untilDay = Math.ceil(Math.log2(DOUBLES_UP_TO_MS / SECOND))
  return ends <= untilDay ? SECOND * 2 ** (ends - 1) : Math.floor(DOUBLES_UP_TO_MS * LONGER_BY ** Math.min(ends - 1 - untilDay, MOST_LONGER))
}

export function recentStarts(life: ComponentLife | undefined, now: number): number[] {
  return (life?.starts ?? []).filter(at => at > now - RECENT_MS).slice(-32)
}
