import type { Action } from '../action.ts'
import { callsWithin, type CallParts } from '../call.ts'
import { newRequestId } from '../envelope.ts'
import { takesToken } from '../idempotency.ts'
import { SCENARIOS } from './all.ts'
import type { KeptPlay, PlayEnd, PlayState } from './kept-play.ts'
import { firstState, play } from './play.ts'
import { inCluster, withoutCause, type Scenario } from './scenario.ts'

/** Plays what a region's record keeps, in the process that runs the region; throws what it would be refused with. */
export type Player = (kept: {
  readonly region: string
  readonly play: KeptPlay
  /** How far it is, written into the record. */
  readonly keep: (state: PlayState) => Promise<void>
  /** Whether the play ends with what went wrong; otherwise it is gone on with. */
  readonly isEnd: (error: unknown) => boolean
  /** It is not played any more, for this reason, which is thrown; what it held up runs on. */
  readonly givenUp?: Error
  readonly signal: AbortSignal
}) => Promise<{ readonly state: PlayState; readonly end: PlayEnd }>

export function scenarioPlayer(parts: CallParts, actions: readonly Action[]): Player {
  const callWithin = callsWithin(parts, actions)
  const takeTokens = new Set(actions.filter(takesToken).map(({ name }) => name))

  return async ({ region, play: { id, order, fresh, state: kept }, keep, isEnd, givenUp, signal }) => {
    const scenario = scenarioOf(order)
    const { accountId, accessKeyId } = order
    const scope = { accountId, region }, requestId = newRequestId(parts.realTime.now())
    // The face of the region, which may be another one once it was opened anew.
    const ports = () => parts.regions.get(region)
    const clockRan = !fresh && ports()?.clock?.read().paused === false
    const from: PlayState = kept ?? { ...await firstState(parts.store, scope, order.on === undefined ? {} : { cluster: order.on }), ...clockRan && { clockRan } }
    if (!fresh && !kept) await keep(from)
    const letRun = async () => { if (from.clockRan) await callWithin({ accountId, accessKeyId }, region, 'SetClock', { Paused: false }, requestId) }
    const playing = async () => givenUp ? await Promise.reject<never>(givenUp) : await play({
      scope, store: parts.store, signal,
      now: () => ports()?.now() ?? 0,
      quietUntil: () => ports()?.clock?.quietUntil(),
      // What is begun anew begins with nothing, and tells of no tokens.
      call: (action, body, step) => callWithin({ accountId, accessKeyId }, region, action, fresh || !takeTokens.has(action) ? body : { ...body, ClientToken: `${id}-${step}` }, requestId),
      keep: fresh ? async () => {} : keep,
    }, scenario, { from, again: kept !== undefined, stopAt: order.stopAt })
    const { state, stopped } = await playing().catch(async (error: unknown) => {
      if (isEnd(error) && !signal.aborted) await letRun()
      throw error
    })
    if (!stopped) await letRun()
    return { state, end: { stopped, at: ports()?.now() ?? 0 } }
  }
}

function scenarioOf({ scenario: name, on, withoutCause: isWithout }: KeptPlay['order']): Scenario {
  const found = SCENARIOS.find(each => each.Name === name), there = found && on !== undefined ? inCluster(found) : found
  if (!there) throw new Error(`This server has no scenario ${name}${on === undefined ? '' : ' for a cluster that is there'}`)
  return isWithout ? withoutCause(there) : there
}
