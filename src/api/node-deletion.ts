import type { NodeRecord } from '#model/node/record.ts'
import type { MachineFate, NodeDeletionRequest } from '#model/node/validate.ts'
import type { NodePoolRecord } from '#model/node-pool/record.ts'
import { movedBy, targetOf } from '#model/node-pool/scaling.ts'
import { checkPrecondition } from '#model/preconditions.ts'
import { withFacts } from '#model/with-facts.ts'
import type { Because, Transaction } from '#ports/store.ts'
import { askedBy, type ActionContext } from './action.ts'
import { once } from './idempotency.ts'
import { lockClusterAndPool, lockNodesOfPool } from './lock.ts'
import { putNodePool } from './node-pool-changes.ts'

export interface NodeDeletion {
  readonly by: 'call' | 'pool' | 'cluster'
  /** What becomes of a machine that was ordered for the node; machines that ran a script are released in any case. */
  readonly machine: MachineFate
}

/** Marks locked nodes as being deleted and enqueues them; what an earlier deletion already did stays done. */
export async function deleteNodes(context: ActionContext, tx: Transaction, nodes: readonly NodeRecord[], { by, machine }: NodeDeletion, because: Because): Promise<void> {
  for (const node of nodes) {
    const deletion = { requestedAt: context.now, by, ...by === 'call' && context.action !== 'DeleteEdgeNodes' && { action: context.action }, done: node.facts.deletion?.done ?? [], ...node.spec.machine !== undefined && { machine } }
    await tx.changeNode(node.id, { facts: { ...node.facts, deletion, obstacles: [] } }, because)
    await tx.enqueue({ kind: 'node', id: node.id, region: context.scope.region })
  }
}

/**
 * The pool is not to replace nodes that a caller takes away; one that is going already has been counted, and one that is stopped is none of those that are wanted. An autoscaler that holds more than
 * callers want holds so many fewer, until pods that wait say otherwise.
 */
export async function lowerTarget(context: ActionContext, tx: Transaction, nodePool: NodePoolRecord, nodes: readonly NodeRecord[]): Promise<void> {
  const { spec: { scaling }, facts } = nodePool
  const going = nodes.filter(node => node.spec.machine !== undefined && !node.facts.deletion && node.facts.ordered?.power !== 'off').length
  if (!scaling || going === 0) return
  const held = scaling.enabled ? facts.autoscaler : undefined
  const lowered = movedBy(scaling, -going, held?.target)
  const autoscaler = held && held.target - going > targetOf(lowered) ? { ...held, target: held.target - going } : undefined
  const change = { spec: { ...nodePool.spec, scaling: lowered }, facts: withFacts(facts, { autoscaler }) }
  await putNodePool(context, tx, nodePool, change, `${going === 1 ? 'A node of it was' : `${going} nodes of it were`} asked to go, and so many fewer are wanted.`)
}

/** DeleteEdgeNodes and DeleteNodes: all of them or none. */
export async function removeNodes(context: ActionContext, body: Parameters<typeof once>[2], action: 'DeleteEdgeNodes' | 'DeleteNodes', { clusterId, nodePoolId, ids, machine }: NodeDeletionRequest): Promise<object> {
  return context.store.write(context.now, tx => once(context, tx, body, async () => {
    const { cluster, nodePool } = await lockClusterAndPool(context, tx, clusterId, nodePoolId)
    const nodes = await lockNodesOfPool(context, tx, nodePool, ids)
    checkPrecondition(action, { cluster, nodePool, nodes }, context.now)
    await lowerTarget(context, tx, nodePool, nodes)
    await deleteNodes(context, tx, nodes, { by: 'call', machine }, askedBy(context, 'The deletion of the node was asked for.'))
    return { resourceId: nodePool.id, result: {} }
  }))
}
