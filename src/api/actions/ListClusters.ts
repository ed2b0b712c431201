import { Type } from 'typebox'
import { clusterToWire } from '#model/cluster/wire.ts'
import { membersOf } from '#model/request.ts'
import { optionalTagFilter } from '#model/tags.ts'
import { PRODUCT_VERSION, defineAction } from '../action.ts'
import { Ids, PAGE, Statuses, Switch, Tag, Text, given, isOn, listingOnce, pageOf, some, statusesOf } from './shapes.ts'

export const ListClusters = defineAction({
  name: 'ListClusters',
  version: PRODUCT_VERSION,
  kind: 'read',
  says: 'Lists the clusters of the account in the region.',
  schema: Type.Object({
    Filter: Type.Optional(Type.Object({
      Ids: Type.Optional(Ids),
      Name: Type.Optional(Text),
      DeleteProtectionEnabled: Type.Optional(Switch),
      'PodsConfig.PodNetworkMode': Type.Optional(Text),
      Statuses: Type.Optional(Statuses),
      CreateClientToken: Type.Optional(Text),
      UpdateClientToken: Type.Optional(Text),
      Profiles: Type.Optional(Ids),
    })),
    Profiles: Type.Optional(Ids),
    Tags: Type.Optional(Type.Array(Tag, { maxItems: 10 })),
    ...PAGE,
  }),
  run: async ({ action, store, scope, region }, body) => {
    const page = pageOf(body)
    const filter = body.Filter ?? {}
    const protectedOnly = filter.DeleteProtectionEnabled === undefined || filter.DeleteProtectionEnabled === '' ? undefined : isOn(filter.DeleteProtectionEnabled)
    const found = await store.listClusters(scope, given({
      ids: some(filter.Ids),
      name: filter.Name || undefined,
      deleteProtectionEnabled: protectedOnly,
      podNetworkMode: filter['PodsConfig.PodNetworkMode'] || undefined,
      statuses: statusesOf(action, body, 'Cluster'),
      createClientToken: filter.CreateClientToken || undefined,
      updateClientToken: filter.UpdateClientToken || undefined,
      profiles: some(filter.Profiles) ?? some(body.Profiles),
      tags: some(optionalTagFilter(membersOf(action, body))),
    }), page)
    const publicAddress = region.publicAddress?.()
    return listingOnce(page, found, cluster => clusterToWire(cluster, publicAddress), publicAddress)
  },
})
