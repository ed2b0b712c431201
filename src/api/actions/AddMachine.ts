import { Type } from 'typebox'
import { refuse, refuseParameter } from '#model/errors/catalogue.ts'
import { newId } from '#model/ids.ts'
import { OWN_VERSION, defineAction } from '../action.ts'
import { once } from '../idempotency.ts'
import { holdRegion, refuseRemoved } from '../lock.ts'
import { machinesOf } from '../machine-access.ts'
import { TOKEN, Text } from './shapes.ts'

export const AddMachine = defineAction({
  name: 'AddMachine',
  version: OWN_VERSION,
  kind: 'write',
  refusedInArrears: true,
  says: 'Makes an empty machine of the region and switches it on; its name becomes its hostname.',
  schema: Type.Object({ Name: Text, ...TOKEN }),
  run: async (context, body) => {
    const { scope, store, now } = context
    const { addresses } = machinesOf(context)
    // It becomes a hostname and then a Kubernetes node name.
    if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(body.Name)) refuseParameter(context.action, 'Name', 'it has to be 1 to 63 lower-case letters, digits and hyphens, no hyphen first or last')
    return store.write(now, tx => once(context, tx, body, async () => {
      const [isThere] = await Promise.all([holdRegion(context, tx), tx.lockName(`machines/${scope.accountId}/${scope.region}`)])
      if (!isThere) return refuseRemoved(context)
      const namesake = (await tx.machinesOf(scope)).find(other => other.name === body.Name)
      if (namesake) refuse('Conflict.{Parameter}', { Parameter: 'Name', value: body.Name, by: `the machine ${namesake.id} has it` })
      const id = newId('machine', now, context.randomBytes(8))
      const address = await tx.claimAddress(scope.region, id, addresses)
      if (address === undefined) return refuse('OperationDenied.RegionNotReady', { region: scope.region, why: `its addresses for machines, ${addresses.first} to ${addresses.last}, are all taken` })
      await tx.insertMachine({ id, ...scope, name: body.Name, address, power: 'on', link: 'up', createdAt: now })
      await tx.enqueue({ kind: 'machine', id, region: scope.region })
      return { resourceId: id, result: { Id: id } }
    }))
  },
})
