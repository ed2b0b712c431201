import { Type } from 'typebox'
import { OWN_VERSION, defineAction } from '../action.ts'
import { quotasOf } from '../simulated-world.ts'
import { PAGE, pageOf, pageOfAll } from './shapes.ts'

export const ListQuotas = defineAction({
  name: 'ListQuotas',
  version: OWN_VERSION,
  kind: 'read',
  says: 'Lists how many of which kinds the account may have in this region, and has; kinds that are not listed are unlimited.',
  schema: Type.Object(PAGE),
  run: async (context, body) => {
    const page = pageOf(body), all = await quotasOf(context).quotas(context.scope.accountId)
    return pageOfAll(page, all, ({ kind, limit, held }) => ({ Kind: kind, Limit: limit, Held: held }))
  },
})
