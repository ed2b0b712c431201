import { Type } from 'typebox'
import { refuseParameter } from '#model/errors/catalogue.ts'
import { parseCreateEdgeNode } from '#model/node/validate.ts'
import { checkPrecondition } from '#model/preconditions.ts'
import { PRODUCT_VERSION, defineAction } from '../action.ts'
import { once } from '../idempotency.ts'
import { lockClusterAndPool } from '../lock.ts'
import { claimMachines, raiseTarget } from '../machine-claims.ts'
import { claimByLogin, withoutPassword, type ClaimedLogin } from '../machine-login.ts'
import { Id, TOKEN, Text, Whole } from './shapes.ts'

export const CreateEdgeNode = defineAction({
  name: 'CreateEdgeNode',
  version: PRODUCT_VERSION,
  kind: 'write',
  says: 'Makes an edge server a node of an edge pool (DirectAdd); or logs in once by SSH to the machine at Address, with MachineAuth, and runs the onboarding script there. Password is the text itself, not its base64; it is kept nowhere, so that a repeat with the same ClientToken may bring another one and logs in to nothing.',
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
    const { clusterId, nodePoolId, wishes, sent, login } = parseCreateEdgeNode(body)
    let claimed: ClaimedLogin | undefined
    const result = await store.write(now, tx => once(context, tx, withoutPassword(body), async () => {
      const { cluster, nodePool } = await lockClusterAndPool(context, tx, clusterId, nodePoolId)
      if (nodePool.spec.type === 'machine-set') return refuseParameter(context.action, 'NodePoolId', 'it is a central pool; CreateNodes adds servers to it')
      checkPrecondition('CreateEdgeNode', { cluster, nodePool }, now)
      if (login) {
        claimed?.prepared.cancel() // of an attempt of this transaction that was not committed
        claimed = await claimByLogin(context, tx, body, { cluster, nodePool }, login)
        return { resourceId: claimed.nodeId, result: { Ids: [claimed.nodeId] } }
      }
      await raiseTarget(context, tx, nodePool, wishes.length)
      const ids = await claimMachines(context, tx, body, { cluster, nodePool, wishes, sent, parameter: 'AutoCompleteConfig.DirectAddInstances' })
      return { resourceId: ids[0] ?? nodePool.id, result: { Ids: ids } }
    })).catch((error: unknown) => {
      claimed?.prepared.cancel()
      throw error
    })
    // A repeat was answered with the node of the call before it.
    if (login && claimed && 'Ids' in result && (result.Ids as readonly string[])[0] === claimed.nodeId) await claimed.prepared.start(login, claimed.line)
    else claimed?.prepared.cancel()
    return result
  },
})
