import { hash } from 'node:crypto'
import { Type } from 'typebox'
import { refuse } from '#model/errors/catalogue.ts'
import { newId } from '#model/ids.ts'
import { parseCreateBatchEdgeMachine } from '#model/onboarding/validate.ts'
import { checkPrecondition } from '#model/preconditions.ts'
import { PRODUCT_VERSION, defineAction } from '../action.ts'
import { once, tokenOf } from '../idempotency.ts'
import { lockClusterAndPool } from '../lock.ts'
import { Id, TOKEN, Text, given } from './shapes.ts'

export const CreateBatchEdgeMachine = defineAction({
  name: 'CreateBatchEdgeMachine',
  version: PRODUCT_VERSION,
  kind: 'write',
  says: 'Makes an onboarding script for a static pool: run on a machine, it makes that machine a node.',
  schema: Type.Object({
    ClusterId: Id,
    NodePoolId: Type.Optional(Id),
    Name: Type.Optional(Text),
    TTLHours: Type.Optional(Type.Integer()),
    ExpirationDate: Type.Optional(Type.Integer()),
    ...TOKEN,
  }),
  run: async (context, body) => {
    const { scope, store, now } = context
    const { NodePoolId: nodePoolId, ClusterId: clusterId } = body
    const wanted = parseCreateBatchEdgeMachine(body, now)
    if (nodePoolId === undefined) return refuse('NotFound.DefaultNodePool', { clusterId })
    return store.write(now, tx => once(context, tx, body, async () => {
      const { cluster, nodePool } = await lockClusterAndPool(context, tx, clusterId, nodePoolId)
      checkPrecondition('CreateBatchEdgeMachine', { cluster, nodePool }, now)
      const id = newId('onboarding', now, context.randomBytes(8))
      const token = Buffer.from(context.randomBytes(24)).toString('base64url')
      await tx.insertOnboarding({
        id, ...scope, revision: 1, createdAt: now, updatedAt: now, ...given({ createClientToken: tokenOf(body) }),
        clusterId: cluster.id, nodePoolId: nodePool.id, ...wanted, tokenHash: hash('sha256', token, 'hex'),
      }, token)
      return { resourceId: id, result: { Ids: [id] } }
    }))
  },
})
