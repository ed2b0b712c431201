import type { Static, TSchema } from 'typebox'
import { refuse, refuseParameter } from '#model/errors/catalogue.ts'
import type { Evidence } from '#model/evidence.ts'
import { rfc3339Seconds } from '#model/time.ts'
import type { Clock } from '#ports/clock.ts'
import type { Log } from '#ports/log.ts'
import type { Because, Scope, Store } from '#ports/store.ts'
import type { Apart, Meanwhile, RegionMaker, RegionPorts } from './regions.ts'
import type { ApiSettings } from './settings.ts'

export const PRODUCT_VERSION = '2021-03-03'
export const OWN_VERSION = '2026-12-01'

/** Everything an action may use besides its body. One a call. */
export interface ActionContext {
  readonly action: string
  readonly requestId: string
  readonly accessKeyId: string
  /** The call is signed with the administrator's key. */
  readonly isAdministrator: boolean
  /** Account and region; every read and every lock is held to it. */
  readonly scope: Scope
  readonly region: RegionPorts
  readonly regions: ReadonlyMap<string, RegionPorts>
  readonly regionMaker: RegionMaker | undefined
  readonly store: Store
  readonly settings: ApiSettings
  readonly log: Log
  /** The region's time when the call arrived, epoch ms. */
  readonly now: number
  /** In which a call waits for what others do: the region's time may stand still. */
  readonly realTime: Clock
  /** Bytes from which ids and tokens are made. */
  randomBytes(length: number): Uint8Array
  /** What a call waits for that regions do by themselves: they may be kept from it until the call ends otherwise. */
  readonly meanwhile: Meanwhile
}

export interface Action {
  readonly name: string
  readonly version: string
  /** Reads change nothing and count against the rate of reads; deletions are writes. */
  readonly kind: 'read' | 'write'
  /** One sentence for the API's description. */
  readonly says: string
  readonly schema: TSchema
  /** Its answer is no result in an envelope but a stream of server-sent events; its parameters are sent in the query of a GET. */
  readonly streams?: true
  /** It concerns no region that has to be there, or has to be open: signed for a name that no region has, it is answered in the default one. So it also is where the caller's region is still to be made, is being opened, or is gone. */
  readonly inAnyRegion?: true
  /** A call of our own that orders what costs, or changes what an account in arrears has; the product's writes are refused whatever they say here, but for deletions. */
  readonly refusedInArrears?: true | ((body: never) => boolean)
  /**
   * Of a call whose one write leaves nothing behind but what it does in its transaction: what may not be written in one transaction by two calls, but for their ClientToken. Calls of a busy region are written
   * together then. Absent: each is written by itself.
   */
  apart?(body: never): Apart
  run(context: ActionContext, body: never): Promise<object>
}

/** An action: its name and version, the shape of its body, and what it does. The answer is the envelope's `Result`. */
export function defineAction<Schema extends TSchema>(action: Omit<Action, 'schema' | 'run' | 'apart'> & {
  readonly schema: Schema
  apart?(body: Static<Schema>): Apart
  run(context: ActionContext, body: Static<Schema>): Promise<object>
}): Action {
  if (action.version === OWN_VERSION && action.kind === 'write') close(action.schema)
  const isRefused = action.version === PRODUCT_VERSION ? action.kind === 'write' && !action.name.startsWith('Delete') : action.refusedInArrears
  if (action.kind === 'read') return action as Action
  return { ...action, run: async (context: ActionContext, body: Static<Schema>) => {
    refuseDryRun(context, body)
    if (typeof isRefused === 'function' ? isRefused(body as never) : isRefused) await refuseInArrears(context)
    return action.run(context, body)
  } } as Action
}

/** Who asks what a call would do wants nothing done; that is not told here yet, and members that are not known are otherwise ignored. */
function refuseDryRun({ action }: ActionContext, { DryRun }: { readonly DryRun?: unknown }): void {
  if (DryRun === true || DryRun === 'true') refuseParameter(action, 'DryRun', 'what a call would do is not told beforehand in this version, and without it the call is done')
}

/** Calls of our own take no member that they do not know: a misspelt `Target` would make a fault of everything. */
function close(schema: TSchema): void {
  const { properties } = schema as { readonly properties?: Readonly<Record<string, TSchema>> }
  if (!properties) return
  Object.assign(schema, { additionalProperties: false })
  for (const member of Object.values(properties)) close(member)
}

/**
 * status-rules.md, Arrears: from the end of grace on nothing is made or changed; what deletes is left to the preconditions. Of our own calls those are refused that order what
 * costs. What arranges a simulated world (clock, faults, limits, balance, what befalls machines) is no order of the account's, and pays no heed to it.
 */
async function refuseInArrears({ store, scope, action }: ActionContext): Promise<void> {
  const { stoppedSince, arrearsSince } = await store.findAccount(scope)
  if (stoppedSince !== undefined) refuse('OperationDenied.Balance', { action, arrearsSince: rfc3339Seconds(arrearsSince ?? stoppedSince), since: rfc3339Seconds(stoppedSince) })
}

/** How the observer of what a caller asked for begins; the key follows. */
export const CALLER = 'caller '

/** The history's words for a change that a caller asked for. */
export function askedBy(context: ActionContext, fact: string): Because {
  const evidence: Evidence = { observer: `${CALLER}${context.accessKeyId}`, source: `${context.action} ${context.requestId}`, observedAt: context.now, fact }
  return { evidence: [evidence], operation: context.action }
}
