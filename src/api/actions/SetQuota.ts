import { Type } from 'typebox'
import { refuseParameter } from '#model/errors/catalogue.ts'
import { LIMITED_KINDS } from '#ports/region-world.ts'
import { OWN_VERSION, defineAction } from '../action.ts'
import { limitsOf } from '../simulated-world.ts'
import { wakeRefusedPools } from './limits-changed.ts'
import { Whole } from './shapes.ts'

export const SetQuota = defineAction({
  name: 'SetQuota',
  version: OWN_VERSION,
  kind: 'write',
  says: 'Sets how many of a kind of thing the account may have in a simulated region, or takes the limit away.',
  schema: Type.Object({ Kind: Type.Union(LIMITED_KINDS.map(kind => Type.Literal(kind))), Limit: Type.Optional(Whole), Unlimited: Type.Optional(Type.Literal(true)) }),
  run: async (context, body) => {
    const limits = limitsOf(context)
    if ((body.Limit === undefined) !== (body.Unlimited === true)) refuseParameter(context.action, 'Limit', 'either Limit or Unlimited is sent')
    await limits.setQuota(body.Kind, context.scope.accountId, body.Limit)
    await wakeRefusedPools(context)
    return {}
  },
})
