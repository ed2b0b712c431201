import { randomBytes } from 'node:crypto'
import { refuse } from '#model/errors/catalogue.ts'
import type { Clock } from '#ports/clock.ts'
import type { Log } from '#ports/log.ts'
import type { Store } from '#ports/store.ts'
import type { Action, ActionContext } from './action.ts'
import { isAlwaysAnswered, underFaults, type HowToRun } from './answer-faults.ts'
import { bodyFromQuery, parseBody } from './body.ts'
import { Meeting } from './meeting.ts'
import { ServedElsewhere } from './pass-on.ts'
import { resumed } from './watches/resumed.ts'
import { bodyChecker } from './check-body.ts'
import { KnownKeys } from './known-keys.ts'
import { RateLimits } from './rate-limit.ts'
import { tokenOf } from './idempotency.ts'
import { findRegion, learnRegion, refuseNotReady, type Meanwhile, type RegionMaker, type RegionPorts } from './regions.ts'
import type { ApiSettings } from './settings.ts'
import { staleStore } from './stale-lists.ts'
import { DayKeys } from './signature/day-keys.ts'
import { verifySignature, type SignedRequest } from './signature/verify.ts'

export interface CallParts {
  readonly store: Store
  readonly regions: ReadonlyMap<string, RegionPorts>
  readonly settings: ApiSettings
  readonly log: Log
  /** Absent where no simulated regions can be made. */
  readonly regionMaker?: RegionMaker
  /** Real time, whatever the time of a region. */
  readonly realTime: Clock
  /** Aborted when this server is about to end; calls that wait for something are refused then. */
  readonly ending?: AbortSignal
}

/** What became known of a call on its way; the answer's metadata show it, also when the call was refused. */
export interface CallTrace { readonly requestId: string; region?: string; /** It is answered here, whoever runs its region. */ stays?: boolean }

/** Reads of what only the process that runs a region knows: its faults, and the instant to which its work has come. */
const WORLD_READS = new Set(['GetClock', 'ListFaults', 'GetBalance', 'ListQuotas', 'ListStock', 'ExplainStatus'])
/** By these the faults of a region come and go. */
const ARRANGE_FAULTS = new Set(['InjectFault', 'ClearFault', 'RunScenario'])

/** Answers the envelope's `Result`; throws Refusals. */
export type RunCall = (request: SignedRequest, trace: CallTrace) => Promise<object>

interface Caller { readonly accountId: string; readonly accessKeyId: string; readonly isAdministrator?: true }

/** A call that nobody sent: by an account, in a region that this process runs. Throws what it would be refused with. */
export type CallWithin = (caller: Caller, region: string, action: string, body: object, requestId: string) => Promise<object>

export function callsWithin(parts: CallParts, actions: readonly Action[]): CallWithin {
  const prepared = new Map(actions.map(action => [action.name, { action, check: bodyChecker(action.name, action.schema) }]))
  return async (caller, region, name, body, requestId) => {
    const found = prepared.get(name)
    if (!found) return refuse('InvalidActionOrVersion', { action: name, version: 'any version', service: parts.settings.service })
    return perform(parts, found.action, found.check(body as Record<string, unknown>, false) as object, caller, findRegion(parts.regions, parts.settings, region), requestId)
  }
}

/** The way of one call from its bytes to its result: signature, service, region, rate, shape, then the action. Throws Refusals. */
export function prepareCalls(parts: CallParts): (action: Action) => RunCall {
  const realNow = () => parts.realTime.now()
  const keys = new KnownKeys(parts.store, realNow)
  const limits = new RateLimits(parts.settings.limits)
  const verifier = { findAccessKey: (id: string) => keys.find(id), dayKeys: new DayKeys(), realNow }
  /** A region that is gone takes its own along. */
  const meetings = new WeakMap<object, Meeting>()
  const meetingOf = (ports: object): Meeting => {
    const found = meetings.get(ports) ?? new Meeting(parts.realTime)
    meetings.set(ports, found)
    return found
  }

  return action => {
    const check = bodyChecker(action.name, action.schema)
    return async (request, trace) => {
      const caller = await verifySignature(request, verifier)
      trace.region = caller.region
      if (caller.service !== parts.settings.service) refuse('ServiceNotFound', { service: caller.service })
      await learnRegion(parts.regions, parts.settings, parts.regionMaker, caller.region)
      const region = findRegion(parts.regions, parts.settings, caller.region, action.inAnyRegion)
      if (!region.ports.unlimited) limits.take(caller.accountId, action, realNow())

      const fromQuery = request.method === 'GET' && request.body.length === 0
      const sent = fromQuery ? bodyFromQuery(action.name, request.query) : parseBody(action.name, request.body)
      const body = check(action.streams ? resumed(sent, request.headers) : sent, fromQuery)
      const elsewhere = trace.stays ? undefined : region.ports.elsewhere?.()
      const isWrite = action.kind === 'write'
      if (elsewhere && (isWrite || WORLD_READS.has(action.name) || elsewhere.judgesReads)) {
        throw new ServedElsewhere(elsewhere, { isWrite, isOnce: takesToken(action) && tokenOf(body) !== undefined, arranges: ARRANGE_FAULTS.has(action.name) })
      }
      // Where callers are held to rates nobody brings such a load.
      return perform(parts, action, body as object, caller, region, trace.requestId, isWrite && region.ports.unlimited ? meetingOf(region.ports) : undefined)
    }
  }
}

