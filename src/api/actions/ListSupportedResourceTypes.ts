import { Type } from 'typebox'
import { resourceTypesOf } from '#model/node-pool/resource-types.ts'
import { PRODUCT_VERSION, defineAction } from '../action.ts'
import { Ids, PAGE, pageOf, pageOfAll, some } from './shapes.ts'

export const ListSupportedResourceTypes = defineAction({
  name: 'ListSupportedResourceTypes',
  version: PRODUCT_VERSION,
  kind: 'read',
  says: 'Lists the zones of the region and the types of servers that central pools may ask for.',
  schema: Type.Object({
    Filter: Type.Optional(Type.Object({
      ZoneIds: Type.Optional(Ids),
      ResourceTypes: Type.Optional(Type.Array(Type.Union([Type.Literal('Ecs'), Type.Literal('Zone')]), { maxItems: 100 })),
    })),
    ...PAGE,
  }),
  run: async ({ scope }, body) => {
    const page = pageOf(body)
    const [zones, types] = [some(body.Filter?.ZoneIds), some(body.Filter?.ResourceTypes)]
    const found = resourceTypesOf(scope.region).filter(one => (zones?.includes(one.zoneId) ?? true) && (types?.includes(one.type) ?? true))
    return pageOfAll(page, found, one => ({
      ResourceScope: one.scope, ZoneId: one.zoneId, ResourceType: one.type, ResourceSpecifications: one.specifications,
    }))
  },
})
