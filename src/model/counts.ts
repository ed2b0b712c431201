import type { NodeCounts } from './cluster/record.ts'
import type { NodePhase } from './node/status.ts'

/** The nine counters of nodes by phase (`NodeStatistics`). */
export const NO_NODES: NodeCounts = { total: 0, creating: 0, running: 0, updating: 0, deleting: 0, failed: 0, stopped: 0, stopping: 0, starting: 0 }

const COUNTER: Readonly<Record<NodePhase, Exclude<keyof NodeCounts, 'total'>>> = {
  Creating: 'creating', Running: 'running', Updating: 'updating', Deleting: 'deleting', Failed: 'failed', Stopped: 'stopped', Stopping: 'stopping', Starting: 'starting',
}

/** The counters after a node went from one phase to another; undefined stands for "was not there" or "is gone". */
export function countMove(counts: NodeCounts, from: NodePhase | undefined, to: NodePhase | undefined): NodeCounts {
  if (from === to) return counts
  const moved = { ...counts }
  if (from !== undefined) {
    moved[COUNTER[from]] -= 1
    moved.total -= 1
  }
  if (to !== undefined) {
    moved[COUNTER[to]] += 1
    moved.total += 1
  }
  return moved
}

export function countPhases(phases: readonly NodePhase[]): NodeCounts {
  return phases.reduce((counts, phase) => countMove(counts, undefined, phase), NO_NODES)
}

export function sumCounts(all: readonly NodeCounts[]): NodeCounts {
  const sum = { ...NO_NODES }
  for (const counts of all) for (const name of COUNTER_NAMES) sum[name] += counts[name]
  return sum
}

export function sameCounts(one: NodeCounts, other: NodeCounts): boolean {
  return COUNTER_NAMES.every(name => one[name] === other[name])
}

const COUNTER_NAMES = Object.keys(NO_NODES) as (keyof NodeCounts)[]
