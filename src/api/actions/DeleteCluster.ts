import { Type } from 'typebox'
import type { ClusterRecord } from '#model/cluster/record.ts'
import { CLUSTER_RESOURCES, parseDeleteCluster } from '#model/cluster/validate.ts'
import { refuse } from '#model/errors/catalogue.ts'
import { fateOfMachines } from '#model/node/validate.ts'
import type { NodePoolRecord } from '#model/node-pool/record.ts'
import { checkPrecondition } from '#model/preconditions.ts'
import { withFacts } from '#model/with-facts.ts'
import type { Transaction } from '#ports/store.ts'
import { PRODUCT_VERSION, askedBy, defineAction, type ActionContext } from '../action.ts'
import { once } from '../idempotency.ts'
import { lockCluster } from '../lock.ts'
import { deleteNodes } from '../node-deletion.ts'
import { Id, TOKEN } from './shapes.ts'

const Words = Type.Array(Type.Union(CLUSTER_RESOURCES.map(word => Type.Literal(word))), { maxItems: 100 })

export const DeleteCluster = defineAction({
  name: 'DeleteCluster',
  version: PRODUCT_VERSION,
  kind: 'write',
  says: 'Deletes a cluster with its pools and nodes; machines that ran a script are released, never destroyed, and those that a pool ordered go if CascadingDeleteResources names them.',
  schema: Type.Object({
    Id,
    Force: Type.Optional(Type.Boolean()),
    CascadingDeleteResources: Type.Optional(Words),
    RetainResources: Type.Optional(Words),
    ...TOKEN,
  }),
  run: async (context, body) => {
    const { store, now } = context
    const { id, ...how } = parseDeleteCluster(body)
    return store.write(now, tx => once(context, tx, body, async () => {
      const cluster = await lockCluster(context, tx, id)
      checkPrecondition('DeleteCluster', { cluster }, now)
      if (cluster.spec.deleteProtectionEnabled && !how.force) refuse('OperationDenied.DeleteProtection', { id: cluster.id })
      await deleteChildren(context, tx, cluster, how)

      const deletion = { requestedAt: now, ...how }
      // What the control plane said before is no word about its removal.
      await tx.changeCluster(cluster.id, { facts: withFacts(cluster.facts, { deletion, obstacles: [], controlPlaneSays: undefined }) }, askedBy(context, 'The deletion of the cluster was asked for.'))
      await tx.enqueue({ kind: 'cluster', id: cluster.id, region: context.scope.region })
      // One that waits to be revoked waits no longer where no API is left, as in arrears.
      for (const kubeconfig of await tx.lockKubeconfigs(cluster.id))
        if (kubeconfig.deletionRequestedAt !== undefined) await tx.enqueue({ kind: 'kubeconfig', id: kubeconfig.id, region: context.scope.region })
      return { resourceId: cluster.id, result: {} }
    }))
  },
})

/** Pools and nodes are marked in the same transaction, so that no list shows a living child of a cluster that is being deleted. */
async function deleteChildren(context: ActionContext, tx: Transaction, cluster: ClusterRecord, how: { readonly cascading: readonly string[]; readonly retain: readonly string[] }): Promise<void> {
  const because = { ...askedBy(context, 'The deletion of its cluster was asked for.'), causedBy: { kind: 'Cluster' as const, id: cluster.id, name: cluster.spec.name } }
  const nodePools: NodePoolRecord[] = []
  for (const { id } of await tx.nodePoolsOf(cluster.id)) {
    const nodePool = await tx.lockNodePool(id)
    if (nodePool) nodePools.push(nodePool)
  }
  for (const { id } of await tx.addonsOf(cluster.id)) {
    const addon = await tx.lockAddon(id)
    if (!addon) continue
    await tx.changeAddon(id, { facts: withFacts(addon.facts, { deletion: { requestedAt: context.now, by: 'cluster', crds: 'Delete' }, obstacles: [], left: undefined, waitsFor: undefined }) }, because)
    await tx.enqueue({ kind: 'addon', id, region: context.scope.region })
  }
  const nodes = await tx.lockNodes((await tx.nodesOf({ clusterId: cluster.id })).map(node => node.id))
  for (const nodePool of nodePools) {
    // Words of the cluster's deletion, in the pool's own: what its controller finds later, machines that were claimed meanwhile, shares the fate of the others.
    const machine = fateOfMachines(how, [nodePool.spec.isDefault ? 'DefaultNodePoolResource' : 'NodePoolResource', 'All'])
    const deletion = { requestedAt: context.now, by: 'cluster' as const, cascading: machine === 'Destroy' ? ['Ecs'] : [], retain: [] }
    await tx.changeNodePool(nodePool.id, { facts: { ...nodePool.facts, deletion, obstacles: [] } }, because)
    await tx.enqueue({ kind: 'node-pool', id: nodePool.id, region: context.scope.region })
    await deleteNodes(context, tx, nodes.filter(node => node.nodePoolId === nodePool.id), { by: 'cluster', machine }, because)
  }
}
