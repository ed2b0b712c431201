import { Type } from 'typebox'
import { refuse, refuseParameter } from '#model/errors/catalogue.ts'
import { parseCreateNodes } from '#model/node/validate.ts'
import { checkPrecondition } from '#model/preconditions.ts'
import { PRODUCT_VERSION, defineAction } from '../action.ts'
import { once } from '../idempotency.ts'
import { lockCluster, lockClusterAndPool } from '../lock.ts'
import { claimMachines, raiseTarget } from '../machine-claims.ts'
import { NODE_POOL_CONFIG } from './node-pool-shapes.ts'
import { Id, Ids, TOKEN, Text } from './shapes.ts'

const Script = Type.String({ maxLength: 22_000 })

export const CreateNodes = defineAction({
  name: 'CreateNodes',
  version: PRODUCT_VERSION,
  kind: 'write',
  says: 'Adds servers to a central pool, or to the default pool, there with labels and taints of their own; the system of each is set up anew.',
  schema: Type.Object({
    ClusterId: Id,
    NodePoolId: Type.Optional(Id),
    InstanceIds: Ids,
    KeepInstanceName: Type.Optional(Type.Boolean()),
    AdditionalContainerStorageEnabled: Type.Optional(Type.Boolean()),
    ContainerStoragePath: Type.Optional(Text),
    ImageId: Type.Optional(Text),
    InitializeScript: Type.Optional(Script),
    PreScript: Type.Optional(Script),
    SkipReplaceSystem: Type.Optional(Type.Boolean()),
    KubernetesConfig: NODE_POOL_CONFIG.KubernetesConfig,
    ...TOKEN,
  }),
  run: async (context, body) => {
    const { store, now } = context
    const { clusterId, nodePoolId, wishes, sent } = parseCreateNodes(body)
    return store.write(now, tx => once(context, tx, body, async () => {
      const poolId = nodePoolId ?? await defaultPoolOf(clusterId)
      const { cluster, nodePool } = await lockClusterAndPool(context, tx, clusterId, poolId)
      if (nodePool.spec.type !== 'machine-set') return refuseParameter(context.action, 'NodePoolId', 'it is an edge pool; CreateEdgeNode adds servers to it')
      if (!nodePool.spec.isDefault && wishes.some(({ carries }) => carries)) refuseParameter(context.action, 'KubernetesConfig', 'only the default pool takes servers with labels, taints or Cordon of their own; the nodes of this one carry what the pool wants (UpdateNodePoolConfig)')
      checkPrecondition('CreateNodes', { cluster, nodePool }, now)
      if (nodePool.spec.scaling?.enabled) return refuse('OperationDenied.AutoScaling', { id: nodePool.id })
      await raiseTarget(context, tx, nodePool, wishes.length)
      const ids = await claimMachines(context, tx, body, { cluster, nodePool, wishes, sent, parameter: 'InstanceIds' })
      return { resourceId: ids[0] ?? nodePool.id, result: { Ids: ids } }

      async function defaultPoolOf(id: string): Promise<string> {
        await lockCluster(context, tx, id)
        const found = (await tx.nodePoolsOf(id)).find(pool => pool.spec.isDefault)
        return found?.id ?? refuse('NotFound.DefaultNodePool', { id })
      }
    }))
  },
})
