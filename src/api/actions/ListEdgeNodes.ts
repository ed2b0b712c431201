import { Type } from 'typebox'
import { zoneOf } from '#model/node-pool/resource-types.ts'
import { nodeToWire } from '#model/node/wire.ts'
import { PRODUCT_VERSION, defineAction } from '../action.ts'
import { Ids, PAGE, Statuses, Switch, Text, given, listing, listingOnce, pageOf, some, statusesOf } from './shapes.ts'

export const ListEdgeNodes = defineAction({
  name: 'ListEdgeNodes',
  version: PRODUCT_VERSION,
  kind: 'read',
  says: 'Lists edge nodes of the account in the region.',
  schema: Type.Object({
    Filter: Type.Optional(Type.Object({
      Ids: Type.Optional(Ids),
      ClusterIds: Type.Optional(Ids),
      NodePoolIds: Type.Optional(Ids),
      ZoneIds: Type.Optional(Ids),
      Name: Type.Optional(Text),
      Ips: Type.Optional(Ids),
      Statuses: Type.Optional(Statuses),
      CreateClientToken: Type.Optional(Text),
      NeedBootstrapScript: Type.Optional(Switch),
    })),
    ...PAGE,
  }),
  run: async ({ action, store, scope }, body) => {
    const page = pageOf(body)
    const filter = body.Filter ?? {}
    if (some(filter.ZoneIds)?.includes(zoneOf(scope.region)) === false) return listing(page, 0, [])
    const found = await store.listNodes(scope, given({
      ids: some(filter.Ids),
      clusterIds: some(filter.ClusterIds),
      nodePoolIds: some(filter.NodePoolIds),
      name: filter.Name || undefined,
      ips: some(filter.Ips),
      statuses: statusesOf(action, body, 'Node'),
      createClientToken: filter.CreateClientToken || undefined,
    }), page)
    return listingOnce(page, found, nodeToWire)
  },
})
