import { Type } from 'typebox'
import { refuse } from '#model/errors/catalogue.ts'
import { OWN_VERSION, defineAction } from '../action.ts'
import { usersOf, withCluster } from '../simulated-world.ts'
import { LabelText, ObjectText } from './PutObject.ts'
import { Id, given } from './shapes.ts'

export const DeleteObject = defineAction({
  name: 'DeleteObject',
  version: OWN_VERSION,
  kind: 'write',
  says: 'Deletes an object of a simulated cluster, as its user would with kubectl; one with finalizers stays until they are taken off.',
  schema: Type.Object({ ClusterId: Id, Kind: ObjectText, Namespace: Type.Optional(LabelText), Name: ObjectText }),
  run: async (context, body) => {
    const { users, cluster } = await usersOf(context, body.ClusterId)
    const which = { clusterId: cluster.id, kind: body.Kind, name: body.Name, ...given({ namespace: body.Namespace }) }
    await withCluster(cluster, async () => {
      if (!await users.deleteObject(which)) refuse('NotFound.{Resource}', { Resource: body.Kind, id: body.Name })
    })
    return {}
  },
})
