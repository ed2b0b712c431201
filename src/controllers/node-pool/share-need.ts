import type { NodeCounts } from '#model/cluster/record.ts'
import { HOSTNAME } from '#model/node-pool/fits.ts'
import type { NodePoolFacts, NodePoolSpec } from '#model/node-pool/record.ts'
import { targetOf } from '#model/node-pool/scaling.ts'
import { withFacts } from '#model/with-facts.ts'
import type { RoomSeen } from '#ports/tenant-cluster.ts'
import { nextNode, Places } from './places.ts'

/** A pool as far as the sharing of need between the pools of a cluster goes. */
export interface Sharer {
  readonly id: string
  readonly spec: Pick<NodePoolSpec, 'scaling' | 'labels' | 'taints' | 'cordon'>
  readonly facts: Pick<NodePoolFacts, 'refused' | 'deletion' | 'ready' | 'offers'>
  readonly counts: NodeCounts
  /** Of those that are being stopped, how many are on all the same and can be had again as they are. */
  readonly stillOn?: number
}

type Having = Pick<Sharer, 'facts' | 'counts' | 'stillOn'>

/** Members that offer room, or will: not those that leave, stopped ones, or ones that are being stopped. */
export function activeOf({ total, deleting, stopped, stopping }: NodeCounts): number {
  return total - deleting - stopped - stopping
}

/**
 * How many more machines the pool takes of what its cluster needs: pools of higher priority first, each up to its most, and to what its nodes would take; one that is refused machines takes as many as it has stopped nodes to start, or nodes whose stop failed to keep on,
 * and so is need that machines on their way will meet. Every pool of the cluster reckons alike, so they agree without asking each other.
 */
export function shareOf(id: string, pools: readonly Sharer[], room: Pick<RoomSeen, 'waiting' | 'perNode' | 'free' | 'daemons'>): number {
  if (room.waiting.length === 0) return 0
  const scaled = pools.flatMap(pool => (pool.spec.scaling?.enabled && pool.facts.ready && !pool.facts.deletion ? [{ ...pool, scaling: pool.spec.scaling }] : []))
    .sort((one, other) => other.scaling.priority - one.scaling.priority || (one.id < other.id ? -1 : 1))
  const places = Places.of(room.free), made = new Map<string, number>()
  const next = (pool: Sharer) => {
    const number = made.get(pool.id) ?? 0, node = nextNode(pool, room, number), name = `${node.name} of ${pool.id}`
    made.set(pool.id, number + 1)
    return { ...node, name, labels: { ...node.labels, [HOSTNAME]: name } }
  }
  for (const pool of scaled) {
    const { counts, scaling } = pool, coming = counts.creating + counts.starting + wantedOf(pool, scaling)
    for (let number = 0; number < coming; number++) places.add(next(pool))
  }
  let open = places.putEach(room.waiting)
  for (const pool of scaled) {
    const { scaling, counts } = pool, most = Math.min(hadOf(pool) - wantedOf(pool, scaling), Math.max(0, scaling.maxReplicas - Math.max(activeOf(counts), targetOf(scaling))))
    let taken = 0
    while (taken < most && open.length > 0) {
      const node = next(pool), takeAway = places.add(node), left = places.putEach(open, [node])
      if (left.length === open.length) {
        takeAway()
        break
      }
      open = left
      taken += 1
    }
    if (pool.id === id) return taken
  }
  return 0
}

/** The same of a pool that is refused machines as if it was not: it waits for as many as pods still need. */
export function wishOf(id: string, pools: readonly Sharer[], room: Parameters<typeof shareOf>[2]): number {
  return shareOf(id, pools.map(pool => (pool.id === id ? { ...pool, facts: withFacts(pool.facts, { refused: undefined }) } : pool)), room)
}

/** How many more it can have: of those that are refused the stopped ones and those that are still on, which nobody can refuse. */
function hadOf({ facts, counts, stillOn = 0 }: Having): number {
  return facts.refused ? counts.stopped + stillOn : Infinity
}

/** Of those that callers want and that it has not, how many it can have. */
function wantedOf(pool: Having, scaling: NonNullable<NodePoolSpec['scaling']>): number {
  return Math.min(hadOf(pool), Math.max(0, targetOf(scaling) - activeOf(pool.counts)))
}
