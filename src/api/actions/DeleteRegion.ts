import { Type } from 'typebox'
import { refuse } from '#model/errors/catalogue.ts'
import { OWN_VERSION, defineAction } from '../action.ts'
import { learnRegion } from '../regions.ts'
import { Text } from './shapes.ts'

export const DeleteRegion = defineAction({
  name: 'DeleteRegion',
  version: OWN_VERSION,
  kind: 'write',
  inAnyRegion: true,
  says: 'Removes a simulated region and everything in it, at once and whatever is under way there.',
  schema: Type.Object({ Region: Text }),
  run: async ({ action, regions, regionMaker, settings, meanwhile }, { Region: name }) => {
    await meanwhile(() => learnRegion(regions, settings, regionMaker, name))
    const region = regions.get(name)
    if (!region) return refuse('NotFound.{Resource}', { Resource: 'Region', id: name })
    if (region.kind !== 'Simulated' || !regionMaker) return refuse('OperationDenied.RegionNotSimulated', { region: name, action })
    if (name === settings.defaultRegion) return refuse('OperationDenied.DefaultRegion', { region: name })
    if (!await meanwhile(() => regionMaker.remove(name))) return refuse('OperationDenied.RegionNotReady', { region: name, why: 'it is still being removed; look again in a moment' })
    return {}
  },
})
