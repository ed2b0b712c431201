import { Type } from 'typebox'
import { OWN_VERSION, defineAction } from '../action.ts'
import { lockMachine } from '../lock.ts'
import { Id } from './shapes.ts'

export const RemoveMachine = defineAction({
  name: 'RemoveMachine',
  version: OWN_VERSION,
  kind: 'write',
  says: 'Switches a machine off and removes it with its disk. A node that it was becomes NotReady: delete the node, too.',
  schema: Type.Object({ Id }),
  run: async (context, body) => {
    const { store, scope, now } = context
    return store.write(now, async tx => {
      const machine = await lockMachine(context, tx, body.Id)
      // What stood in the way of an earlier removal, or of its creation, is tried again.
      if (machine.deletionRequestedAt === undefined || machine.obstacle) await tx.changeMachine(machine.id, { deletionRequestedAt: machine.deletionRequestedAt ?? now, obstacle: null })
      await tx.enqueue({ kind: 'machine', id: machine.id, region: scope.region })
      return {}
    })
  },
})
