import { Type } from 'typebox'
import { refuseParameter } from '#model/errors/catalogue.ts'
import { OWN_VERSION, defineAction } from '../action.ts'
import { usersOf, withCluster } from '../simulated-world.ts'
import { Id, given } from './shapes.ts'

/** Kubernetes' names, prefixes of kinds' groups included. */
export const ObjectText = Type.String({ minLength: 1, maxLength: 253, pattern: '^[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?$' })

/** Of namespaces and workloads. */
export const LabelText = Type.String({ minLength: 1, maxLength: 63, pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$' })

export const PutObject = defineAction({
  name: 'PutObject',
  version: OWN_VERSION,
  kind: 'write',
  says: 'Puts an object into a simulated cluster, as its user would with kubectl, or replaces the finalizers of one.',
  schema: Type.Object({ ClusterId: Id, Kind: ObjectText, Namespace: Type.Optional(LabelText), Name: ObjectText, Finalizers: Type.Optional(Type.Array(ObjectText, { maxItems: 20 })) }),
  run: async (context, body) => {
    const { users, cluster } = await usersOf(context, body.ClusterId)
    await withCluster(cluster, async () => {
      const why = users.kindComplaint(cluster.id, body.Kind)
      if (why !== undefined) refuseParameter(context.action, 'Kind', why)
      await users.putObject({ clusterId: cluster.id, kind: body.Kind, name: body.Name, ...given({ namespace: body.Namespace, finalizers: body.Finalizers }) })
    })
    return {}
  },
})
