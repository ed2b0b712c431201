import { Type } from 'typebox'
import { fateOfMachines } from '#model/node/validate.ts'
import { parseDeleteNodePool } from '#model/node-pool/validate.ts'
import { checkPrecondition } from '#model/preconditions.ts'
import { wakeSharers } from '#ports/sharing-pools.ts'
import { PRODUCT_VERSION, askedBy, defineAction } from '../action.ts'
import { once } from '../idempotency.ts'
import { lockClusterAndPool } from '../lock.ts'
import { deleteNodes } from '../node-deletion.ts'
import { Servers } from './node-pool-shapes.ts'
import { Id, TOKEN } from './shapes.ts'

export const DeleteNodePool = defineAction({
  name: 'DeleteNodePool',
  version: PRODUCT_VERSION,
  kind: 'write',
  says: 'Deletes a node pool, an edge one too, with its nodes. Machines that it ordered are kept unless CascadingDeleteResources names Ecs.',
  schema: Type.Object({
    ClusterId: Id,
    Id,
    CascadingDeleteResources: Type.Optional(Servers),
    RetainResources: Type.Optional(Servers),
    ...TOKEN,
  }),
  run: async (context, body) => {
    const { scope, store, now } = context
    const { clusterId, id, cascading, retain } = parseDeleteNodePool(body)
    return store.write(now, tx => once(context, tx, body, async () => {
      const { cluster, nodePool } = await lockClusterAndPool(context, tx, clusterId, id)
      checkPrecondition('DeleteNodePool', { cluster, nodePool }, now)
      const deletion = { requestedAt: now, by: 'call' as const, cascading, retain }
      const nodes = await tx.lockNodes((await tx.nodesOf({ nodePoolId: nodePool.id })).map(node => node.id))
      await tx.changeNodePool(nodePool.id, { facts: { ...nodePool.facts, deletion, obstacles: [] } }, askedBy(context, 'The deletion of the node pool was asked for.'))
      await deleteNodes(context, tx, nodes, { by: 'pool', machine: fateOfMachines(deletion, ['Ecs']) }, {
        ...askedBy(context, 'The deletion of its node pool was asked for.'),
        causedBy: { kind: 'NodePool', id: nodePool.id, name: nodePool.spec.name, clusterId: cluster.id },
      })
      await tx.enqueue({ kind: 'node-pool', id: nodePool.id, region: scope.region })
      await wakeSharers(tx, nodePool)
      return { resourceId: cluster.id, result: {} }
    }))
  },
})
