import { Type } from 'typebox'
import { refuse, refuseParameter } from '#model/errors/catalogue.ts'
import { OWN_VERSION, defineAction } from '../action.ts'
import { faultsOf } from '../simulated-world.ts'
import { Id } from './shapes.ts'

export const ClearFault = defineAction({
  name: 'ClearFault',
  version: OWN_VERSION,
  kind: 'write',
  says: 'Takes a fault away, or all of them; what it held goes on.',
  schema: Type.Object({ Id: Type.Optional(Id), All: Type.Optional(Type.Boolean()) }),
  run: async (context, body) => {
    const faults = faultsOf(context)
    if ((body.Id === undefined) === (body.All !== true)) refuseParameter(context.action, 'Id', 'either Id or All is sent')
    if (body.Id === undefined) await faults.clearAll()
    else if (!await faults.clear(body.Id)) refuse('NotFound.{Resource}', { Resource: 'Fault', id: body.Id })
    return {}
  },
})
