import type { AddonRecord } from '#model/addon/record.ts'
import { nextInstantOfAddon } from '#model/addon/rules.ts'
import { addonSight } from '#model/addon/sight.ts'
import type { Evidence, ResourceName } from '#model/evidence.ts'
import { nextInstantOfCluster } from '#model/cluster/rules.ts'
import { clusterSight } from '#model/cluster/sight.ts'
import type { ClusterRecord } from '#model/cluster/record.ts'
import type { NodeRecord } from '#model/node/record.ts'
import { nextInstantOfNode } from '#model/node/rules.ts'
import { nodeSight } from '#model/node/sight.ts'
import type { NodePoolRecord } from '#model/node-pool/record.ts'
import { nextInstantOfNodePool } from '#model/node-pool/rules.ts'
import { nodePoolSight } from '#model/node-pool/sight.ts'
import { ONBOARDING_SHOWS } from '#model/onboarding/status.ts'
import { addonName, clusterName, nodeName, nodePoolName } from '#model/settle.ts'
import { rfc3339Seconds } from '#model/time.ts'
import type { ActionContext } from '../action.ts'
import { within } from '../lock.ts'

/** A resource with what its status says of itself. Times are the region's. */
export interface Explained {
  readonly resource: ResourceName
  readonly status: { readonly phase: string; readonly conditions: readonly string[] }
  readonly since: number
  readonly rule: string
  readonly because: string
  readonly evidence: readonly Evidence[]
  readonly causedBy?: ResourceName | undefined
  readonly looksAgainAt?: number | undefined
  readonly staleSince?: number | undefined
  readonly records: { readonly addon?: AddonRecord; readonly cluster?: ClusterRecord; readonly nodePool?: NodePoolRecord; readonly nodes?: readonly NodeRecord[] }
}

/** Finds cluster, pool, node, add-on or onboarding script by its id, within the caller's account and region. */
export async function findExplained(context: ActionContext, id: string): Promise<Explained | undefined> {
  if (id.includes(':')) return explainAddon(context, within(context.scope, await context.store.findAddon(id)))
  switch (id.charAt(0)) {
    case 'c': return explainCluster(context, within(context.scope, await context.store.findCluster(id)))
    case 'p': return explainNodePool(context, within(context.scope, await context.store.findNodePool(id)))
    case 'n': return await explainNode(context, within(context.scope, await context.store.findNode(id))) ?? explainOnboarding(context, id)
    default: return undefined
  }
}

async function explainCluster({ store, now }: ActionContext, cluster: ClusterRecord | undefined): Promise<Explained | undefined> {
  if (!cluster) return undefined
  const pools = await store.nodePoolsOf(cluster.id)
  return {
    resource: clusterName(cluster), ...cluster.said, staleSince: cluster.facts.staleSince,
    looksAgainAt: nextInstantOfCluster(clusterSight(cluster, pools, now)), records: { cluster },
  }
}

async function explainNodePool({ store, now }: ActionContext, nodePool: NodePoolRecord | undefined): Promise<Explained | undefined> {
  if (!nodePool) return undefined
  const cluster = await store.findCluster(nodePool.clusterId)
  return {
    resource: nodePoolName(nodePool), ...nodePool.said, staleSince: staleOf(nodePool),
    looksAgainAt: nextInstantOfNodePool(nodePoolSight(nodePool, cluster, now)),
    records: { nodePool, ...cluster && { cluster } },
  }
}

/** That its cluster does not run is seen of the cluster, and how far its deletion is, of itself. */
function staleOf({ said, facts }: NodePoolRecord | AddonRecord): number | undefined {
  return facts.deletion !== undefined || said.status.conditions.some(condition => condition === 'ClusterNotRunning') ? undefined : facts.staleSince
}

async function explainAddon({ store, now }: ActionContext, addon: AddonRecord | undefined): Promise<Explained | undefined> {
  if (!addon) return undefined
  const cluster = await store.findCluster(addon.clusterId)
  return {
    resource: addonName(addon), ...addon.said, staleSince: staleOf(addon),
    looksAgainAt: nextInstantOfAddon(addonSight(addon, cluster, now)), records: { addon, ...cluster && { cluster } },
  }
}

async function explainNode({ store, now }: ActionContext, node: NodeRecord | undefined): Promise<Explained | undefined> {
  if (!node) return undefined
  const [cluster, nodePool] = await Promise.all([store.findCluster(node.clusterId), store.findNodePool(node.nodePoolId)])
  return {
    resource: nodeName(node), ...node.said, staleSince: node.facts.staleSince, looksAgainAt: nextInstantOfNode(nodeSight(node, now)),
    records: { nodes: [node], ...cluster && { cluster }, ...nodePool && { nodePool } },
  }
}

async function explainOnboarding({ store, scope, now }: ActionContext, id: string): Promise<Explained | undefined> {
  const onboarding = within(scope, await store.findOnboarding(id))
  if (!onboarding || onboarding.deletedAt !== undefined) return undefined
  const ends = rfc3339Seconds(onboarding.expiresAt * 1000)
  const isOver = onboarding.expiresAt * 1000 <= now
  return {
    resource: { kind: 'Onboarding', id, name: onboarding.name, clusterId: onboarding.clusterId },
    status: ONBOARDING_SHOWS, since: onboarding.createdAt, rule: 'works',
    because: isOver ? `It ended at ${ends}; UpdateBatchEdgeMachine gives it more time` : `It makes nodes of machines until ${ends}`,
    evidence: [], looksAgainAt: isOver ? undefined : onboarding.expiresAt * 1000, records: {},
  }
}
