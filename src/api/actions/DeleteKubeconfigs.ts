import { Type } from 'typebox'
import { refuse, refuseParameter } from '#model/errors/catalogue.ts'
import { parseDeleteKubeconfigs } from '#model/kubeconfig/validate.ts'
import { PRODUCT_VERSION, defineAction } from '../action.ts'
import { once } from '../idempotency.ts'
import { lockCluster, within } from '../lock.ts'
import { Id, Ids, TOKEN } from './shapes.ts'

export const DeleteKubeconfigs = defineAction({
  name: 'DeleteKubeconfigs',
  version: PRODUCT_VERSION,
  kind: 'write',
  says: 'Revokes kubeconfigs: their binding in the cluster is deleted, and with it every right they gave.',
  schema: Type.Object({ ClusterId: Id, Ids, ...TOKEN }),
  run: async (context, body) => {
    const { scope, store, now } = context
    const { clusterId, ids } = parseDeleteKubeconfigs(body)
    const known = (await Promise.all(ids.map(id => store.findKubeconfig(id)))).flatMap(kubeconfig => (kubeconfig && within(scope, kubeconfig)) ?? [])
    return store.write(now, tx => once(context, tx, body, async () => {
      const cluster = await lockCluster(context, tx, clusterId)
      const kubeconfigs = await tx.lockKubeconfigs(cluster.id, ids)
      const stray = known.find(kubeconfig => kubeconfig.clusterId !== cluster.id)
      if (stray) refuseParameter(context.action, 'ClusterId', `the kubeconfig ${stray.id} is one of the cluster ${stray.clusterId}; nothing was changed`)
      // Those that are gone are done.
      if (kubeconfigs.length === 0) refuse('NotFound.{Resource}', { Resource: 'Kubeconfig', id: ids[0] ?? '' })
      for (const kubeconfig of kubeconfigs) {
        if (kubeconfig.deletionRequestedAt === undefined) await tx.changeKubeconfig(kubeconfig.id, { deletionRequestedAt: now })
        await tx.enqueue({ kind: 'kubeconfig', id: kubeconfig.id, region: scope.region })
      }
      return { resourceId: cluster.id, result: {} }
    }))
  },
})
