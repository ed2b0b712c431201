import type { NodeCounts } from '../cluster/record.ts'
import type { ClusterStatus } from '../cluster/status.ts'
import type { NodePoolFacts } from './record.ts'

/** Everything a node pool's status may depend on: its own facts, the counters of its nodes, its cluster's phase, and the region's time. */
export interface NodePoolSight {
  readonly now: number
  readonly facts: NodePoolFacts
  readonly counts: NodeCounts
  readonly clusterPhase: ClusterStatus['phase']
}

/** The seed's rule: pools and add-ons are {Failed,[ClusterNotRunning]} while their cluster is in one of these. */
export const CHILDREN_FAIL_WHILE_CLUSTER_IS = ['Stopped', 'Starting'] as const

/** The sight of a pool; `cluster` may be its record, or anything that says its phase. */
export function nodePoolSight(
  pool: { readonly facts: NodePoolFacts; readonly counts: NodeCounts },
  cluster: { readonly phase: ClusterStatus['phase'] } | { readonly said: { readonly status: ClusterStatus } },
  now: number,
): NodePoolSight {
  return { now, facts: pool.facts, counts: pool.counts, clusterPhase: 'said' in cluster ? cluster.said.status.phase : cluster.phase }
}
