import { Type } from 'typebox'
import { Refusal, refuse, refuseParameter } from '#model/errors/catalogue.ts'
import { STATUS_TABLES } from '#model/status/kinds.ts'
import { allowedSets } from '#model/status/table.ts'
import { OWN_VERSION, defineAction, type ActionContext } from '../action.ts'
import { tokenOf } from '../idempotency.ts'
import { within } from '../lock.ts'
import { isAlias, learnRegion } from '../regions.ts'
import { SCENARIOS } from '../scenarios/all.ts'
import { holdsIn, leavesNothing, type EndedPlay, type PlayOrder } from '../scenarios/kept-play.ts'
import { storyOf, toldToWire } from '../scenarios/play.ts'
import { inCluster } from '../scenarios/scenario.ts'
import { checkScenarios } from '../simulated-world.ts'
import { resourceToWire } from './own-wire.ts'
import { Id, TOKEN, Text, given } from './shapes.ts'

export const RunScenario = defineAction({
  name: 'RunScenario',
  version: OWN_VERSION,
  kind: 'write',
  inAnyRegion: true,
  says: 'Plays a scenario, in a fresh simulated region unless one is named, and tells what happened; stopped at a row, or where several conditions hold together (joined by +), it leaves the world there, its clock paused, while a clock of a named region that ran before runs on after a story told to its end; a row that comes and goes within one instant is none to stop at, and Stopped is false then. A play goes on when its server dies, and the same call sent again is given its story.',
  schema: Type.Object({
    Name: Text,
    Seed: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
    In: Type.Optional(Text),
    On: Type.Optional(Id),
    StopAt: Type.Optional(Type.Object({ Kind: Type.Union([Type.Literal('Cluster'), Type.Literal('NodePool'), Type.Literal('Node'), Type.Literal('Addon')]), Phase: Text, Condition: Text })),
    /** Leaves the cause out, to show that it takes it. */
    WithoutCause: Type.Optional(Type.Boolean()),
    ...TOKEN,
  }),
  run: async (context, body) => {
    const { action, regionMaker, scope, accessKeyId } = context
    const scenario = SCENARIOS.find(each => each.Name === body.Name)
    if (!scenario) return refuseParameter(action, 'Name', 'no scenario is called so; ListScenarios lists them')
    const { StopAt: stop } = body
    if (stop && !isShown(stop)) refuseParameter(action, 'StopAt', `${stop.Phase}/${stop.Condition} is no row of the table of its kind, nor are they conditions that it shows together`)
    if (body.On !== undefined && !inCluster(scenario)) refuseParameter(action, 'On', 'the scenario is about how its own cluster is made')
    if (!regionMaker) return refuse('OperationDenied.RegionNotReady', { region: scope.region, why: 'this server makes no regions' })
    const place = await context.meanwhile(() => placeOf(context, body))
    const order: PlayOrder = {
      accountId: scope.accountId, accessKeyId, scenario: scenario.Name, seed: body.Seed ?? 1,
      ...given({ stopAt: stop && { kind: stop.Kind, phase: stop.Phase, condition: stop.Condition }, withoutCause: body.WithoutCause ? true as const : undefined, on: body.On, token: tokenOf(body) }),
    }
    const { plays } = regionMaker
    const ended = await context.meanwhile(() => (place === undefined ? plays.fresh(order, number => numbered(scenario.Name, number)) : plays.in(place, order)))
    try {
      return await resultOf(context, ended)
    } finally {
      // Its region goes with it, where nothing is to be left.
      await context.meanwhile(() => plays.told(ended))
    }
  },
})

/** A row of the table of its kind, or several conditions that one of its sets has. */
function isShown({ Kind, Phase, Condition }: { readonly Kind: keyof typeof STATUS_TABLES; readonly Phase: string; readonly Condition: string }): boolean {
  const { rows, together } = STATUS_TABLES[Kind]
  return allowedSets(rows, together).some(([phase, conditions]) => phase === Phase && holdsIn(Condition, conditions))
}

async function resultOf({ store, scope }: ActionContext, { region, play }: EndedPlay): Promise<object> {
  const { order, end, state } = play
  if ('refusal' in end) throw Object.assign(new Refusal(end.refusal.code, end.refusal.parameters), { message: end.refusal.message })
  if ('failed' in end || !state) throw new Error(`The scenario ${order.scenario} could not be played in ${region}: ${'failed' in end ? end.failed : 'nobody knows how far it came'}`)
  const told = await storyOf(store, { accountId: scope.accountId, region }, state)
  // A region that is there to be looked at is told with its own ids; one that is gone as if it had been the only one of its seed.
  const story = told.map(toldToWire)
  const resources = new Map(told.flatMap(({ change }) => change ? [[change.resource.id, { resource: change.resource, there: change.status !== undefined }] as const] : []))
  return {
    Name: order.scenario, Seed: order.seed, Region: region, Stopped: end.stopped, Story: leavesNothing(play) ? ofAnyRun(story, region, numbered(order.scenario, 1)) : story,
    Resources: [...resources.values()].filter(({ there }) => there).map(({ resource }) => resourceToWire(resource)),
  }
}

/** Regions of one seed differ by their names and the ends of their ids. */
function ofAnyRun(story: readonly object[], region: string, name: string): readonly object[] {
  const text = JSON.stringify(story).replaceAll(/\b([a-z][0-9a-v]{16})[0-9a-v]{4}\b/g, '$10000')
  return JSON.parse(text.replaceAll(new RegExp(`\\b${region}(?![a-z0-9-])`, 'g'), name)) as readonly object[]
}

/** The region that is named, before anything is touched: one that is simulated, and has the caller's cluster if that is named. */
async function placeOf(context: ActionContext, { In, On }: { readonly In?: string; readonly On?: string }): Promise<string | undefined> {
  const { action, regions, regionMaker, settings, store, scope } = context
  if (On !== undefined && In === undefined) refuseParameter(action, 'On', 'a fresh region has no clusters yet: it comes with In')
  if (In === undefined) {
    checkScenarios(context)
    return undefined
  }
  await learnRegion(regions, settings, regionMaker, In)
  const name = regions.has(In) ? In : isAlias(settings.aliases, In) ? settings.defaultRegion : undefined
  const region = name === undefined ? undefined : regions.get(name)
  if (name === undefined || !region) return refuse('NotFound.{Resource}', { Resource: 'Region', id: In })
  if (region.kind !== 'Simulated') refuse('OperationDenied.RegionNotSimulated', { region: name, action })
  if (On !== undefined && !within({ ...scope, region: name }, await store.findCluster(On))) refuse('NotFound.{Resource}', { Resource: 'Cluster', id: On })
  return name
}

/** A region's name: at most 32 characters, told apart by their number. */
function numbered(name: string, number: number): string {
  const end = `-${number}`
  return `${name.slice(0, 32 - end.length).replace(/-+$/, '')}${end}`
}
