import { API_ERRORS, Refusal, type ApiErrorCode } from '#model/errors/catalogue.ts'
import type { Clock } from '#ports/clock.ts'
import { unheeded, type FaultOrder, type Heeding, type RegionFaults, type StandingFault } from '#ports/region-world.ts'
import type { Action } from './action.ts'
import { carriesIds, carriesNames, everySentKind, sentBy, type SentKind } from './sent-members.ts'
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
  readonly realTime: Pick<Clock, 'sleep'>
}

/** How a fault lets a call be carried out. */
export interface HowToRun {
  /** What was made after it is not to be known of. */
  readonly until?: number
  /** Time has passed since the call came. */
  readonly wasHeld?: boolean
}

/** By these a person gets out of what he arranged, so no fault strikes them unless it names them. */
const ALWAYS_ANSWERED = new Set(['InjectFault', 'ListFaults', 'ClearFault', 'GetClock', 'SetClock', 'ListRegions', 'CreateRegion', 'DeleteRegion', 'ListScenarios', 'RunScenario'])
/** HTTP statuses as people name them. */
const BY_STATUS: Readonly<Record<string, ApiErrorCode>> = { 429: 'FlowLimitExceeded', 500: 'InternalError', 503: 'ServiceUnavailable', 504: 'InternalServiceTimeout' }
const HANGS_MS = 30_000, LONGEST_MS = 120_000
/** How much newer things a stale list does not show yet, by default. */
const STALE_MS = 10_000
/** What is refused carries in For how long it says to wait. */
const HEEDING: Heeding = { for: ['slow', 'hang', 'lie', 'fail', 'stutter'], code: ['fail', 'stutter'], message: ['fail', 'stutter'] }
const EFFECTS = new Set(['fail', 'stutter', 'slow', 'hang', 'silent', 'half', 'double', 'lie'])

export function isAlwaysAnswered(action: string): boolean {
  return ALWAYS_ANSWERED.has(action)
}

type Complaint = { readonly member: string; readonly why: string } | undefined

/** What keeps an order from being a fault of our own answers. */
export function answerFaultComplaint({ call, effect, target, times, until }: FaultOrder): Complaint {
  if (target?.kind !== undefined && target.kind !== 'Call') return { member: 'Target.Kind', why: 'what our own answers concern are calls: it is Call, or left out' }
  if (target?.label !== undefined) return { member: 'Target.Label', why: 'calls carry no labels; name them by an id or a name that they send' }
  if (!EFFECTS.has(effect.type)) return { member: 'Effect.Type', why: `our own answers can ${[...EFFECTS].join(', ')}` }
  if ((effect.type === 'slow' || effect.type === 'hang') && (effect.for ?? 0) > LONGEST_MS) return { member: 'Effect.For', why: `our own answers are at most ${LONGEST_MS / 1_000}s late` }
  if (effect.type === 'lie' && call === undefined) return { member: 'Call', why: `a list that is stale is named: ${STALE_LISTS.join(', ')}` }
  if (effect.type === 'lie' && !STALE_LISTS.includes(call ?? '')) return { member: 'Effect.Type', why: `only lists of what is made in a region can be stale: ${STALE_LISTS.join(', ')}` }
  if (effect.code !== undefined && codeOf(effect.code) === undefined) return { member: 'Effect.Code', why: `it is one of ${Object.keys(BY_STATUS).join(', ')}, or a code that our calls answer, such as OperationDenied.ClusterStatus, NotFound.Cluster or Conflict.Name` }
  if (call === 'ClearFault' && times === undefined && until === undefined) return { member: 'Times', why: 'nothing but ClearFault takes a fault away, so that one of it ends by itself: send Times or Until' }
  return unheeded(effect, HEEDING)
}

/** What keeps the order's target, an id of that kind if it has one, from being named by its call, or by any where it names none: it could not strike. */
export function sentTargetComplaint({ call, target }: FaultOrder, kind: string | undefined, called: Pick<Action, 'name' | 'schema'> | undefined): Complaint {
  const { id, name } = target ?? {}
  if (id !== undefined && kind !== undefined && !called && !everySentKind().has(kind)) return { member: 'Target.Id', why: `the id is of kind ${kind}, and no call sends ids of that kind` }
  if (!called) return undefined
  const { ids, names } = sentBy(called)
  const sent = new Set([...ids.values()].flatMap(kinds => kinds ?? []))
  if (id !== undefined && sent.size === 0) return { member: 'Target.Id', why: `${call} sends no ids` }
  if (id !== undefined && kind !== undefined && !sent.has(kind as SentKind)) return { member: 'Target.Id', why: `the id is of kind ${kind}, and ${call} sends only ids of kind ${[...sent].join(', ')}` }
  if (name !== undefined && names.length === 0) return { member: 'Target.Name', why: `${call} sends no names` }
  const isOfOne = names.includes('Name') && (kind === undefined ? ids.has('Id') : ids.get('Id')?.includes(kind as SentKind))
  return id !== undefined && name !== undefined && !isOfOne ? { member: 'Target.Name', why: `${call} does not send Id and Name of one such thing; give one of them` } : undefined
}

