import { Type } from 'typebox'
import { kubeconfigToWire } from '#model/kubeconfig/wire.ts'
import { PRODUCT_VERSION, defineAction } from '../action.ts'
import { Ids, PAGE, given, listing, pageOf, some } from './shapes.ts'

const Numbers = Type.Array(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }), { maxItems: 20 })

export const ListKubeconfigs = defineAction({
  name: 'ListKubeconfigs',
  version: PRODUCT_VERSION,
  kind: 'read',
  says: 'Lists kubeconfigs; `Kubeconfig` is base64, and empty until it was made.',
  schema: Type.Object({
    Filter: Type.Optional(Type.Object({
      Ids: Type.Optional(Ids),
      ClusterIds: Type.Optional(Ids),
      UserIds: Type.Optional(Numbers),
      RoleIds: Type.Optional(Numbers),
      Types: Type.Optional(Ids),
    })),
    ...PAGE,
  }),
  run: async ({ store, scope }, body) => {
    const page = pageOf(body)
    const filter = body.Filter ?? {}
    const found = await store.listKubeconfigs(scope, given({
      ids: some(filter.Ids),
      clusterIds: some(filter.ClusterIds),
      userIds: some(filter.UserIds),
      roleIds: some(filter.RoleIds),
      types: some(filter.Types),
    }), page)
    return listing(page, found.totalCount, found.items.map(kubeconfigToWire))
  },
})
