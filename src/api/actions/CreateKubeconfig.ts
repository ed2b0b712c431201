import { Type } from 'typebox'
import { newId } from '#model/ids.ts'
import { parseCreateKubeconfig } from '#model/kubeconfig/validate.ts'
import { checkPrecondition } from '#model/preconditions.ts'
import { PRODUCT_VERSION, defineAction } from '../action.ts'
import { once } from '../idempotency.ts'
import { lockCluster } from '../lock.ts'
import { Id, TOKEN } from './shapes.ts'

const HOUR_MS = 3_600_000

export const CreateKubeconfig = defineAction({
  name: 'CreateKubeconfig',
  version: PRODUCT_VERSION,
  kind: 'write',
  says: 'Makes a kubeconfig with a client certificate of its own; its text is in ListKubeconfigs a moment later.',
  schema: Type.Object({
    ClusterId: Id,
    Type: Type.Union([Type.Literal('Public'), Type.Literal('Private')]),
    ValidDuration: Type.Optional(Type.Integer({ minimum: 1, maximum: 867_240, default: 26_280 })),
    ...TOKEN,
  }),
  run: async (context, body) => {
    const { scope, store, now } = context
    const { clusterId, type, validHours } = parseCreateKubeconfig(body)
    return store.write(now, tx => once(context, tx, body, async () => {
      const cluster = await lockCluster(context, tx, clusterId)
      checkPrecondition('CreateKubeconfig', { cluster }, now)
      const id = newId('kubeconfig', now, context.randomBytes(8))
      await tx.insertKubeconfig({
        id, ...scope, clusterId: cluster.id, type, userId: userIdOf(scope.accountId), roleId: 0,
        createdAt: now, expiresAt: now + validHours * HOUR_MS,
      })
      await tx.enqueue({ kind: 'kubeconfig', id, region: scope.region })
      return { resourceId: id, result: { Id: id } }
    }))
  },
})

/** The wire has a number; accounts here are their own only user. */
function userIdOf(accountId: string): number {
  const number = Number(accountId)
  return Number.isSafeInteger(number) && number > 0 ? number : 1
}
