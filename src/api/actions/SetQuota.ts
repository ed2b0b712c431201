import { Type } from 'typebox'
import { refuseParameter } from '#model/errors/catalogue.ts'
import { LIMITED_KINDS } from '#ports/region-world.ts'
import { OWN_VERSION, defineAction } from '../action.ts'
import { refuseToOthers } from '../administrator.ts'
import { quotasOf } from '../simulated-world.ts'
import { wakeRefusedPools } from './limits-changed.ts'
import { Whole } from './shapes.ts'

export const SetQuota = defineAction({
  name: 'SetQuota',
  version: OWN_VERSION,
  kind: 'write',
  says: 'Sets how many of a kind of thing the account may have in this region, or takes the limit away; in a real one with the administrator\'s key.',
  schema: Type.Object({ Kind: Type.Union(LIMITED_KINDS.map(kind => Type.Literal(kind))), Limit: Type.Optional(Whole), Unlimited: Type.Optional(Type.Literal(true)) }),
  run: async (context, body) => {
    const quotas = quotasOf(context), kinds: readonly string[] = quotas.kinds
    refuseToOthers(context)
    if (!kinds.includes(body.Kind)) refuseParameter(context.action, 'Kind', `things of that kind are not made in the region ${context.scope.region}; it has ${kinds.join(', ')}`)
    if ((body.Limit === undefined) !== (body.Unlimited === true)) refuseParameter(context.action, 'Limit', 'either Limit or Unlimited is sent')
    await quotas.setQuota(body.Kind, context.scope.accountId, body.Limit)
    await wakeRefusedPools(context)
    return {}
  },
})
