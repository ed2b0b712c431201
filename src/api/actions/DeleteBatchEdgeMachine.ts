import { Type } from 'typebox'
import { refuse } from '#model/errors/catalogue.ts'
import { parseDeleteBatchEdgeMachine } from '#model/onboarding/validate.ts'
import { PRODUCT_VERSION, defineAction } from '../action.ts'
import { once } from '../idempotency.ts'
import { within } from '../lock.ts'
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
    const known = await Promise.all(ids.map(async id => ({ id, onboarding: within(context.scope, await store.findOnboarding(id)) })))
    return store.write(now, tx => once(context, tx, body, async () => {
      // Looked at here, so that a repeat with the same token gets the first answer, though the scripts are gone by then.
      const onboardings = known.map(({ id, onboarding }) => {
        const isThere = onboarding && onboarding.deletedAt === undefined && onboarding.clusterId === clusterId && onboarding.nodePoolId === nodePoolId
        return isThere ? onboarding : refuse('NotFound.{Resource}', { Resource: 'BatchEdgeMachine', id })
      })
      for (const onboarding of onboardings) await tx.forgetOnboarding(onboarding.id, now)
      return { resourceId: clusterId, result: {} }
    }))
  },
})
