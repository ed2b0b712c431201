import { DEADLINES } from '../status/deadlines.ts'
import type { NodeFacts } from './record.ts'
import type { NodeSight } from './sight.ts'

/**
 * True if the API server says Ready, and said so (or heard from the kubelet) after the machine was last switched on: a Ready from before says nothing about
 * now, and neither does one of a machine that is off, which Kubernetes notices only after its grace time.
 */
export function isReady(seen: NodeSight): boolean {
  return seen.facts.ready?.status === 'True' && seen.facts.power?.state !== 'off' && !isOlderThanPowerOn(seen)
}

/**
 * True if nothing was heard from the kubelet since the machine was last switched on. Kubernetes tells times in whole seconds, and what a kubelet said in the second in which its machine
 * was switched on it said after that: it may have nothing new to say for minutes.
 */
export function isOlderThanPowerOn(seen: NodeSight): boolean {
  const { ready, power } = seen.facts
  if (ready === undefined || power?.lastOnAt === undefined) return false
  const heard = Math.max(ready.since, ready.lastHeartbeatAt ?? ready.since)
  return isWholeSecond(heard) && !isWholeSecond(power.lastOnAt) ? heard + 1_000 <= power.lastOnAt : heard <= power.lastOnAt
}

function isWholeSecond(ms: number): boolean {
  return ms % 1_000 === 0
}

/** Its provider has the machine no more: only a deletion leads out. */
export function isMachineRemoved(facts: NodeFacts): boolean {
  return facts.power?.state === 'off' && facts.power.removed === true
}

/** Once it was a Ready member, its creation is over. */
export function wasEverReady(seen: NodeSight): boolean {
  return seen.facts.firstReadyAt !== undefined || isReady(seen)
}

/** When its initialisation is overdue, by what is known now; undefined while the time stands still or has not begun. */
export function initialisationEndsAt(seen: NodeSight): number | undefined {
  const { machineExistsAt, pausedMs, pausedSince } = seen.facts
  if (machineExistsAt === undefined || pausedSince !== undefined) return undefined
  return machineExistsAt + pausedMs + DEADLINES.nodeInitialisation
}

/** ms since the machine existed that count. */
export function initialisationMs(seen: NodeSight): number {
  const { machineExistsAt, pausedMs, pausedSince } = seen.facts
  return machineExistsAt === undefined ? 0 : (pausedSince ?? seen.now) - machineExistsAt - pausedMs
}

export function nodeDeletionDeadline(seen: NodeSight): number {
  return seen.facts.deletion?.by === 'pool' ? DEADLINES.nodeDeletionInPool : DEADLINES.nodeDeletion
}
