import { Type } from 'typebox'
import { isDeepStrictEqual } from 'node:util'
import { refuse } from '#model/errors/catalogue.ts'
import { parseUpdateEdgeNodePoolConfig } from '#model/node-pool/validate.ts'
import { checkPrecondition } from '#model/preconditions.ts'
import { PRODUCT_VERSION, askedBy, defineAction } from '../action.ts'
import { once, tokenOf } from '../idempotency.ts'
import { lockClusterAndPool } from '../lock.ts'
import { BillingConfigs, ElasticConfig, KubernetesConfig } from './node-pool-shapes.ts'
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
    KubernetesConfig: Type.Optional(KubernetesConfig),
    BillingConfigs: Type.Optional(BillingConfigs),
    ElasticConfig: Type.Optional(ElasticConfig),
    ...TOKEN,
  }),
  run: async (context, body) => {
    const { scope, store, now } = context
    const { change } = parseUpdateEdgeNodePoolConfig(body)
    return store.write(now, tx => once(context, tx, body, async () => {
      const { cluster, nodePool } = await lockClusterAndPool(context, tx, body.ClusterId, body.Id)
      const spec = { ...nodePool.spec, ...change }
      checkPrecondition('UpdateEdgeNodePoolConfig', { cluster, nodePool }, now)
      const namesake = (await tx.nodePoolsOf(cluster.id)).find(other => other.id !== nodePool.id && other.spec.name === spec.name)
      if (namesake) refuse('Conflict.{Parameter}', { Parameter: 'Name', value: spec.name, by: `the node pool ${namesake.id} of this cluster has it` })

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
