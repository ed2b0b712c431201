import { Type } from 'typebox'
import { refuse, refuseParameter } from '#model/errors/catalogue.ts'
import { STATUS_TABLES } from '#model/status/kinds.ts'
import { OWN_VERSION, defineAction, type ActionContext } from '../action.ts'
import { within } from '../lock.ts'
import { isAlias } from '../regions.ts'
import { SCENARIOS } from '../scenarios/all.ts'
import { play, toldToWire } from '../scenarios/play.ts'
import { SCENARIO_START, withoutCause } from '../scenarios/scenario.ts'
import { resourceToWire } from './own-wire.ts'
import { Id, Text } from './shapes.ts'

export const RunScenario = defineAction({
  name: 'RunScenario',
  version: OWN_VERSION,
  kind: 'write',
  says: 'Plays a scenario, in a fresh simulated region unless one is named, and tells what happened; stopped at a row it leaves the world there, its clock paused; a row that comes and goes within one instant is none to stop at, and Stopped is false then.',
  schema: Type.Object({
    Name: Text,
    Seed: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
    In: Type.Optional(Text),
    On: Type.Optional(Id),
    StopAt: Type.Optional(Type.Object({ Kind: Type.Union([Type.Literal('Cluster'), Type.Literal('NodePool'), Type.Literal('Node'), Type.Literal('Addon')]), Phase: Text, Condition: Text })),
    /** Leaves the cause out, to show that it takes it. */
    WithoutCause: Type.Optional(Type.Boolean()),
  }),
  run: async (context, body) => {
    const { action, regionMaker } = context
    const scenario = SCENARIOS.find(each => each.Name === body.Name)
    if (!scenario) return refuseParameter(action, 'Name', 'no scenario is called so; ListScenarios lists them')
    const { StopAt: stop } = body
    if (stop && !STATUS_TABLES[stop.Kind].rows.some(([phase, condition]) => phase === stop.Phase && condition === stop.Condition)) refuseParameter(action, 'StopAt', `${stop.Phase}/${stop.Condition} is no row of the table of its kind`)
    if (!regionMaker) return refuse('OperationDenied.RegionNotReady', { region: context.scope.region, why: 'this server makes no regions' })
    await checkPlace(context, body)
    const seed = body.Seed ?? 1
    const fresh = body.In === undefined
    const region = body.In ?? await freshRegion()
    try {
      await context.callIn(region, 'SetClock', { Paused: true })
      const names = new Map<string, string>()
      if (body.On !== undefined) names.set('cluster', body.On)
      const played = await play(context, body.WithoutCause ? withoutCause(scenario) : scenario, region, { names, stopAt: stop && { kind: stop.Kind, phase: stop.Phase, condition: stop.Condition } })
      // A region that is there to be looked at is told with its own ids; one that is gone as if it had been the only one of its seed.
      const story = played.story.map(toldToWire), told = fresh && !stop ? ofAnyRun(story, region, numbered(body.Name, 1)) : story
      const resources = new Map(played.story.flatMap(({ change }) => change ? [[change.resource.id, { resource: change.resource, there: change.status !== undefined }] as const] : []))
      return {
        Name: scenario.Name, Seed: seed, Region: region, Stopped: played.stopped, Story: told,
        Resources: [...resources.values()].filter(({ there }) => there).map(({ resource }) => resourceToWire(resource)),
      }
    } finally {
      // A story that was told to its end leaves nothing; one that was stopped is there to be looked at.
      if (fresh && !stop) await context.callIn(context.scope.region, 'DeleteRegion', { Region: region })
    }

    async function freshRegion(): Promise<string> {
      for (let number = 1; ; number++) {
        const made = await regionMaker?.create({ region: numbered(body.Name, number), seed, startAt: Date.parse(SCENARIO_START), paused: true, speed: 1 })
        if (made !== undefined) return made
      }
    }
  },
})

/** Regions of one seed differ by their names and the ends of their ids. */
function ofAnyRun(story: readonly object[], region: string, name: string): readonly object[] {
  const text = JSON.stringify(story).replaceAll(/\b([a-z][0-9a-v]{16})[0-9a-v]{4}\b/g, '$10000')
  return JSON.parse(text.replaceAll(new RegExp(`\\b${region}(?![a-z0-9-])`, 'g'), name)) as readonly object[]
}

/** Before anything is touched: a region that is simulated, and a cluster of the caller's in it. */
async function checkPlace({ action, regions, settings, store, scope }: ActionContext, { In, On }: { readonly In?: string; readonly On?: string }): Promise<void> {
  if (On !== undefined && In === undefined) refuseParameter(action, 'On', 'a fresh region has no clusters yet: it comes with In')
  if (In === undefined) return
  const name = regions.has(In) ? In : isAlias(settings.aliases, In) ? settings.defaultRegion : undefined
  const region = name === undefined ? undefined : regions.get(name)
  if (name === undefined || !region) return refuse('NotFound.{Resource}', { Resource: 'Region', id: In })
  if (region.kind !== 'Simulated') refuse('OperationDenied.RegionNotSimulated', { region: name, action })
  if (On !== undefined && !within({ ...scope, region: name }, await store.findCluster(On))) refuse('NotFound.{Resource}', { Resource: 'Cluster', id: On })
}

/** A region's name: at most 32 characters, told apart by their number. */
function numbered(name: string, number: number): string {
  const end = `-${number}`
  return `${name.slice(0, 32 - end.length).replace(/-+$/, '')}${end}`
}
