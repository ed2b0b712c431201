import { Type } from 'typebox'
import { OWN_VERSION, defineAction } from '../action.ts'
import { stockOf } from '../simulated-world.ts'
import { PAGE, given, pageOf, pageOfAll } from './shapes.ts'

export const ListStock = defineAction({
  name: 'ListStock',
  version: OWN_VERSION,
  kind: 'read',
  says: 'Lists how many of which kinds can still be had in a simulated region, in one area or, without Area, in all that have no stock of their own; what is not listed is unlimited.',
  schema: Type.Object(PAGE),
  run: async (context, body) => {
    const page = pageOf(body), all = stockOf(context).stock()
    return pageOfAll(page, all, ({ kind, area, count }) => given({ Kind: kind, Area: area, Count: count }))
  },
})
