import { Type } from 'typebox'
import { parseUpdateEdgeNodePoolConfig } from '#model/node-pool/validate.ts'
import { PRODUCT_VERSION, defineAction } from '../action.ts'
import { updateNodePool } from '../node-pool-changes.ts'
import { NODE_POOL_CONFIG } from './node-pool-shapes.ts'
import { Id, TOKEN, Text } from './shapes.ts'

export const UpdateEdgeNodePoolConfig = defineAction({
  name: 'UpdateEdgeNodePoolConfig',
  version: PRODUCT_VERSION,
  kind: 'write',
  says: 'Changes name, labels, taints and, of elastic pools, scaling and machines to come; labels and taints reach the Kubernetes nodes. An empty list clears.',
  schema: Type.Object({
    ClusterId: Id,
    Id,
    Name: Type.Optional(Text),
    ...NODE_POOL_CONFIG,
    ...TOKEN,
  }),
  run: (context, body) => updateNodePool(context, body, 'UpdateEdgeNodePoolConfig', parseUpdateEdgeNodePoolConfig(body)),
})
