import { Type } from 'typebox'
import { refuse, refuseParameter } from '#model/errors/catalogue.ts'
import { parseDeleteBatchEdgeMachine } from '#model/onboarding/validate.ts'
import { PRODUCT_VERSION, defineAction } from '../action.ts'
import { once } from '../idempotency.ts'
import { lockClusterAndPool, within } from '../lock.ts'
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
    const known = (await Promise.all(ids.map(id => store.findOnboarding(id)))).flatMap(onboarding => within(context.scope, onboarding) ?? [])
    return store.write(now, tx => once(context, tx, body, async () => {
      // Looked at here, so that a repeat with the same token gets the first answer, though the scripts are gone by then.
      const onboardings = known.filter(({ deletedAt }) => deletedAt === undefined)
      const stray = onboardings.find(onboarding => onboarding.clusterId !== clusterId || onboarding.nodePoolId !== nodePoolId)
      if (stray) {
        await lockClusterAndPool(context, tx, clusterId, nodePoolId)
        refuseParameter(context.action, 'NodePoolId', `the onboarding script ${stray.id} is one of the node pool ${stray.nodePoolId}; nothing was changed`)
      }
      // Those that are gone are done.
      if (onboardings.length === 0) refuse('NotFound.{Resource}', { Resource: 'BatchEdgeMachine', id: ids[0] ?? '' })
      for (const onboarding of onboardings) await tx.forgetOnboarding(onboarding.id, now)
      return { resourceId: clusterId, result: {} }
    }))
  },
})
