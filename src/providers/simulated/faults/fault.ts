import type { FaultOrder, FaultTarget, StandingFault } from '#ports/region-world.ts'

export interface Fault extends StandingFault {
  hits: number
  /** How often something of its target came by, for `nth`. */
  passed: number
  /** When it struck for the last time of its count. */
  usedUpAt?: number
  /** Since when each thing that it holds hangs. */
  hangs?: Record<string, number>
  /** Things that it holds in a state, each of which is one hit. */
  affects?: Record<string, true>
  /** Things that it might have held so, and were not the how manieth. */
  cameBy?: Record<string, true>
  /** What it goes on answering for each thing that it lies about, as JSON. */
  lies?: Record<string, string>
}

/** How often a fault strikes that only stutters, where nobody says it. */
const STUTTERS = 3

/** Only one thing is the how manieth. */
export function timesOf({ target, times, effect }: FaultOrder): number {
  if (target?.nth !== undefined) return 1
  return times ?? (effect.type === 'stutter' ? STUTTERS : Infinity)
}

export function isActive(fault: Fault, at: number): boolean {
  return fault.hits < timesOf(fault) && isInTime(fault, at)
}

export function isInTime(fault: Fault, at: number): boolean {
  return (fault.from ?? fault.injectedAt) <= at && at < (fault.until ?? Infinity)
}

export function concerns({ target: wanted }: FaultOrder, target: FaultTarget): boolean {
  if (!wanted) return true
  const { kind, id, name, label } = wanted
  const isIt = [target, ...target.also ?? []].some(one => (kind === undefined || one.kind === kind) && (id === undefined || one.id === id) && (name === undefined || one.name === name))
  if (!isIt || label === undefined) return isIt
  const [key = '', value] = label.split(/=(.*)/s)
  const has = target.labels?.[key]
  return has !== undefined && (value === undefined || has === value)
}
