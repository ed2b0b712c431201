import type { NodeCounts } from '#model/cluster/record.ts'
import { wouldTake } from '#model/node-pool/fits.ts'
import type { NodePoolFacts, NodePoolSpec } from '#model/node-pool/record.ts'
import { targetOf } from '#model/node-pool/scaling.ts'
import type { RoomSeen } from '#ports/tenant-cluster.ts'

/** A pool as far as the sharing of need between the pools of a cluster goes. */
export interface Sharer {
  readonly id: string
  readonly spec: Pick<NodePoolSpec, 'scaling' | 'labels' | 'taints' | 'cordon'>
  readonly facts: Pick<NodePoolFacts, 'refused' | 'deletion' | 'ready'>
  readonly counts: NodeCounts
}

/** Members that offer room, or will: not those that leave, stopped ones, or ones that are being stopped. */
export function activeOf({ total, deleting, stopped, stopping }: NodeCounts): number {
  return total - deleting - stopped - stopping
}

/** How many nodes like those there are would have room for all pods that wait, each amount by itself; one where nobody knows what a node offers. */
export function nodesFor({ waiting, perNode }: Pick<RoomSeen, 'waiting' | 'perNode'>): number {
  if (waiting.length === 0) return 0
  if (!perNode) return 1
  const parts = (amount: 'cpuMillis' | 'memoryMiB') => Math.ceil(waiting.reduce((sum, pod) => sum + pod[amount], 0) / Math.max(perNode[amount], 1))
  return Math.max(1, parts('cpuMillis'), parts('memoryMiB'))
}

/**
 * How many more machines the pool takes of what its cluster needs: pools of higher priority first, each up to its most, and to what its nodes would take; one that is refused machines is passed over,
 * and so is need that machines on their way will meet. Every pool of the cluster reckons alike, so they agree without asking each other.
 */
export function shareOf(id: string, pools: readonly Sharer[], room: Pick<RoomSeen, 'waiting' | 'perNode'>): number {
  const scaled = pools.flatMap(pool => (pool.spec.scaling?.enabled && pool.facts.ready && !pool.facts.deletion ? [{ ...pool, scaling: pool.spec.scaling }] : []))
    .sort((one, other) => other.scaling.priority - one.scaling.priority || (one.id < other.id ? -1 : 1))
  const coming = scaled.reduce((sum, { counts, scaling, facts }) => sum + counts.creating + counts.starting + (facts.refused ? 0 : Math.max(0, targetOf(scaling) - activeOf(counts))), 0)
  let open = Math.max(0, nodesFor(room) - coming)
  for (const { id: other, spec, scaling, facts, counts } of scaled) {
    const own = nodesFor({ ...room, waiting: room.waiting.filter(pod => wouldTake(spec, pod)) })
    const taken = facts.refused ? 0 : Math.min(open, own, Math.max(0, scaling.maxReplicas - Math.max(activeOf(counts), targetOf(scaling))))
    if (other === id) return taken
    open -= taken
  }
  return 0
}
