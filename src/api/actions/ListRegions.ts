import { Type } from 'typebox'
import { OWN_VERSION, defineAction } from '../action.ts'
import { PAGE, pageOf, pageOfAll } from './shapes.ts'

export const ListRegions = defineAction({
  name: 'ListRegions',
  version: OWN_VERSION,
  kind: 'read',
  inAnyRegion: true,
  says: 'Lists the regions with what each is ready for, and the names that lead to it.',
  schema: Type.Object(PAGE),
  run: async ({ regions, settings }, body) => {
    const page = pageOf(body)
    const items = [...regions].map(([name, region]) => {
      const { ready, text } = region.ready()
      const isDefault = name === settings.defaultRegion
      return { Region: name, Kind: region.kind, Ready: ready, Text: text, Default: isDefault, Aliases: isDefault ? settings.aliases : [] }
    })
    return pageOfAll(page, items, one => one)
  },
})
