import { Type } from 'typebox'
import { checkPrecondition } from '#model/preconditions.ts'
import { PRODUCT_VERSION, askedBy, defineAction } from '../action.ts'
import { once } from '../idempotency.ts'
import { lockClusterAndPool, lockNodesOfPool } from '../lock.ts'
import { deleteNodes } from '../node-deletion.ts'
import { Id, TOKEN } from './shapes.ts'

const Servers = Type.Array(Type.Union([Type.Literal('Ecs'), Type.Literal('All')]), { maxItems: 20 })

export const DeleteEdgeNodes = defineAction({
  name: 'DeleteEdgeNodes',
  version: PRODUCT_VERSION,
  kind: 'write',
  says: 'Takes nodes out of a pool and its cluster; all of them or none.',
  schema: Type.Object({
    ClusterId: Id,
    NodePoolId: Id,
    Ids: Type.Array(Id, { minItems: 1, maxItems: 100 }),
    CascadingDeleteResources: Type.Optional(Servers),
    RetainResources: Type.Optional(Servers),
    ...TOKEN,
  }),
  run: async (context, body) => {
    const { store, now } = context
    return store.write(now, tx => once(context, tx, body, async () => {
      const { cluster, nodePool } = await lockClusterAndPool(context, tx, body.ClusterId, body.NodePoolId)
      const nodes = await lockNodesOfPool(context, tx, nodePool, [...new Set(body.Ids)])
      checkPrecondition('DeleteEdgeNodes', { cluster, nodePool, nodes }, now)
      await deleteNodes(context, tx, nodes, 'call', askedBy(context, 'The deletion of the node was asked for.'))
      return { resourceId: nodes[0]?.id ?? nodePool.id, result: {} }
    }))
  },
})
