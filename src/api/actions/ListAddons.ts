import { Type } from 'typebox'
import { addonToWire } from '#model/addon/wire.ts'
import { PRODUCT_VERSION, defineAction } from '../action.ts'
import { Ids, PAGE, Statuses, Text, given, listingOnce, pageOf, some, statusesOf } from './shapes.ts'

export const ListAddons = defineAction({
  name: 'ListAddons',
  version: PRODUCT_VERSION,
  kind: 'read',
  says: 'Lists the add-ons of the account\'s clusters in the region.',
  schema: Type.Object({
    Filter: Type.Optional(Type.Object({
      ClusterIds: Type.Optional(Ids),
      Names: Type.Optional(Ids),
      DeployModes: Type.Optional(Ids),
      DeployNodeTypes: Type.Optional(Ids),
      Statuses: Type.Optional(Statuses),
      CreateClientToken: Type.Optional(Text),
      UpdateClientToken: Type.Optional(Text),
    })),
    // The provider's data source sends its arguments beside the filter.
    Name: Type.Optional(Text),
    ...PAGE,
  }),
  run: async ({ action, store, scope }, body) => {
    const page = pageOf(body)
    const filter = body.Filter ?? {}
    const names = some(filter.Names) ?? (body.Name ? [body.Name] : undefined)
    const found = await store.listAddons(scope, given({
      clusterIds: some(filter.ClusterIds),
      names,
      deployModes: some(filter.DeployModes),
      deployNodeTypes: some(filter.DeployNodeTypes),
      statuses: statusesOf(action, body, 'Addon'),
      createClientToken: filter.CreateClientToken || undefined,
      updateClientToken: filter.UpdateClientToken || undefined,
    }), page)
    return listingOnce(page, found, addonToWire)
  },
})
