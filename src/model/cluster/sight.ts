import type { NodePoolStatus } from '../node-pool/status.ts'
import { DEADLINES } from '../status/deadlines.ts'
import type { ClusterFacts, NodeCounts } from './record.ts'

/** What a cluster sees of one of its pools. */
export interface PoolSeen {
  readonly id: string
  readonly name: string
  readonly status: NodePoolStatus
  readonly because?: string
  /** How many of its nodes are Failed. */
  readonly failed?: number
}

/** Everything a cluster's status may depend on: its own facts, its pools' phases, and the region's time. */
export interface ClusterSight {
  readonly now: number
  readonly facts: ClusterFacts
  /** Pools that make it Updating, sorted by id. */
  readonly movingPools: readonly PoolSeen[]
  /** Pools that keep its deletion from going on, sorted by id. */
  readonly stuckPools: readonly PoolSeen[]
}

/** The seed's rule: a cluster is Updating while a pool of it shows one of these. */
export const CLUSTER_UPDATES_WHILE_A_POOL_IS = ['Creating', 'Deleting', 'Scaling'] as const

/** The sight of a cluster. `pools`: all of them, or at least those that move; a record will do where each has `said`. */
export function clusterSight(cluster: { readonly facts: ClusterFacts }, pools: readonly PoolSeen[] | readonly PoolRecordSeen[], now: number): ClusterSight {
  const seen = pools.map(pool => 'said' in pool ? { id: pool.id, name: pool.spec.name, status: pool.said.status, because: pool.said.because, failed: pool.counts?.failed ?? 0 } : pool)
    .sort((one, other) => (one.id < other.id ? -1 : 1))
  return {
    now, facts: cluster.facts,
    movingPools: seen.filter(pool => (CLUSTER_UPDATES_WHILE_A_POOL_IS as readonly string[]).includes(pool.status.phase)),
    stuckPools: cluster.facts.deletion ? seen.filter(pool => isStuck(pool, now - (cluster.facts.deletion?.requestedAt ?? now) >= DEADLINES.clusterDeletion)) : [],
  }
}

/** A pool's time is shorter than its nodes' own: one that is only late has not given up while they still go, and its cluster has time. */
function isStuck({ status, failed = 0 }: PoolSeen, isLate: boolean): boolean {
  return status.conditions.some(condition => condition === 'ResourceCleanupFailed') && (isLate || failed > 0)
}

interface PoolRecordSeen {
  readonly id: string
  readonly spec: { readonly name: string }
  readonly said: { readonly status: NodePoolStatus; readonly because: string }
  readonly counts?: Pick<NodeCounts, 'failed'>
}
