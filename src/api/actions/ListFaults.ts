import { Type } from 'typebox'
import { rfc3339Milliseconds } from '#model/time.ts'
import type { StandingFault } from '#ports/region-world.ts'
import { OWN_VERSION, defineAction } from '../action.ts'
import { faultsOf } from '../simulated-world.ts'
import { PAGE, given, pageOf, pageOfAll } from './shapes.ts'

export const ListFaults = defineAction({
  name: 'ListFaults',
  version: OWN_VERSION,
  kind: 'read',
  says: 'Lists the faults of a simulated region, oldest first, with how often each has struck.',
  schema: Type.Object(PAGE),
  run: async (context, body) => {
    const page = pageOf(body), all = faultsOf(context).list()
    return pageOfAll(page, all, faultToWire)
  },
})

function faultToWire({ id, port, call, target, effect, times, from, until, injectedAt, hits }: StandingFault): object {
  return given({
    Id: id, Port: port, Call: call, Hits: hits, InjectedAt: rfc3339Milliseconds(injectedAt), Times: times,
    Target: target && given({ Kind: target.kind, Id: target.id, Name: target.name, Label: target.label, Nth: target.nth }),
    Effect: given({ Type: effect.type, Code: effect.code, Message: effect.message, For: effect.for === undefined ? undefined : `${effect.for}ms` }),
    From: from === undefined ? undefined : rfc3339Milliseconds(from), Until: until === undefined ? undefined : rfc3339Milliseconds(until),
  })
}