/**
 * Runs a call as the region's faults of the port `api` let it: refused before it did anything (fail, stutter), late (slow), never (hang, silent), done while the connection is cut (half),
 * done twice (double), or a list without what was made lately (lie). Times are real ones, but for how lately: that is of the region.
 */
export async function underFaults(faults: RegionFaults, call: CallUnderFaults, run: (how?: HowToRun) => Promise<object>): Promise<object> {
  const fault = strike(faults, call)
  if (!fault) return run()
  const { effect } = fault
  switch (effect.type) {
    case 'fail': case 'stutter': throw refusalOf(fault, call)
    case 'slow': await call.realTime.sleep(effect.for ?? 0); return run({ wasHeld: true })
    case 'hang': await call.realTime.sleep(effect.for ?? HANGS_MS); throw new ConnectionCut('The call is given no answer')
    case 'silent': throw new ConnectionCut('The call is given no answer')
    case 'half': await run(); throw new ConnectionCut('What the call asked for is done, and its answer is lost')
    case 'double': await run(); return run({ wasHeld: true })
    case 'lie': return run({ until: call.now - (effect.for ?? STALE_MS) })
    case 'protected': return run() // is refused when it is ordered
  }
}

function strike(faults: RegionFaults, { action, body }: CallUnderFaults): StandingFault | undefined {
  if (faults.list().length === 0) return undefined
  const { Id: id, Name: name, Filter: filter } = body as { readonly Id?: unknown; readonly Name?: unknown; readonly Filter?: object }
  const also = [body, filter ?? {}].flatMap(members => Object.entries(members).flatMap(([member, value]) => namedBy(member, value)))
  return faults.strike('api', action.name, { kind: 'Call', id: textOf(id) ?? '', name: textOf(name), also, onlyNamed: isAlwaysAnswered(action.name) })
}

/** The things that a member of a body names: by their ids, or by their names. */
function namedBy(member: string, value: unknown): { readonly kind: 'Call'; readonly id: string; readonly name?: string }[] {
  const texts = [value].flat().filter(text => typeof text === 'string')
  if (carriesIds(member)) return texts.map(id => ({ kind: 'Call', id }))
  return carriesNames(member) ? texts.map(name => ({ kind: 'Call', id: '', name })) : []
}

/** What a fault says in place of an answer: nothing went wrong here. */
export class OrderedRefusal extends Refusal {
  readonly faultId: string

  constructor(code: ApiErrorCode, parameters: Readonly<Record<string, string | number>>, faultId: string) {
    super(code, parameters)
    this.faultId = faultId
  }
}

function refusalOf({ id, effect }: StandingFault, { action, body, requestId }: CallUnderFaults): OrderedRefusal {
  const { code, named } = codeOf(effect.code ?? '500') ?? { code: 'InternalError', named: {} }
  const retryAfter = Math.ceil((effect.for ?? 1_000) / 1_000), why = `the fault ${id} orders it`
  const refusal = new OrderedRefusal(code, { action: action.name, retryAfter, requestId, why, by: why, ...named, ...sentOf(body, named) }, id)
  if (effect.message !== undefined) refusal.message = effect.message
  // The catalogue's own words may tell what is known of real refusals alone, such as a limit that was passed.
  else if (/\{\w+\}/.test(refusal.message)) refusal.message = `The fault ${id} refuses ${action.name} with ${refusal.wireCode}.${refusal.httpStatus === 429 ? ` Try again in ${retryAfter} s.` : ''}`
  return refusal
}

/** What stands in the braces of a row's code, such as NotFound.{Resource}. */
interface Named { readonly Resource?: string; readonly Parameter?: string }

/** The row of the catalogue that answers that code, itself or with the braces of its own filled in. */
function codeOf(text: string): { readonly code: ApiErrorCode; readonly named: Named } | undefined {
  const code = BY_STATUS[text] ?? API_ERRORS.find(([each]) => each === text && !each.includes('{'))?.[0]
  if (code) return { code, named: {} }
  const [, before, name] = /^(\w+\.)([A-Z]\w*(?:\.\w+)*)$/.exec(text) ?? []
  for (const braces of ['Resource', 'Parameter'] as const) {
    const row = API_ERRORS.find(([each]) => each === `${before}{${braces}}`)
    if (row && name !== undefined) return { code: row[0], named: { [braces]: name } }
  }
  return undefined
}

/** What the call sends of that: the id of the thing, the value of the parameter. */
function sentOf(body: object, { Resource, Parameter }: Named): Readonly<Record<string, string>> {
  const members = body as Readonly<Record<string, unknown>>
  if (Parameter !== undefined) return given('value', members[Parameter])
  return Resource === undefined ? {} : given('id', [members[`${Resource}Id`] ?? members['Id'] ?? members['Ids']].flat()[0])
}

function given(name: string, value: unknown): Readonly<Record<string, string>> {
  return typeof value === 'string' ? { [name]: value } : {}
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
