import type { NodeFacts } from '#model/node/record.ts'
import { nodeDeletionDeadline } from '#model/node/readiness.ts'
import { rfc3339Seconds } from '#model/time.ts'
import { withFacts } from '#model/with-facts.ts'
import { StaleRevision, StoreUnavailable } from '#ports/store.ts'
import type { NodePorts } from './ports.ts'

/** What stands in the way of a removal whose deadline has passed; undefined while it has time, or once that is said. Times are the region's, epoch ms. */
export function obstacleOf({ now, facts, since, why }: { now: number; facts: NodeFacts; since: number; why: string }): string | undefined {
  const isOverdue = facts.deletion !== undefined && now - facts.deletion.requestedAt >= nodeDeletionDeadline({ now, facts })
  return isOverdue && facts.obstacles.length === 0 ? `Its removal does not go on since ${rfc3339Seconds(since)}: ${why}` : undefined
}

/** A pass that ends in an error writes nothing, so the deadline of a removal that only ever meets errors is kept here; it is tried again all the same. */
export async function noteObstacle(id: string, error: unknown, stuckSince: Map<string, number>, ports: NodePorts): Promise<void> {
  // Neither says anything about the cluster or the node.
  if (error instanceof StaleRevision || error instanceof StoreUnavailable) return
  const record = await ports.store.findNode(id)
  if (!record?.facts.deletion) return
  const now = ports.regionOf(record.region).clock.now()
  const since = stuckSince.get(id) ?? now
  stuckSince.set(id, since)
  const why = error instanceof Error ? error.message : String(error)
  const seen = { now, facts: record.facts, since, why }
  const obstacle = obstacleOf(seen)
  ports.onDecision?.({ by: 'obstacleOf', about: id, seen, decided: obstacle })
  if (obstacle === undefined) return
  await ports.store.write(now, async tx => {
    if (!(await tx.lockNode(id))) return
    await tx.changeNode(id, { revision: record.revision, facts: withFacts(record.facts, { obstacles: [obstacle] }) }, {
      evidence: [{ observer: 'node controller', source: `removal of node ${record.spec.name}`, observedAt: now, fact: `${obstacle}.` }],
    })
  })
}
