import { Type } from 'typebox'
import { newId } from '#model/ids.ts'
import { parseCreateEdgeNodePool } from '#model/node-pool/validate.ts'
import { checkPrecondition } from '#model/preconditions.ts'
import { PRODUCT_VERSION, askedBy, defineAction } from '../action.ts'
import { once, tokenOf } from '../idempotency.ts'
import { lockCluster } from '../lock.ts'
import { NODE_POOL_CONFIG, refuseTakenName } from './node-pool-shapes.ts'
import { Id, TOKEN, Text, given } from './shapes.ts'

export const CreateEdgeNodePool = defineAction({
  name: 'CreateEdgeNodePool',
  version: PRODUCT_VERSION,
  kind: 'write',
  says: 'Makes a static pool, whose nodes are machines that run an onboarding script.',
  schema: Type.Object({
    ClusterId: Id,
    Name: Text,
    NodePoolType: Type.Optional(Text),
    VpcId: Type.Optional(Text),
    ...NODE_POOL_CONFIG,
    ...TOKEN,
  }),
  run: async (context, body) => {
    const { scope, store, now } = context
    const { spec } = parseCreateEdgeNodePool(body)
    return store.write(now, tx => once(context, tx, body, async () => {
      const cluster = await lockCluster(context, tx, body.ClusterId)
      checkPrecondition('CreateEdgeNodePool', { cluster }, now)
      await refuseTakenName(tx, cluster.id, spec.name)

      const id = newId('node-pool', now, context.randomBytes(8))
      await tx.insertNodePool(
        { id, ...scope, ...given({ createClientToken: tokenOf(body) }), clusterId: cluster.id, spec, facts: { ready: false, obstacles: [], openClaims: 0 } },
        askedBy(context, `The creation of the node pool ${spec.name} was asked for.`),
      )
      await tx.enqueue({ kind: 'node-pool', id, region: scope.region })
      return { resourceId: id, result: { Id: id } }
    }))
  },
})
