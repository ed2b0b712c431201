import { Type } from 'typebox'
import { parseUpdateBatchEdgeMachine } from '#model/onboarding/validate.ts'
import { PRODUCT_VERSION, defineAction } from '../action.ts'
import { once } from '../idempotency.ts'
import { findOnboarding } from '../lock.ts'
import { Id, TOKEN, given } from './shapes.ts'

export const UpdateBatchEdgeMachine = defineAction({
  name: 'UpdateBatchEdgeMachine',
  version: PRODUCT_VERSION,
  kind: 'write',
  says: 'Moves the end of an onboarding script.',
  schema: Type.Object({ NodeId: Id, ExpirationDate: Type.Integer(), ...TOKEN }),
  run: async (context, body) => {
    const { store, now } = context
    const { id, expirationDate, clientToken } = parseUpdateBatchEdgeMachine(body, now)
    const onboarding = await findOnboarding(context, id)
    return store.write(now, tx => once(context, tx, body, async () => {
      await tx.changeOnboarding(onboarding.id, { expiresAt: expirationDate, expirationDate, ...given({ updateClientToken: clientToken }) })
      return { resourceId: onboarding.id, result: {} }
    }))
  },
})
