import type { NodeFacts } from '#model/node/record.ts'
import { nodeDeletionDeadline } from '#model/node/readiness.ts'
import { rfc3339Seconds } from '#model/time.ts'
import { withFacts } from '#model/with-facts.ts'
import { failed } from '#ports/not-removed.ts'
import { isOfOurStore } from '#ports/of-our-store.ts'
import type { NodeStep } from './decide.ts'
import type { NodePorts } from './ports.ts'

/** A pass over a node that is to go, and that ended in an error. Times are the region's, epoch ms. */
export interface StuckPass {
  readonly now: number
  readonly facts: NodeFacts
  readonly name: string
  /** What it was about to do; undefined where it had not decided yet. */
  readonly step: NodeStep | undefined
  /** Passes end in errors since then. */
  readonly since: number
  readonly why: string
}

/** What stands in the way of a removal whose deadline has passed; undefined while it has time, or once that is said. */
export function obstacleOf({ now, facts, name, step, since, why }: StuckPass): string | undefined {
  const isOverdue = facts.deletion !== undefined && now - facts.deletion.requestedAt >= nodeDeletionDeadline({ now, facts })
  if (!isOverdue || facts.obstacles.length > 0) return undefined
  const { thing, call }: Tried = (step && TRIED[step]?.(name)) ?? { thing: `The node ${name}` }
  return `${thing} could not be removed since ${rfc3339Seconds(since)}: ${call === undefined ? why : failed(call, [why])}`
}

interface Tried { readonly thing: string; readonly call?: string }

/** The steps inside the cluster. Others are our own book-keeping, and a look that failed names itself. */
const TRIED: Partial<Record<NodeStep, (name: string) => Tried>> = {
  leaveMembers: name => ({ thing: `The node ${name}, among the members of its cluster,`, call: 'ensureMembers' }),
  cordon: name => ({ thing: `The Node object ${name}`, call: 'setSchedulable' }),
  evict: name => ({ thing: `The pods on the node ${name}`, call: 'evict' }),
  ensureNodeGone: name => ({ thing: `The Node object ${name}`, call: 'ensureNodeGone' }),
}

/** A pass that ends in an error writes nothing, so the deadline of a removal that only ever meets errors is kept here; it is tried again all the same. */
export async function noteObstacle(id: string, { error, step }: { readonly error: unknown; readonly step: NodeStep | undefined }, stuckSince: Map<string, number>, ports: NodePorts): Promise<void> {
  // It says nothing about the cluster or the node.
  if (isOfOurStore(error)) return
  const record = await ports.store.findNode(id)
  if (!record?.facts.deletion) return
  const now = ports.regionOf(record.region).clock.now()
  const since = stuckSince.get(id) ?? now
  stuckSince.set(id, since)
  const why = error instanceof Error ? error.message : String(error)
  const seen = { now, facts: record.facts, name: record.spec.name, step, since, why }
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
