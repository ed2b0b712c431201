import { Type } from 'typebox'
import { refuse } from '#model/errors/catalogue.ts'
import { parseDeleteBatchEdgeMachine } from '#model/onboarding/validate.ts'
import { PRODUCT_VERSION, defineAction } from '../action.ts'
import { once } from '../idempotency.ts'
import { findOnboarding } from '../lock.ts'
import { Id, Ids, TOKEN } from './shapes.ts'

export const DeleteBatchEdgeMachine = defineAction({
  name: 'DeleteBatchEdgeMachine',
  version: PRODUCT_VERSION,
  kind: 'write',
  says: 'Deletes onboarding scripts: their tokens make no more nodes. Nodes that they made stay.',
  schema: Type.Object({
    ClusterId: Id,
    NodePoolId: Id,
    Ids,
    ...TOKEN,
  }),
  run: async (context, body) => {
    const { store, now } = context
    const { clusterId, nodePoolId, ids } = parseDeleteBatchEdgeMachine(body)
    const onboardings = await Promise.all(ids.map(id => findOnboarding(context, id)))
    const stranger = onboardings.find(onboarding => onboarding.clusterId !== clusterId || onboarding.nodePoolId !== nodePoolId)
    if (stranger) refuse('NotFound.{Resource}', { Resource: 'BatchEdgeMachine', id: stranger.id })
    return store.write(now, tx => once(context, tx, body, async () => {
      for (const onboarding of onboardings) await tx.forgetOnboarding(onboarding.id, now)
      return { resourceId: clusterId, result: {} }
    }))
  },
})
