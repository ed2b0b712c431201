import { isDeepStrictEqual } from 'node:util'
import { newId } from '#model/ids.ts'
import { configText, wishOf } from '#model/node-pool/node-config.ts'
import type { NodePoolFacts, NodePoolRecord, NodePoolSpec } from '#model/node-pool/record.ts'
import { targetOf } from '#model/node-pool/scaling.ts'
import type { NodePoolCreation, NodePoolUpdate } from '#model/node-pool/validate.ts'
import { checkPrecondition, type GuardedAction } from '#model/preconditions.ts'
import { wakeSharers } from '#ports/sharing-pools.ts'
import type { Transaction } from '#ports/store.ts'
import { askedBy, type ActionContext } from './action.ts'
import { refuseTakenName } from './actions/node-pool-shapes.ts'
import { once, tokenOf } from './idempotency.ts'
import { lockCluster, lockClusterAndPool } from './lock.ts'
import { refuseWithoutMachines } from './machine-claims.ts'

type Tokens = Parameters<typeof tokenOf>[0]

/** Makes a pool in one transaction; machines that it is to have are open claims at once, and its controller orders them when the pool is ready. */
export async function createNodePool(context: ActionContext, body: Tokens, action: GuardedAction, { clusterId, spec }: NodePoolCreation): Promise<object> {
  const { scope, store, now } = context
  if (spec.template) refuseWithoutMachines(context)
  return store.write(now, tx => once(context, tx, body, async ([cluster]) => {
    checkPrecondition(action, { cluster }, now)
    await refuseTakenName(tx, cluster.id, spec.name)
    const id = newId('node-pool', now, context.randomBytes(8))
    const token = tokenOf(body)
    await tx.insertNodePool(
      { id, ...scope, ...token !== undefined && { createClientToken: token }, clusterId: cluster.id, spec, facts: { ready: false, obstacles: [], openClaims: spec.scaling ? targetOf(spec.scaling) : 0 } },
      askedBy(context, `The creation of the node pool ${spec.name} was asked for.`),
    )
    await tx.enqueue({ kind: 'node-pool', id, region: scope.region })
    return { resourceId: id, result: { Id: id } }
  }, () => Promise.all([lockCluster(context, tx, clusterId), tx.nodePoolsOf(clusterId)])))
}

/** Changes a pool in one transaction; what changes nothing leaves it as it is, and only a new target of its own moves the number of its nodes. */
export async function updateNodePool(context: ActionContext, body: Tokens, action: GuardedAction, { clusterId, id, changed }: NodePoolUpdate): Promise<object> {
  const { store, now } = context
  return store.write(now, tx => once(context, tx, body, async () => {
    const { cluster, nodePool } = await lockClusterAndPool(context, tx, clusterId, id)
    const spec = changed(nodePool.spec)
    checkPrecondition(action, { cluster, nodePool }, now)
    await refuseTakenName(tx, cluster.id, spec.name, nodePool.id)
    const token = tokenOf(body)
    if (isDeepStrictEqual(spec, nodePool.spec)) {
      if (token !== undefined) await tx.changeNodePool(nodePool.id, { updateClientToken: token }, askedBy(context, 'An update was asked for that changes nothing.'))
    } else {
      await keepLabels(tx, nodePool, spec)
      const facts = { ...await claimsOpen(tx, nodePool, spec), updating: { since: now, waitsFor: [], off: [] } }
      await putNodePool(context, tx, nodePool, { spec, facts, ...token !== undefined && { updateClientToken: token } }, 'A change of its configuration was asked for.')
    }
    return { resourceId: nodePool.id, result: {} }
  }))
}

/** Where labels and taints are for nodes to come, those that are there keep what they have. */
async function keepLabels(tx: Transaction, nodePool: NodePoolRecord, spec: NodePoolSpec): Promise<void> {
  if (!spec.autoSyncDisabled || configText(spec) === configText(nodePool.spec)) return
  const there = (await tx.nodesOf({ nodePoolId: nodePool.id })).filter(node => node.facts.firstReadyAt !== undefined && node.facts.configured === undefined)
  for (const node of await tx.lockNodes(there.map(one => one.id))) await tx.changeNode(node.id, { facts: { ...node.facts, configured: configText(wishOf(nodePool.spec, node.spec)) } }, { evidence: [] })
}

/** Writes a locked pool and lets its controller look. */
export async function putNodePool(context: ActionContext, tx: Transaction, nodePool: NodePoolRecord, change: { spec?: NodePoolSpec; facts?: NodePoolFacts; updateClientToken?: string }, fact: string): Promise<void> {
  await tx.changeNodePool(nodePool.id, change, askedBy(context, fact))
  await tx.enqueue({ kind: 'node-pool', id: nodePool.id, region: context.scope.region })
  await wakeSharers(tx, nodePool)
}

/** The facts of a pool whose target may have moved: what it lacks are open claims, so that it shows as Scaling from the answer on. */
export async function claimsOpen(tx: Transaction, nodePool: NodePoolRecord, spec: NodePoolSpec): Promise<NodePoolFacts> {
  const { facts } = nodePool
  if (!spec.scaling || isDeepStrictEqual(spec.scaling, nodePool.spec.scaling)) return facts
  const staying = (await tx.nodesOf({ nodePoolId: nodePool.id })).filter(node => !node.facts.deletion).length
  return { ...facts, openClaims: Math.max(0, targetOf(spec.scaling) - staying) }
}
