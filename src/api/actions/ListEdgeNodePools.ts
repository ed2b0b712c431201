import { Type } from 'typebox'
import { typesThatTake } from '#model/node-pool/add-methods.ts'
import { nodePoolToWire } from '#model/node-pool/wire.ts'
import { PRODUCT_VERSION, defineAction } from '../action.ts'
import { Ids, PAGE, Statuses, Switch, Text, given, isOn, listing, listingOnce, pageOf, some, statusesOf } from './shapes.ts'

export const ListEdgeNodePools = defineAction({
  name: 'ListEdgeNodePools',
  version: PRODUCT_VERSION,
  kind: 'read',
  says: 'Lists node pools of the account in the region: static, elastic and central ones.',
  schema: Type.Object({
    Filter: Type.Optional(Type.Object({
      Ids: Type.Optional(Ids),
      ClusterIds: Type.Optional(Ids),
      Name: Type.Optional(Text),
      Statuses: Type.Optional(Statuses),
      NodePoolTypes: Type.Optional(Ids),
      CreateClientToken: Type.Optional(Text),
      UpdateClientToken: Type.Optional(Text),
      'AutoScaling.Enabled': Type.Optional(Switch),
    })),
    AddByScript: Type.Optional(Switch),
    AddByList: Type.Optional(Switch),
    AddByAuto: Type.Optional(Switch),
    ...PAGE,
  }),
  run: async ({ action, store, scope }, body) => {
    const page = pageOf(body)
    const filter = body.Filter ?? {}
    const scaling = filter['AutoScaling.Enabled']
    const types = typesThatTake({ script: isOn(body.AddByScript), list: isOn(body.AddByList), auto: isOn(body.AddByAuto) })
      ?.filter(type => !some(filter.NodePoolTypes) || filter.NodePoolTypes?.includes(type))
    if (types?.length === 0) return listing(page, 0, [])
    const found = await store.listNodePools(scope, given({
      ids: some(filter.Ids),
      clusterIds: some(filter.ClusterIds),
      name: filter.Name || undefined,
      statuses: statusesOf(action, body, 'NodePool'),
      types: types ?? some(filter.NodePoolTypes),
      createClientToken: filter.CreateClientToken || undefined,
      updateClientToken: filter.UpdateClientToken || undefined,
      autoScalingEnabled: scaling === undefined || scaling === '' ? undefined : isOn(scaling),
    }), page)
    return listingOnce(page, found, nodePoolToWire)
  },
})
