import { Type } from 'typebox'
import { refuseParameter } from '#model/errors/catalogue.ts'
import { OWN_VERSION, defineAction } from '../action.ts'
import { clockOf, clockToWire } from '../region-time.ts'
import { Text } from './shapes.ts'
import { spanOf } from './time-texts.ts'

/** A month in a second and a half; faster clocks are steps. */
const FASTEST = 1_000_000
/** own-actions.md: not past the year 2100. */
const END = Date.UTC(2100, 0, 1)

export const SetClock = defineAction({
  name: 'SetClock',
  version: OWN_VERSION,
  kind: 'write',
  says: 'Pauses the clock of a simulated region, lets it run at a speed, or steps it on; a step answers when nothing is due up to where it leads, or after 20 s with Behind.',
  schema: Type.Object({ Paused: Type.Optional(Type.Boolean()), Speed: Type.Optional(Type.Number()), Step: Type.Optional(Text) }),
  run: async (context, body) => {
    const { action } = context
    const clock = clockOf(context)
    const step = spanOf(action, 'Step', body.Step)
    if (body.Paused === undefined && body.Speed === undefined && step === undefined) refuseParameter(action, 'Paused', 'none of Paused, Speed and Step is sent')
    if (body.Speed !== undefined && !(body.Speed > 0 && body.Speed <= FASTEST)) refuseParameter(action, 'Speed', `it has to be above 0 and at most ${FASTEST}; Paused stops the clock`)
    const { now, behindMs = 0 } = clock.read()
    if (step !== undefined && now + behindMs + step > END) refuseParameter(action, 'Step', 'it leads past the year 2099, where the clock ends')
    return clockToWire(await context.meanwhile(() => clock.set({ paused: body.Paused, speed: body.Speed, step })))
  },
})
