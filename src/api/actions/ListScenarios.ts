import { Type } from 'typebox'
import { OWN_VERSION, defineAction } from '../action.ts'
import { SCENARIOS } from '../scenarios/all.ts'
import { checkScenarios } from '../simulated-world.ts'
import { PAGE, Text, pageOf, pageOfAll } from './shapes.ts'

export const ListScenarios = defineAction({
  name: 'ListScenarios',
  version: OWN_VERSION,
  kind: 'read',
  inAnyRegion: true,
  says: 'Lists the scenarios: for each row of the status tables the public calls and steps of the clock that lead to it.',
  schema: Type.Object({ Filter: Type.Optional(Type.Object({ Names: Type.Optional(Type.Array(Text, { maxItems: 100 })) })), ...PAGE }),
  run: async (context, body) => {
    checkScenarios(context)
    const page = pageOf(body)
    const names = body.Filter?.Names ?? []
    const found = SCENARIOS.filter(scenario => names.length === 0 || names.includes(scenario.Name))
    return pageOfAll(page, found, one => one)
  },
})
