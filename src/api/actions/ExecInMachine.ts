import { Type } from 'typebox'
import { OWN_VERSION, defineAction } from '../action.ts'
import { findMachine, runOn } from '../machine-access.ts'
import { Id } from './shapes.ts'

const Argument = Type.String({ maxLength: 65_536 })

export const ExecInMachine = defineAction({
  name: 'ExecInMachine',
  version: OWN_VERSION,
  kind: 'write',
  says: 'Runs a command on a machine of the region; the answer comes when it has ended, with the end of its output.',
  schema: Type.Object({
    Id,
    Command: Type.Array(Argument, { minItems: 1, maxItems: 1000 }),
    Stdin: Type.Optional(Type.String()),
    TimeoutSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 3600, default: 300 })),
  }),
  run: async (context, body) => {
    const machine = await findMachine(context, body.Id)
    const options = { ...body.Stdin !== undefined && { stdin: body.Stdin }, longestMs: (body.TimeoutSeconds ?? 300) * 1000 }
    const { exitCode, output } = await runOn(context, machine, body.Command, options)
    return { ExitCode: exitCode, Output: output }
  },
})
