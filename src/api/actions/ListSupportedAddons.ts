import { Type } from 'typebox'
import type { SupportedAddon } from '#model/addon/record.ts'
import { minorOf } from '#model/addon/validate.ts'
import { supportedAddonToWire } from '#model/addon/wire.ts'
import { PRODUCT_VERSION, defineAction } from '../action.ts'
import { Ids, Text } from './shapes.ts'

export const ListSupportedAddons = defineAction({
  name: 'ListSupportedAddons',
  version: PRODUCT_VERSION,
  kind: 'read',
  says: 'Lists the add-ons that may be installed in the region, with their versions; without pages.',
  schema: Type.Object({
    Filter: Type.Optional(Type.Object({
      Name: Type.Optional(Text),
      PodNetworkModes: Type.Optional(Ids),
      DeployModes: Type.Optional(Ids),
      DeployNodeTypes: Type.Optional(Ids),
      Necessaries: Type.Optional(Ids),
      Categories: Type.Optional(Ids),
      'Versions.Compatibilities.KubernetesVersions': Type.Optional(Ids),
    })),
  }),
  run: async ({ region }, body) => {
    const filter = body.Filter ?? {}
    const minors = filter['Versions.Compatibilities.KubernetesVersions']?.map(minorOf)
    const some = (wanted: readonly string[] | undefined, has: readonly string[]) => !wanted || wanted.length === 0 || wanted.some(one => has.includes(one))
    const modesOf = ({ deployModes }: SupportedAddon) => deployModes.length > 1 ? [...deployModes, 'Either'] : deployModes
    const found = (region.addons?.catalogue() ?? []).filter(addon => addon.name.includes(filter.Name ?? '') && some(filter.PodNetworkModes, addon.podNetworkModes) && some(filter.DeployModes, modesOf(addon))
      && some(filter.DeployNodeTypes, addon.deployNodeTypes) && some(filter.Necessaries, [addon.necessary]) && some(filter.Categories, addon.categories) && some(minors, addon.versions.flatMap(version => version.kubernetes)))
    return { Items: found.map(supportedAddonToWire), TotalCount: found.length }
  },
})
