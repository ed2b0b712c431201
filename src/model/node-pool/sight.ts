import type { NodeCounts } from '../cluster/record.ts'
import type { NodePoolFacts } from './record.ts'

/** Everything a node pool's status may depend on: its own facts, the counters of its nodes, the rule by which its cluster is what it shows, and the region's time. */
export interface NodePoolSight {
  readonly now: number
  readonly facts: NodePoolFacts
  readonly counts: NodeCounts
  /** Undefined where that one is gone. */
  readonly clusterRule: string | undefined
}

/** The sight of a pool; `cluster` may be its record, or anything that says its rule; undefined where it is gone. */
export function nodePoolSight(
  pool: { readonly facts: NodePoolFacts; readonly counts: NodeCounts },
  cluster: { readonly said: { readonly rule: string } } | { readonly rule: string } | undefined,
  now: number,
): NodePoolSight {
  return { now, facts: pool.facts, counts: pool.counts, clusterRule: cluster && ('said' in cluster ? cluster.said.rule : cluster.rule) }
}
