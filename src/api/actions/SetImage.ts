import { Type } from 'typebox'
import { OWN_VERSION, defineAction } from '../action.ts'
import { registryOf } from '../simulated-world.ts'

export const SetImage = defineAction({
  name: 'SetImage',
  version: OWN_VERSION,
  kind: 'write',
  says: 'Says whether an image, by its name or by name and tag, is in the registry of a simulated region.',
  schema: Type.Object({ Name: Type.String({ minLength: 1, maxLength: 253, pattern: '^[a-z0-9][a-z0-9._/-]*(:[A-Za-z0-9_.-]+)?$' }), Present: Type.Boolean() }),
  run: async (context, body) => {
    await registryOf(context).setImage(body.Name, body.Present)
    return {}
  },
})
