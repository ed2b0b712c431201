import type { NodePoolStatus } from '../node-pool/status.ts'
import type { ClusterFacts } from './record.ts'

/** What a cluster sees of one of its pools. */
export interface PoolSeen {
  readonly id: string
  readonly name: string
  readonly status: NodePoolStatus
}

/** Everything a cluster's status may depend on: its own facts, its pools' phases, and the region's time. */
export interface ClusterSight {
  readonly now: number
  readonly facts: ClusterFacts
  /** Pools that make it Updating, sorted by id. */
  readonly movingPools: readonly PoolSeen[]
}

/** The seed's rule: a cluster is Updating while a pool of it shows one of these. */
export const CLUSTER_UPDATES_WHILE_A_POOL_IS = ['Creating', 'Deleting', 'Scaling'] as const

/** The sight of a cluster. `pools`: all of them, or at least those that move; a record will do where each has `said`. */
export function clusterSight(cluster: { readonly facts: ClusterFacts }, pools: readonly PoolSeen[] | readonly PoolRecordSeen[], now: number): ClusterSight {
  const seen = pools.map(pool => 'said' in pool ? { id: pool.id, name: pool.spec.name, status: pool.said.status } : pool)
  const moving = seen.filter(pool => (CLUSTER_UPDATES_WHILE_A_POOL_IS as readonly string[]).includes(pool.status.phase))
  return { now, facts: cluster.facts, movingPools: moving.sort((one, other) => (one.id < other.id ? -1 : 1)) }
}

interface PoolRecordSeen {
  readonly id: string
  readonly spec: { readonly name: string }
  readonly said: { readonly status: NodePoolStatus }
}