/** What is done of a call whose caller, region and body are known. Only what it does is met by others of its region: one that a fault holds keeps nobody waiting. */
async function perform(parts: CallParts, action: Action, body: object, caller: Caller, region: ReturnType<typeof findRegion>, requestId: string, meeting?: Meeting): Promise<object> {
  if (needsOpen(action)) await untilOpen(region)
  else if (action.kind === 'read') await untilJudged(action, region)
  const begin = async ({ until, wasHeld = false }: HowToRun): Promise<object> => {
    // The region may have closed meanwhile, or be another server's.
    if ((wasHeld || meeting) && needsOpen(action)) await untilOpen(region)
    const context = contextOf(parts, action, caller, region, requestId, meeting && togetherIn(region.ports, action, body))
    const act = (meanwhile: Meanwhile): Promise<object> => action.run({ ...context, meanwhile, ...until !== undefined && { store: staleStore(context.store, until) } }, body as never)
    const result = await (action.kind === 'write' && region.ports.inTurn ? region.ports.inTurn(act) : act(wait => wait()))
    if (action.kind === 'write') await region.ports.afterWrite?.()
    return result
  }
  const run = (how: HowToRun = {}) => (meeting ? meeting.join(() => begin(how)) : begin(how))
  const { faults } = region.ports
  return faults ? underFaults(faults, { action, body, requestId, now: region.ports.now(), realTime: untilEnd(parts) }, run) : run()
}

function togetherIn(ports: RegionPorts, action: Action, body: object): Store | undefined {
  const apart = action.apart?.(body as never), token = tokenOf(body)
  return apart && ports.storeTogether?.({ ...apart, names: [...apart.names, ...token === undefined ? [] : [`token/${action.name}/${token}`]] })
}

/** What an action is given when it begins: the time above all is that of then, however long its call was held. */
function contextOf(parts: CallParts, action: Action, caller: Caller, region: ReturnType<typeof findRegion>, requestId: string, together: Store | undefined): Omit<ActionContext, 'meanwhile'> {
  return {
    action: action.name,
    requestId,
    accessKeyId: caller.accessKeyId,
    isAdministrator: caller.isAdministrator === true,
    scope: { accountId: caller.accountId, region: region.name },
    region: region.ports,
    regions: parts.regions,
    store: (action.kind === 'write' ? together ?? region.ports.store : undefined) ?? parts.store,
    settings: parts.settings,
    log: parts.log,
    now: region.ports.now(),
    realTime: untilEnd(parts),
    randomBytes: region.ports.randomBytes ?? randomBytes,
    regionMaker: parts.regionMaker,
  }
}

/** Real time in which no call sleeps beyond the end of this server. */
function untilEnd({ realTime, ending }: CallParts): Clock {
  return {
    now: () => realTime.now(),
    async sleep(ms, signal) {
      const either = AbortSignal.any([ending, signal].filter(one => one !== undefined))
      await realTime.sleep(ms, either).catch((error: unknown) => (ending?.aborted ? refuse('ServiceUnavailable', { why: 'this server is about to end' }) : Promise.reject(error)))
    },
  }
}

/** What a call about regions themselves does, it does not do in the region that its signature names. */
function needsOpen({ kind, inAnyRegion }: Action): boolean {
  return kind === 'write' && inAnyRegion !== true
}

/** Those that take one are done once for it. */
function takesToken({ kind, schema }: Action): boolean {
  return kind === 'write' && 'ClientToken' in ((schema as { readonly properties?: object }).properties ?? {})
}

/** Reads wait a little for a region only while they would pass by the faults that stand in it. */
async function untilJudged({ name }: Action, { ports }: ReturnType<typeof findRegion>): Promise<void> {
  if (isAlwaysAnswered(name)) return
  await ports.untilJudged?.()
  const why = ports.refusesReads?.()
  if (why !== undefined) refuse('ServiceUnavailable', { why })
}

/** Writes wait a little for a region that is being opened, and are refused where it takes none. */
async function untilOpen({ name, ports }: ReturnType<typeof findRegion>): Promise<void> {
  await ports.untilOpen?.()
  const notReady = ports.refusesWrites?.()
  if (notReady) refuseNotReady(name, notReady)
}
