import { Type } from 'typebox'
import { parseUpdateNodePoolConfig } from '#model/node-pool/validate-central.ts'
import { PRODUCT_VERSION, defineAction } from '../action.ts'
import { updateNodePool } from '../node-pool-changes.ts'
import { AutoScaling, NODE_POOL_CONFIG, NodeConfig } from './node-pool-shapes.ts'
import { Id, TOKEN, Tags, Text } from './shapes.ts'

export const UpdateNodePoolConfig = defineAction({
  name: 'UpdateNodePoolConfig',
  version: PRODUCT_VERSION,
  kind: 'write',
  says: 'Changes a central pool: name, labels, taints, scaling, and what servers to come are like. An empty list clears.',
  schema: Type.Object({
    ClusterId: Id,
    Id,
    Name: Type.Optional(Text),
    NodeConfig: Type.Optional(NodeConfig),
    KubernetesConfig: NODE_POOL_CONFIG.KubernetesConfig,
    AutoScaling: Type.Optional(AutoScaling),
    Tags: Type.Optional(Tags),
    ...TOKEN,
  }),
  run: (context, body) => updateNodePool(context, body, 'UpdateNodePoolConfig', parseUpdateNodePoolConfig(body)),
})
