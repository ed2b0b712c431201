import { Type } from 'typebox'
import { parseDeleteNodes } from '#model/node/validate.ts'
import { PRODUCT_VERSION, defineAction } from '../action.ts'
import { removeNodes } from '../node-deletion.ts'
import { Servers } from './node-pool-shapes.ts'
import { Id, Ids, TOKEN } from './shapes.ts'

export const DeleteEdgeNodes = defineAction({
  name: 'DeleteEdgeNodes',
  version: PRODUCT_VERSION,
  kind: 'write',
  says: 'Takes nodes out of a pool and its cluster; all of them or none. Machines that were ordered for them are kept unless CascadingDeleteResources names Ecs.',
  schema: Type.Object({
    ClusterId: Id,
    NodePoolId: Id,
    Ids,
    CascadingDeleteResources: Type.Optional(Servers),
    RetainResources: Type.Optional(Servers),
    ...TOKEN,
  }),
  run: (context, body) => removeNodes(context, body, 'DeleteEdgeNodes', parseDeleteNodes('DeleteEdgeNodes', body)),
})
