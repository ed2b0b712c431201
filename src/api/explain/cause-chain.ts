import type { ResourceName } from '#model/evidence.ts'
import { nodeName, nodePoolName } from '#model/settle.ts'
import type { ActionContext } from '../action.ts'
import { findExplained, type Explained } from './explained.ts'

/** Node, pool, cluster and one more: no chain of causes is longer. */
const LONGEST_CHAIN = 4
const MOST_ALIKE = 20

/** From the next cause to the first one; empty where the resource itself is the first. A cause that is gone ends the chain with its last row of history. */
export async function causeChain(context: ActionContext, start: Explained): Promise<readonly Explained[]> {
  const chain: Explained[] = []
  const seen = new Set([start.resource.id])
  for (let next = start.causedBy; next && !seen.has(next.id) && chain.length < LONGEST_CHAIN;) {
    seen.add(next.id)
    const found: Explained | undefined = await findExplained(context, next.id) ?? await lastWordOf(context, next)
    if (!found) break
    chain.push(found)
    next = found.causedBy
  }
  return chain
}

/** Others of the cluster that are as they are for the same first cause. */
export async function alike(context: ActionContext, start: Explained, chain: readonly Explained[]): Promise<readonly ResourceName[]> {
  const first = chain.at(-1)?.resource ?? start.resource
  const clusterId = start.resource.kind === 'Cluster' ? start.resource.id : start.resource.clusterId
  if (clusterId === undefined) return []
  const [nodePools, nodes] = await Promise.all([context.store.nodePoolsOf(clusterId), context.store.nodesOf({ clusterId })])
  const causes = new Map([...nodePools, ...nodes].map(record => [record.id, record.said.causedBy?.id]))
  const told = new Set([start.resource.id, ...chain.map(link => link.resource.id)])
  return [...nodePools.map(nodePoolName), ...nodes.map(nodeName)]
    .filter(resource => !told.has(resource.id) && leadsTo(causes, resource.id, first.id))
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

async function lastWordOf({ store, scope }: ActionContext, resource: ResourceName): Promise<Explained | undefined> {
  const change = await store.latestChange(scope.accountId, resource.id)
  if (!change) return undefined
  const { at, rule, because, evidence, causedBy } = change
  return { resource, status: change.status ?? { phase: 'Gone', conditions: [] }, since: at, rule, because, evidence, causedBy, records: {} }
}
