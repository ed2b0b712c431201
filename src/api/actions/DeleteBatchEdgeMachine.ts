import { Type } from 'typebox'
import { refuse } from '#model/errors/catalogue.ts'
import { PRODUCT_VERSION, defineAction } from '../action.ts'
import { once } from '../idempotency.ts'
import { findOnboarding } from '../lock.ts'
import { Id, TOKEN } from './shapes.ts'

export const DeleteBatchEdgeMachine = defineAction({
  name: 'DeleteBatchEdgeMachine',
  version: PRODUCT_VERSION,
  kind: 'write',
  says: 'Deletes onboarding scripts: their tokens make no more nodes. Nodes that they made stay.',
  schema: Type.Object({
    ClusterId: Type.Optional(Id),
    NodePoolId: Type.Optional(Id),
    Ids: Type.Array(Id, { minItems: 1, maxItems: 100 }),
    ...TOKEN,
  }),
  run: async (context, body) => {
    const { store, now } = context
    const onboardings = await Promise.all([...new Set(body.Ids)].map(id => findOnboarding(context, id)))
    const stranger = onboardings.find(onboarding =>
      onboarding.clusterId !== (body.ClusterId ?? onboarding.clusterId) || onboarding.nodePoolId !== (body.NodePoolId ?? onboarding.nodePoolId))
    if (stranger) refuse('NotFound.{Resource}', { Resource: 'BatchEdgeMachine', id: stranger.id })
    return store.write(now, tx => once(context, tx, body, async () => {
      for (const onboarding of onboardings) await tx.forgetOnboarding(onboarding.id, now)
      return { resourceId: onboardings[0]?.clusterId ?? '', result: {} }
    }))
  },
})
