import { Type } from 'typebox'
import { refuseParameter } from '#model/errors/catalogue.ts'
import { parseScaleDown } from '#model/node/validate.ts'
import { checkPrecondition } from '#model/preconditions.ts'
import { PRODUCT_VERSION, askedBy, defineAction } from '../action.ts'
import { once } from '../idempotency.ts'
import { lockClusterAndPool, lockNodesOfPool } from '../lock.ts'
import { deleteNodes, lowerTarget } from '../node-deletion.ts'
import { Id, Ids, TOKEN } from './shapes.ts'

export const ScaleDownEdgeNodePool = defineAction({
  name: 'ScaleDownEdgeNodePool',
  version: PRODUCT_VERSION,
  kind: 'write',
  says: 'Takes exactly these nodes out of an elastic pool, with their machines, and wants so many fewer.',
  schema: Type.Object({ ClusterId: Id, NodePoolId: Id, NodeIds: Ids, ...TOKEN }),
  run: async (context, body) => {
    const { store, now } = context
    const { clusterId, nodePoolId, ids } = parseScaleDown(body)
    return store.write(now, tx => once(context, tx, body, async () => {
      const { cluster, nodePool } = await lockClusterAndPool(context, tx, clusterId, nodePoolId)
      if (nodePool.spec.type !== 'edge-machine-pool') return refuseParameter(context.action, 'NodePoolId', 'the pool is not elastic, and only elastic pools are scaled')
      const nodes = await lockNodesOfPool(context, tx, nodePool, ids)
      checkPrecondition('ScaleDownEdgeNodePool', { cluster, nodePool, nodes }, now)
      await lowerTarget(context, tx, nodePool, nodes)
      await deleteNodes(context, tx, nodes, { by: 'call', machine: 'Destroy' }, askedBy(context, 'The pool was asked to do without this node.'))
      return { resourceId: nodePool.id, result: {} }
    }))
  },
})
