import { Type } from 'typebox'
import { scaledTo } from '#model/node-pool/scaling.ts'
import { parseScaleUp } from '#model/node-pool/validate.ts'
import { refuseParameter } from '#model/errors/catalogue.ts'
import { checkPrecondition } from '#model/preconditions.ts'
import { PRODUCT_VERSION, defineAction } from '../action.ts'
import { once } from '../idempotency.ts'
import { lockClusterAndPool } from '../lock.ts'
import { claimsOpen, putNodePool } from '../node-pool-changes.ts'
import { Id, TOKEN, Whole } from './shapes.ts'

export const ScaleUpEdgeNodePool = defineAction({
  name: 'ScaleUpEdgeNodePool',
  version: PRODUCT_VERSION,
  kind: 'write',
  says: 'Sets how many machines an elastic pool is to have, which may be fewer; within its MinReplicas and MaxReplicas.',
  schema: Type.Object({ ClusterId: Id, NodePoolId: Id, DesiredReplicas: Whole, ...TOKEN }),
  run: async (context, body) => {
    const { store, now } = context
    const { clusterId, id, desiredReplicas } = parseScaleUp(body)
    return store.write(now, tx => once(context, tx, body, async () => {
      const { cluster, nodePool } = await lockClusterAndPool(context, tx, clusterId, id)
      const { scaling, type } = nodePool.spec
      if (!scaling || type !== 'edge-machine-pool') return refuseParameter(context.action, 'NodePoolId', 'the pool is not elastic, and only elastic pools are scaled')
      checkPrecondition('ScaleUpEdgeNodePool', { cluster, nodePool }, now)
      const spec = { ...nodePool.spec, scaling: scaledTo(scaling, desiredReplicas) }
      await putNodePool(context, tx, nodePool, { spec, facts: await claimsOpen(tx, nodePool, spec) }, `It was asked to have ${desiredReplicas} ${desiredReplicas === 1 ? 'machine' : 'machines'}.`)
      return { resourceId: nodePool.id, result: {} }
    }))
  },
})
