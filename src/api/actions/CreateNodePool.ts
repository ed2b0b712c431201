import { Type } from 'typebox'
import { parseCreateNodePool } from '#model/node-pool/validate-central.ts'
import { PRODUCT_VERSION, defineAction } from '../action.ts'
import { createNodePool } from '../node-pool-changes.ts'
import { AutoScaling, NODE_POOL_CONFIG, NodeConfig } from './node-pool-shapes.ts'
import { Id, TOKEN, Tags, Text } from './shapes.ts'

export const CreateNodePool = defineAction({
  name: 'CreateNodePool',
  version: PRODUCT_VERSION,
  kind: 'write',
  says: 'Makes a central pool: it orders servers by itself, or takes those that CreateNodes names.',
  schema: Type.Object({
    ClusterId: Id,
    Name: Text,
    NodeConfig,
    KubernetesConfig: NODE_POOL_CONFIG.KubernetesConfig,
    AutoScaling: Type.Optional(AutoScaling),
    Tags: Type.Optional(Tags),
    ...TOKEN,
  }),
  apart: ({ ClusterId }) => ({ clusterId: ClusterId, names: [] }),
  run: (context, body) => createNodePool(context, body, 'CreateNodePool', parseCreateNodePool(body)),
})
