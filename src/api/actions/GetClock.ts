import { Type } from 'typebox'
import { OWN_VERSION, defineAction } from '../action.ts'
import { clockOf, clockToWire } from '../region-time.ts'

export const GetClock = defineAction({
  name: 'GetClock',
  version: OWN_VERSION,
  kind: 'read',
  says: 'Shows the time of a simulated region, how fast it runs, and how far its work is behind.',
  schema: Type.Object({}),
  run: async context => clockToWire(clockOf(context).read()),
})
