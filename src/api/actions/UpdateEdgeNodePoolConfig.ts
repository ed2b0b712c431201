import { Type } from 'typebox'
import { isDeepStrictEqual } from 'node:util'
import { parseUpdateEdgeNodePoolConfig } from '#model/node-pool/validate.ts'
import { checkPrecondition } from '#model/preconditions.ts'
import { PRODUCT_VERSION, askedBy, defineAction } from '../action.ts'
import { once, tokenOf } from '../idempotency.ts'
import { lockClusterAndPool } from '../lock.ts'
import { NODE_POOL_CONFIG, refuseTakenName } from './node-pool-shapes.ts'
import { Id, TOKEN, Text, given } from './shapes.ts'

export const UpdateEdgeNodePoolConfig = defineAction({
  name: 'UpdateEdgeNodePoolConfig',
  version: PRODUCT_VERSION,
  kind: 'write',
  says: 'Changes name, labels and taints; labels and taints reach the Kubernetes nodes. An empty list clears.',
  schema: Type.Object({
    ClusterId: Id,
    Id,
    Name: Type.Optional(Text),
    ...NODE_POOL_CONFIG,
    ...TOKEN,
  }),
  run: async (context, body) => {
    const { scope, store, now } = context
    const { change } = parseUpdateEdgeNodePoolConfig(body)
    return store.write(now, tx => once(context, tx, body, async () => {
      const { cluster, nodePool } = await lockClusterAndPool(context, tx, body.ClusterId, body.Id)
      const spec = { ...nodePool.spec, ...change }
      checkPrecondition('UpdateEdgeNodePoolConfig', { cluster, nodePool }, now)
      await refuseTakenName(tx, cluster.id, spec.name, nodePool.id)

      const token = given({ updateClientToken: tokenOf(body) })
      if (isDeepStrictEqual(spec, nodePool.spec)) {
        if (tokenOf(body) !== undefined) await tx.changeNodePool(nodePool.id, token, askedBy(context, 'An update was asked for that changes nothing.'))
      } else {
        const facts = { ...nodePool.facts, updating: { since: now, waitsFor: [], off: [] } }
        await tx.changeNodePool(nodePool.id, { spec, facts, ...token }, askedBy(context, 'A change of its configuration was asked for.'))
        await tx.enqueue({ kind: 'node-pool', id: nodePool.id, region: scope.region })
      }
      return { resourceId: nodePool.id, result: {} }
    }))
  },
})
