import { Type } from 'typebox'
import { parseCreateEdgeNodePool } from '#model/node-pool/validate.ts'
import { PRODUCT_VERSION, defineAction } from '../action.ts'
import { createNodePool } from '../node-pool-changes.ts'
import { NODE_POOL_CONFIG } from './node-pool-shapes.ts'
import { Id, TOKEN, Text } from './shapes.ts'

export const CreateEdgeNodePool = defineAction({
  name: 'CreateEdgeNodePool',
  version: PRODUCT_VERSION,
  kind: 'write',
  says: 'Makes a static pool, whose nodes are machines that run an onboarding script, or an elastic one, which orders machines by itself.',
  schema: Type.Object({
    ClusterId: Id,
    Name: Text,
    NodePoolType: Type.Optional(Text),
    VpcId: Type.Optional(Text),
    ...NODE_POOL_CONFIG,
    ...TOKEN,
  }),
  apart: ({ ClusterId }) => ({ clusterId: ClusterId, names: [] }),
  run: (context, body) => createNodePool(context, body, 'CreateEdgeNodePool', parseCreateEdgeNodePool(body)),
})
