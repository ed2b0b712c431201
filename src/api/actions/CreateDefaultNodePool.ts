import { Type } from 'typebox'
import { parseCreateDefaultNodePool } from '#model/node-pool/validate-central.ts'
import { PRODUCT_VERSION, defineAction } from '../action.ts'
import { createNodePool } from '../node-pool-changes.ts'
import { NODE_POOL_CONFIG, NodeConfig } from './node-pool-shapes.ts'
import { Id, TOKEN, Tags } from './shapes.ts'

export const CreateDefaultNodePool = defineAction({
  name: 'CreateDefaultNodePool',
  version: PRODUCT_VERSION,
  kind: 'write',
  says: 'Makes the one pool of a cluster into which CreateNodes puts servers that are added without a pool.',
  schema: Type.Object({
    ClusterId: Id,
    NodeConfig: Type.Optional(NodeConfig),
    KubernetesConfig: NODE_POOL_CONFIG.KubernetesConfig,
    Tags: Type.Optional(Tags),
    ...TOKEN,
  }),
  run: (context, body) => createNodePool(context, body, 'CreateDefaultNodePool', parseCreateDefaultNodePool(body)),
})
