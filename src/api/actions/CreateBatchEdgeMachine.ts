import { hash } from 'node:crypto'
import { Type } from 'typebox'
import { refuseParameter } from '#model/errors/catalogue.ts'
import { newId } from '#model/ids.ts'
import { parseCreateBatchEdgeMachine } from '#model/onboarding/validate.ts'
import { checkPrecondition } from '#model/preconditions.ts'
import { PRODUCT_VERSION, defineAction } from '../action.ts'
import { once } from '../idempotency.ts'
import { lockClusterAndPool } from '../lock.ts'
import { Id, TOKEN, Text, given } from './shapes.ts'

export const CreateBatchEdgeMachine = defineAction({
  name: 'CreateBatchEdgeMachine',
  version: PRODUCT_VERSION,
  kind: 'write',
  says: 'Makes an onboarding script for a static pool: run on a machine, it makes that machine a node.',
  schema: Type.Object({
    ClusterId: Id,
    NodePoolId: Id,
    Name: Type.Optional(Text),
    TTLHours: Type.Optional(Type.Integer()),
    ExpirationDate: Type.Optional(Type.Integer()),
    ...TOKEN,
  }),
  run: async (context, body) => {
    const { scope, store, now } = context
    const { clusterId, nodePoolId, name, clientToken, expiresAt, expirationDate } = parseCreateBatchEdgeMachine(body, now)
    return store.write(now, tx => once(context, tx, body, async () => {
      const { cluster, nodePool } = await lockClusterAndPool(context, tx, clusterId, nodePoolId)
      if (nodePool.spec.type !== 'edge-machine-set') refuseParameter(context.action, 'NodePoolId', 'the pool orders its machines by itself; scripts are for static pools')
      checkPrecondition('CreateBatchEdgeMachine', { cluster, nodePool }, now)
      const id = newId('onboarding', now, context.randomBytes(8))
      const token = Buffer.from(context.randomBytes(24)).toString('base64url')
      await tx.insertOnboarding({
        id, ...scope, revision: 1, createdAt: now, updatedAt: now, ...given({ createClientToken: clientToken, expirationDate }),
        clusterId: cluster.id, nodePoolId: nodePool.id, name: name ?? id, expiresAt, tokenHash: hash('sha256', token, 'hex'),
      }, token)
      return { resourceId: id, result: { Ids: [id] } }
    }))
  },
})
