import { Type } from 'typebox'
import { parseDeleteEdgeNodes } from '#model/node-pool/validate.ts'
import { checkPrecondition } from '#model/preconditions.ts'
import { PRODUCT_VERSION, askedBy, defineAction } from '../action.ts'
import { once } from '../idempotency.ts'
import { lockClusterAndPool, lockNodesOfPool } from '../lock.ts'
import { deleteNodes } from '../node-deletion.ts'
import { Id, Ids, TOKEN } from './shapes.ts'

const Servers = Type.Array(Type.Literal('Ecs'), { maxItems: 100 })

export const DeleteEdgeNodes = defineAction({
  name: 'DeleteEdgeNodes',
  version: PRODUCT_VERSION,
  kind: 'write',
  says: 'Takes nodes out of a pool and its cluster; all of them or none.',
  schema: Type.Object({
    ClusterId: Id,
    NodePoolId: Id,
    Ids,
    CascadingDeleteResources: Type.Optional(Servers),
    RetainResources: Type.Optional(Servers),
    ...TOKEN,
  }),
  run: async (context, body) => {
    const { store, now } = context
    const { clusterId, nodePoolId, ids } = parseDeleteEdgeNodes(body)
    return store.write(now, tx => once(context, tx, body, async () => {
      const { cluster, nodePool } = await lockClusterAndPool(context, tx, clusterId, nodePoolId)
      const nodes = await lockNodesOfPool(context, tx, nodePool, ids)
      checkPrecondition('DeleteEdgeNodes', { cluster, nodePool, nodes }, now)
      await deleteNodes(context, tx, nodes, 'call', askedBy(context, 'The deletion of the node was asked for.'))
      return { resourceId: nodes[0]?.id ?? nodePool.id, result: {} }
    }))
  },
})
