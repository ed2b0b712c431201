import { Type } from 'typebox'
import { refuseParameter } from '#model/errors/catalogue.ts'
import { parseCreateEdgeNode } from '#model/node/validate.ts'
import { checkPrecondition } from '#model/preconditions.ts'
import { PRODUCT_VERSION, defineAction } from '../action.ts'
import { once } from '../idempotency.ts'
import { lockClusterAndPool } from '../lock.ts'
import { claimMachines, raiseTarget } from '../machine-claims.ts'
import { Id, TOKEN, Text, Whole } from './shapes.ts'

export const CreateEdgeNode = defineAction({
  name: 'CreateEdgeNode',
  version: PRODUCT_VERSION,
  kind: 'write',
  says: 'Makes an edge server a node of an edge pool (DirectAdd). Machines that are reached by address and password are not served: run an onboarding script on them.',
  schema: Type.Object({
    ClusterId: Id,
    NodePoolId: Id,
    Name: Type.Optional(Text),
    AutoCompleteConfig: Type.Object({
      Enable: Type.Optional(Type.Boolean()),
      Address: Type.Optional(Text),
      MachineAuth: Type.Optional(Type.Object({ AuthType: Type.Optional(Text), User: Type.Optional(Text), SSHPort: Type.Optional(Whole), Password: Type.Optional(Text) })),
      DirectAdd: Type.Optional(Type.Boolean()),
      DirectAddInstances: Type.Optional(Type.Array(Type.Object({ InstanceIdentity: Type.Optional(Text), CloudServerIdentity: Type.Optional(Text) }), { maxItems: 100 })),
    }),
    ...TOKEN,
  }),
  run: async (context, body) => {
    const { store, now } = context
    const { clusterId, nodePoolId, wishes, sent } = parseCreateEdgeNode(body)
    return store.write(now, tx => once(context, tx, body, async () => {
      const { cluster, nodePool } = await lockClusterAndPool(context, tx, clusterId, nodePoolId)
      if (nodePool.spec.type === 'machine-set') return refuseParameter(context.action, 'NodePoolId', 'it is a central pool; CreateNodes adds servers to it')
      checkPrecondition('CreateEdgeNode', { cluster, nodePool }, now)
      await raiseTarget(context, tx, nodePool, wishes.length)
      const ids = await claimMachines(context, tx, body, { cluster, nodePool, wishes, sent, parameter: 'AutoCompleteConfig.DirectAddInstances' })
      return { resourceId: ids[0] ?? nodePool.id, result: { Ids: ids } }
    }))
  },
})
