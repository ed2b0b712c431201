import { Type } from 'typebox'
import { refuseParameter } from '#model/errors/catalogue.ts'
import { LIMITED_KINDS } from '#ports/region-world.ts'
import { OWN_VERSION, defineAction } from '../action.ts'
import { stockOf } from '../simulated-world.ts'
import { wakeRefusedPools } from './limits-changed.ts'
import { Text, Whole } from './shapes.ts'

export const SetStock = defineAction({
  name: 'SetStock',
  version: OWN_VERSION,
  kind: 'write',
  says: 'Sets how many of a kind of thing can still be had in a simulated region, in one area or in all, or takes the limit away.',
  schema: Type.Object({ Kind: Type.Union(LIMITED_KINDS.map(kind => Type.Literal(kind))), Area: Type.Optional(Text), Count: Type.Optional(Whole), Unlimited: Type.Optional(Type.Literal(true)) }),
  run: async (context, body) => {
    const limits = stockOf(context)
    if ((body.Count === undefined) !== (body.Unlimited === true)) refuseParameter(context.action, 'Count', 'either Count or Unlimited is sent')
    if (body.Area === '') refuseParameter(context.action, 'Area', 'it is empty; leave it out for all areas')
    await limits.setStock(body.Kind, body.Area, body.Count)
    await wakeRefusedPools(context)
    return {}
  },
})
