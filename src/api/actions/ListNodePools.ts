import { Type } from 'typebox'
import { centralNodePoolToWire } from '#model/node-pool/wire.ts'
import { membersOf } from '#model/request.ts'
import { optionalTagFilter } from '#model/tags.ts'
import { PRODUCT_VERSION, defineAction } from '../action.ts'
import { Ids, PAGE, Statuses, Switch, Tag, Text, given, isOn, listingOnce, pageOf, some, statusesOf } from './shapes.ts'

export const ListNodePools = defineAction({
  name: 'ListNodePools',
  version: PRODUCT_VERSION,
  kind: 'read',
  says: 'Lists the central node pools of the account in the region.',
  schema: Type.Object({
    Filter: Type.Optional(Type.Object({
      Ids: Type.Optional(Ids),
      ClusterIds: Type.Optional(Ids),
      Name: Type.Optional(Text),
      Statuses: Type.Optional(Statuses),
      CreateClientToken: Type.Optional(Text),
      UpdateClientToken: Type.Optional(Text),
      'AutoScaling.Enabled': Type.Optional(Switch),
    })),
    Tags: Type.Optional(Type.Array(Tag, { maxItems: 10 })),
    ...PAGE,
  }),
  run: async ({ action, store, scope }, body) => {
    const page = pageOf(body)
    const filter = body.Filter ?? {}
    const scaling = filter['AutoScaling.Enabled']
    const found = await store.listNodePools(scope, given({
      ids: some(filter.Ids),
      clusterIds: some(filter.ClusterIds),
      name: filter.Name || undefined,
      statuses: statusesOf(action, body, 'NodePool'),
      types: ['machine-set'],
      createClientToken: filter.CreateClientToken || undefined,
      updateClientToken: filter.UpdateClientToken || undefined,
      autoScalingEnabled: scaling === undefined || scaling === '' ? undefined : isOn(scaling),
      tags: some(optionalTagFilter(membersOf(action, body))),
    }), page)
    return listingOnce(page, found, centralNodePoolToWire, 'central')
  },
})
