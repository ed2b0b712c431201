import { setTimeout as delay } from 'node:timers/promises'
import { API_ERRORS, Refusal, type ApiErrorCode } from '#model/errors/catalogue.ts'
import type { FaultOrder, RegionFaults, StandingFault } from '#ports/region-world.ts'
import type { Action } from './action.ts'
import { STALE_LISTS } from './stale-lists.ts'

/** Nothing is answered: the connection is cut. */
export class ConnectionCut extends Error {
  readonly kind = 'ConnectionCut'
}

export interface CallUnderFaults {
  readonly action: Pick<Action, 'name' | 'kind'>
  readonly body: object
  readonly requestId: string
  /** The region's time, epoch ms. */
  readonly now: number
}

/** By these a person gets out of what he arranged, so no fault strikes them unless it names them. */
const ALWAYS_ANSWERED = new Set(['InjectFault', 'ListFaults', 'ClearFault', 'GetClock', 'SetClock', 'ListRegions', 'CreateRegion', 'DeleteRegion', 'ListScenarios', 'RunScenario'])
/** HTTP statuses as people name them. */
const BY_STATUS: Readonly<Record<string, ApiErrorCode>> = { 429: 'FlowLimitExceeded', 500: 'InternalError', 503: 'ServiceUnavailable', 504: 'InternalServiceTimeout' }
const HANGS_MS = 30_000, LONGEST_MS = 120_000
/** How much newer things a stale list does not show yet, by default. */
const STALE_MS = 10_000
const EFFECTS = new Set(['fail', 'stutter', 'slow', 'hang', 'silent', 'half', 'double', 'lie'])

/** What keeps an order from being a fault of our own answers. */
export function answerFaultComplaint({ call, effect, target }: FaultOrder): { readonly member: string; readonly why: string } | undefined {
  if (target?.kind !== undefined && target.kind !== 'Call') return { member: 'Target.Kind', why: 'what our own answers concern are calls: it is Call, or left out' }
  if (target?.label !== undefined) return { member: 'Target.Label', why: 'calls carry no labels; name them by the Id or Name that they send' }
  if (!EFFECTS.has(effect.type)) return { member: 'Effect.Type', why: `our own answers can ${[...EFFECTS].join(', ')}` }
  if (effect.type === 'lie' && call === undefined) return { member: 'Call', why: `a list that is stale is named: ${STALE_LISTS.join(', ')}` }
  if (effect.type === 'lie' && !STALE_LISTS.includes(call ?? '')) return { member: 'Effect.Type', why: `only lists of what is made in a region can be stale: ${STALE_LISTS.join(', ')}` }
  if (effect.code !== undefined && codeOf(effect.code) === undefined) return { member: 'Effect.Code', why: `it is one of ${Object.keys(BY_STATUS).join(', ')}, or a code that our calls answer` }
  return undefined
}

/**
 * Runs a call as the region's faults of the port `api` let it: refused before it did anything (fail, stutter), late (slow), never (hang, silent), done while the connection is cut (half),
 * done twice (double), or a list without what was made lately (lie). Times are real ones, but for how lately: that is of the region. `run` is told until when it may know of what was made, where it lies.
 */
export async function underFaults(faults: RegionFaults, call: CallUnderFaults, run: (until?: number) => Promise<object>): Promise<object> {
  const fault = strike(faults, call)
  if (!fault) return run()
  const { effect } = fault
  switch (effect.type) {
    case 'fail': case 'stutter': throw refusalOf(fault, call)
    case 'slow': await delay(Math.min(effect.for ?? 0, LONGEST_MS)); return run()
    case 'hang': await delay(Math.min(effect.for ?? HANGS_MS, LONGEST_MS)); throw new ConnectionCut('The call is given no answer')
    case 'silent': throw new ConnectionCut('The call is given no answer')
    case 'half': await run(); throw new ConnectionCut('What the call asked for is done, and its answer is lost')
    case 'double': await run(); return run()
    case 'lie': return run(call.now - (effect.for ?? STALE_MS))
    case 'protected': return run() // is refused when it is ordered
  }
}

function strike(faults: RegionFaults, { action, body }: CallUnderFaults): StandingFault | undefined {
  const target = { kind: 'Call', id: textOf(body, 'Id') ?? '', name: textOf(body, 'Name') }
  if (ALWAYS_ANSWERED.has(action.name) && !faults.list().some(fault => fault.port === 'api' && fault.call === action.name)) return undefined
  return faults.strike('api', action.name, target)
}

function refusalOf({ effect }: StandingFault, { action, requestId }: CallUnderFaults): Refusal {
  const code = codeOf(effect.code ?? '500') ?? 'InternalError'
  const refusal = new Refusal(code, { action: action.name, limit: 0, retryAfter: Math.ceil((effect.for ?? 1_000) / 1_000), requestId, why: effect.message ?? 'it is busy' })
  if (effect.message !== undefined) refusal.message = effect.message
  return refusal
}

/** A row of the catalogue whose code needs nothing filled in. */
function codeOf(text: string): ApiErrorCode | undefined {
  return BY_STATUS[text] ?? API_ERRORS.find(([code]) => code === text && !code.includes('{'))?.[0]
}

function textOf(body: object, member: string): string | undefined {
  const value = (body as Record<string, unknown>)[member]
  return typeof value === 'string' ? value : undefined
}
