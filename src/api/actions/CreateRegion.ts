import { Type } from 'typebox'
import { refuse, refuseParameter } from '#model/errors/catalogue.ts'
import { OWN_VERSION, defineAction, type ActionContext } from '../action.ts'
import { isAlias } from '../regions.ts'
import { Text } from './shapes.ts'
import { instantOf, spanOf } from './time-texts.ts'

const FASTEST = 1_000_000
/** Nothing of a cluster takes longer than that and is waited for. */
const LONGEST_DURATION_MS = 30 * 86_400_000
const FIRST_START = Date.UTC(2000, 0, 1), LAST_START = Date.UTC(2099, 0, 1)

/** What has a fixed time instead of a drawn one, for those who measure. */
const LASTING = [['ControlPlane', 'controlPlane'], ['Boot', 'boot'], ['Join', 'join'], ['Pod', 'pod'], ['Outside', 'outside']] as const

export const CreateRegion = defineAction({
  name: 'CreateRegion',
  version: OWN_VERSION,
  kind: 'write',
  inAnyRegion: true,
  says: 'Makes a simulated region with a clock, seed, balance, quota, stock and faults of its own; the same seed tells the same story.',
  schema: Type.Object({
    Region: Type.Optional(Text),
    Seed: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
    StartAt: Type.Optional(Text),
    Paused: Type.Optional(Type.Boolean()),
    Speed: Type.Optional(Type.Number()),
    Durations: Type.Optional(Type.Object({ ControlPlane: Type.Optional(Text), Boot: Type.Optional(Text), Join: Type.Optional(Text), Pod: Type.Optional(Text), Outside: Type.Optional(Text) })),
  }),
  run: async (context, body) => {
    const { action, regionMaker } = context
    const startAt = instantOf(action, 'StartAt', body.StartAt)
    if (startAt !== undefined && (startAt < FIRST_START || startAt > LAST_START)) refuseParameter(action, 'StartAt', 'it has to be from the year 2000 to the year 2098')
    if (body.Speed !== undefined && !(body.Speed > 0 && body.Speed <= FASTEST)) refuseParameter(action, 'Speed', `it has to be above 0 and at most ${FASTEST}; Paused stops the clock`)
    if (body.Region !== undefined) checkName(context, body.Region)
    const durations = Object.fromEntries(LASTING.flatMap(([member, name]) => {
      const ms = spanOf(action, `Durations.${member}`, body.Durations?.[member])
      if (ms !== undefined && ms > LONGEST_DURATION_MS) refuseParameter(action, `Durations.${member}`, 'it is at most 30d')
      return ms === undefined ? [] : [[name, ms]]
    }))
    if (!regionMaker) return refuse('OperationDenied.RegionNotReady', { region: context.scope.region, why: 'this server makes no regions' })
    const region = await context.meanwhile(() => regionMaker.create({ region: body.Region, seed: body.Seed, startAt, paused: body.Paused ?? false, speed: body.Speed ?? 1, durations }))
    return region === undefined ? taken(body.Region ?? '') : { Region: region }
  },
})

/** Names that lead somewhere already, or that hosts give their own regions, would make a signature mean two things. */
function checkName({ action, regions, settings }: ActionContext, name: string): void {
  if (!/^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$/.test(name)) refuseParameter(action, 'Region', 'it has to be 1 to 32 lower-case letters, digits and hyphens, a letter first and no hyphen last')
  if (regions.has(name)) taken(name)
  if (name.startsWith('local-')) refuseParameter(action, 'Region', 'names that begin with local- are those of real regions')
  if (isAlias(settings.aliases, name)) refuseParameter(action, 'Region', `it is one of the names that lead to ${settings.defaultRegion} (${settings.aliases.join(', ')})`)
}

function taken(name: string): never {
  return refuse('Conflict.{Parameter}', { Parameter: 'Region', value: name, by: 'a region has it' })
}
