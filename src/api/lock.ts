import { refuse, refuseParameter } from '#model/errors/catalogue.ts'
import type { ClusterRecord } from '#model/cluster/record.ts'
import type { NodeRecord } from '#model/node/record.ts'
import type { NodePoolRecord } from '#model/node-pool/record.ts'
import type { OnboardingRecord } from '#model/onboarding/record.ts'
import type { MachineRecord, Scope, Transaction } from '#ports/store.ts'
import type { ActionContext } from './action.ts'

/**
 * Holds the caller's region until the transaction ends, where it may be removed meanwhile; for calls that make what stands under no cluster and no machine. False: it is gone, and `refuseRemoved` tells
 * the caller so once whatever was asked for together with this has been answered.
 */
export async function holdRegion({ region, scope }: ActionContext, tx: Transaction): Promise<boolean> {
  return !region.isRemovable || await tx.holdRegion(scope.region)
}

export function refuseRemoved({ scope }: ActionContext): never {
  return refuse('OperationDenied.RegionNotReady', { region: scope.region, why: 'it was deleted meanwhile' })
}

/** Locks within the caller's account and region: another account's id is refused as one that is not there. Call them in the order cluster → pool → node. */
export async function lockCluster(context: ActionContext, tx: Transaction, id: string): Promise<ClusterRecord> {
  const cluster = await tx.lockCluster(id)
  return within(context.scope, cluster) ?? refuse('NotFound.{Resource}', { Resource: 'Cluster', id })
}

/** Locks the cluster first, then its pool. One that is another cluster's is there, and a caller who read that it is not would take it for gone. */
export async function lockClusterAndPool(context: ActionContext, tx: Transaction, clusterId: string, nodePoolId: string): Promise<{ cluster: ClusterRecord; nodePool: NodePoolRecord }> {
  const cluster = await lockCluster(context, tx, clusterId)
  const nodePool = within(context.scope, await tx.lockNodePool(nodePoolId)) ?? refuse('NotFound.{Resource}', { Resource: 'NodePool', id: nodePoolId })
  if (nodePool.clusterId !== clusterId) refuseParameter(context.action, 'ClusterId', `the node pool ${nodePool.id} is one of the cluster ${nodePool.clusterId}; nothing was changed`)
  return { cluster, nodePool }
}

/**
 * The pool's nodes of those ids, which are to go: those that are gone are done, and a refusal where all are. One of another pool is there, and a caller who read that it is not would take it for gone.
 */
export async function lockNodesOfPool(context: ActionContext, tx: Transaction, nodePool: NodePoolRecord, ids: readonly string[]): Promise<readonly NodeRecord[]> {
  const nodes = (await tx.lockNodes(ids)).filter(node => within(context.scope, node))
  const stray = nodes.find(node => node.nodePoolId !== nodePool.id)
  if (stray) refuseParameter(context.action, 'NodePoolId', `the node ${stray.id} is one of the node pool ${stray.nodePoolId}; nothing was changed`)
  return nodes.length > 0 ? nodes : refuse('NotFound.{Resource}', { Resource: 'Node', id: ids[0] ?? '' })
}

export async function lockMachine(context: ActionContext, tx: Transaction, id: string): Promise<MachineRecord> {
  return within(context.scope, await tx.lockMachine(id)) ?? refuse('NotFound.{Resource}', { Resource: 'Machine', id })
}

export async function findOnboarding(context: ActionContext, id: string): Promise<OnboardingRecord> {
  const onboarding = within(context.scope, await context.store.findOnboarding(id))
  if (!onboarding || onboarding.deletedAt !== undefined) return refuse('NotFound.{Resource}', { Resource: 'BatchEdgeMachine', id })
  return onboarding
}

/** The record if it is of that account and region. */
export function within<Item extends Scope>(scope: Scope, item: Item | undefined): Item | undefined {
  return item && item.accountId === scope.accountId && item.region === scope.region ? item : undefined
}
