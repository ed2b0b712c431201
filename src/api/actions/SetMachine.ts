import { Type } from 'typebox'
import { refuse, refuseParameter } from '#model/errors/catalogue.ts'
import { rfc3339Seconds } from '#model/time.ts'
import { OWN_VERSION, defineAction, type ActionContext } from '../action.ts'
import { findOnboarding } from '../lock.ts'
import { asked, checkRuns, findMachine, machinesOf, runOn, startScriptOn } from '../machine-access.ts'
import { orderMachine } from '../order-machines.ts'
import { Id, given } from './shapes.ts'

/** Preflight, downloads from the same host and the wait for the cluster's approval fit in this many times over. */
const LONGEST_SCRIPT_MS = 10 * 60_000

const CRASH_PATIENCE_MS = 15_000

export const SetMachine = defineAction({
  name: 'SetMachine',
  version: OWN_VERSION,
  kind: 'write',
  // A machine costs while it is on.
  refusedInArrears: (body: { readonly Power?: string }) => body.Power === 'on',
  says: 'Switches a machine on or off, pulls its plug, cuts its network, or runs an onboarding script on it; the last answers ExitCode and Output when the script has ended, and in a simulated region nothing when it has begun: ListMachines shows whether its machine was admitted or refused.',
  schema: Type.Object({
    Id,
    Power: Type.Optional(Type.Union([Type.Literal('on'), Type.Literal('off'), Type.Literal('crash')])),
    Link: Type.Optional(Type.Union([Type.Literal('up'), Type.Literal('cut')])),
    RunScript: Type.Optional(Id),
  }),
  run: async (context, body) => {
    const { scope, now } = context
    const { machines } = machinesOf(context)
    if (body.Power === undefined && body.Link === undefined && body.RunScript === undefined) refuseParameter(context.action, 'Id', 'it comes with none of Power, Link and RunScript')
    const onboarding = body.RunScript === undefined ? undefined : await findOnboarding(context, body.RunScript)
    // A real machine is told so by the join endpoint, and the script prints it; a simulated one has nobody to print it for.
    if (onboarding && machines.runScript && onboarding.expiresAt * 1000 <= now)
      refuse('OperationDenied.Machine', { id: body.Id, why: `the onboarding script ${onboarding.name} expired at ${rfc3339Seconds(onboarding.expiresAt * 1000)}, and it is ${rfc3339Seconds(now)} now in the region ${scope.region}` })

    // A crash is recorded as off, so that its controller does not switch the machine on again behind the user's back.
    const power = body.Power === 'crash' ? 'off' as const : body.Power
    // Nothing is done of a call that cannot be done as a whole.
    const line = onboarding && await lineOf(context, onboarding.id)
    if (line !== undefined) checkRuns({ ...await findMachine(context, body.Id), ...given({ power }) })
    // It is crashed below; should this process end before, its controller switches it off a little later.
    if (power !== undefined || body.Link !== undefined) await orderMachine(context, { id: body.Id, ...given({ power, link: body.Link }) }, body.Power === 'crash' ? now + CRASH_PATIENCE_MS : undefined)
    if (body.Power === 'crash') await asked(context, body.Id, 'pulling the plug', () => machines.crash(body.Id))
    if (line === undefined) return {}

    // Where scripts run in the region's own time nobody can wait for their end here; the node tells it.
    if (machines.runScript) {
      await startScriptOn(context, await findMachine(context, body.Id), line)
      return {}
    }
    const { exitCode, output } = await runOn(context, await findMachine(context, body.Id), ['/bin/sh', '-c', line], { longestMs: LONGEST_SCRIPT_MS })
    return { ExitCode: exitCode, Output: output }
  },
})

/** What a machine runs to become a node by that script. */
async function lineOf({ store, region, scope }: ActionContext, onboardingId: string): Promise<string> {
  const token = await store.onboardingToken(onboardingId)
  const line = token === undefined ? undefined : region.bootstrapLine?.(token)
  return line ?? refuse('OperationDenied.RegionNotReady', { region: scope.region, why: 'it has no onboarding scripts yet' })
}
