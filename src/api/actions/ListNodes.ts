import { Type } from 'typebox'
import { zoneOf } from '#model/node-pool/resource-types.ts'
import { centralNodeToWire } from '#model/node/wire.ts'
import { PRODUCT_VERSION, defineAction } from '../action.ts'
import { Ids, PAGE, Statuses, Text, given, listing, listingOnce, pageOf, some, statusesOf } from './shapes.ts'

export const ListNodes = defineAction({
  name: 'ListNodes',
  version: PRODUCT_VERSION,
  kind: 'read',
  says: 'Lists nodes of the account in the region with their servers.',
  schema: Type.Object({
    Filter: Type.Optional(Type.Object({
      Ids: Type.Optional(Ids),
      ClusterIds: Type.Optional(Ids),
      NodePoolIds: Type.Optional(Ids),
      InstanceIds: Type.Optional(Ids),
      ZoneIds: Type.Optional(Ids),
      Name: Type.Optional(Text),
      MetadataName: Type.Optional(Text),
      Statuses: Type.Optional(Statuses),
      CreateClientToken: Type.Optional(Text),
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
      instanceIds: some(filter.InstanceIds),
      // A node is called in Kubernetes as it is here.
      name: filter.Name || filter.MetadataName || undefined,
      statuses: statusesOf(action, body, 'Node'),
      createClientToken: filter.CreateClientToken || undefined,
    }), page)
    return listingOnce(page, found, centralNodeToWire, 'central')
  },
})
