import type { ResourceName } from '#model/evidence.ts'
import type { NodeRecord } from '#model/node/record.ts'
import { addonName, nodeName, nodePoolName } from '#model/settle.ts'
import type { ActionContext } from '../action.ts'
import { findExplained, type Explained } from './explained.ts'

/** Node, pool, cluster and one more: no chain of causes is longer. */
const LONGEST_CHAIN = 4
const MOST_ALIKE = 20
/** What a node shows by which its pool is Scaling (status-rules.md, node pool 6). */
const COMES_OR_GOES: readonly string[] = ['Creating', 'Deleting']

/**
 * From the next cause to the first one; empty where the resource itself is the first. A cause is told as it was when it caused: one that has moved on since,
 * or is gone, by its row of history.
 */
export async function causeChain(context: ActionContext, start: Explained): Promise<readonly Explained[]> {
  const chain: Explained[] = []
  const seen = new Set([start.resource.id])
  for (let effect = start; chain.length < LONGEST_CHAIN;) {
    const moving = await movingNode(context, effect)
    const causedBy = moving ? nodeName(moving) : effect.causedBy
    if (!causedBy || seen.has(causedBy.id)) break
    seen.add(causedBy.id)
    const present = await findExplained(context, causedBy.id)
    // What follows from others may have got another cause since it began, told with its evidence.
    const told = Math.max(effect.since, ...effect.evidence.flatMap(({ observer, observedAt }) => (observer === 'derived' ? [observedAt] : [])))
    const cause = present && (moving !== undefined || present.since <= told) ? present : await wordAt(context, causedBy, told) ?? present
    if (!cause) break
    chain.push(cause)
    effect = cause
  }
  return chain
}

/** The node by which a pool is Scaling now: the one that is written down, or, once that has come or gone, who has been coming or going for longest. */
async function movingNode({ store }: ActionContext, { status, causedBy, records: { nodePool } }: Explained): Promise<NodeRecord | undefined> {
  if (!nodePool || status.phase !== 'Scaling') return undefined
  const moving = (await store.nodesOf({ nodePoolId: nodePool.id })).filter(({ said }) => COMES_OR_GOES.includes(said.status.phase))
  return moving.find(({ id }) => id === causedBy?.id) ?? moving.toSorted((one, other) => one.said.since - other.said.since || (one.id < other.id ? -1 : 1))[0]
}

/** Others of the cluster that are as they are for the same first cause. */
export async function alike(context: ActionContext, start: Explained, chain: readonly Explained[]): Promise<readonly ResourceName[]> {
  const { resource: first, since } = chain.at(-1) ?? start
  const clusterId = start.resource.kind === 'Cluster' ? start.resource.id : start.resource.clusterId
  if (clusterId === undefined) return []
  const [nodePools, nodes, addons] = await Promise.all([context.store.nodePoolsOf(clusterId), context.store.nodesOf({ clusterId }), context.store.addonsOf(clusterId)])
  const causes = new Map([...nodePools, ...nodes, ...addons].map(record => [record.id, record.said.causedBy?.id]))
  const changedAt = new Map([...nodePools, ...nodes, ...addons].map(record => [record.id, record.said.since]))
  const told = new Set([start.resource.id, ...chain.map(link => link.resource.id)])
  return [...nodePools.map(nodePoolName), ...nodes.map(nodeName), ...addons.map(addonName)]
    .filter(resource => !told.has(resource.id) && leadsTo(causes, resource.id, first.id) && (changedAt.get(resource.id) ?? 0) >= since)
    .slice(0, MOST_ALIKE)
}

function leadsTo(causes: ReadonlyMap<string, string | undefined>, id: string, first: string): boolean {
  let next = causes.get(id)
  for (let step = 0; next !== undefined && step < LONGEST_CHAIN; step++) {
    if (next === first) return true
    next = causes.get(next)
  }
  return false
}

/** What a resource showed at that time. */
async function wordAt({ store, scope }: ActionContext, resource: ResourceName, at: number): Promise<Explained | undefined> {
  const { items: [held] } = await store.listHistory(scope, { ids: [resource.id], at }, { number: 1, size: 1 })
  const change = held ?? await store.latestChange(scope.accountId, resource.id)
  if (!change) return undefined
  const { at: since, rule, because, evidence, causedBy } = change
  return { resource, status: change.status ?? { phase: 'Gone', conditions: [] }, since, rule, because, evidence, causedBy, records: {} }
}
