import { isRefusal, refuse } from '#model/errors/catalogue.ts'
import { statusText } from '#model/status/table.ts'
import { rfc3339Milliseconds } from '#model/time.ts'
import type { Evidence } from '#model/evidence.ts'
import type { StatusChange } from '#ports/store.ts'
import { CALLER, type ActionContext } from '../action.ts'
import { Rendered } from '../rendered.ts'
import { evidenceToWire } from '../actions/own-wire.ts'
import { spanOf } from '../actions/time-texts.ts'
import { answeredId, filled, isCall, type CallStep, type Scenario } from './scenario.ts'

/** One thing that happened: a call, a step of the clock, or a status that somebody then had. */
export interface Told {
  readonly at: number
  readonly text: string
  readonly change?: StatusChange
}

export interface StopAt { readonly kind: string; readonly phase: string; readonly condition: string }

export interface Played {
  readonly story: readonly Told[]
  /** True where it was stopped at the wanted row. */
  readonly stopped: boolean
}

/** Steps while a row is looked for, where nobody says when the next thing happens. */
const FINE_STEP_MS = 1_000
const PAGE = 100

/**
 * Plays a scenario in a region whose clock stands still, and tells what happened in order. It ends early where the row to stop at holds: all that is due at an instant is done before the clock stands there, so
 * a row that came and went within that instant is none to stop at.
 */
export async function play(context: ActionContext, scenario: Scenario, region: string, { names, stopAt }: { readonly names: Map<string, string>; readonly stopAt?: StopAt | undefined }): Promise<Played> {
  const scope = { accountId: context.scope.accountId, region }
  const story: Told[] = []
  let position = await lastPosition()
  const now = () => context.regions.get(region)?.now() ?? 0
  // Where the scenario says whose row it is, another's that comes to it as well is not meant.
  const whose = stopAt && scenario.Reaches.find(({ Kind, Phase, Conditions }) => Kind === stopAt.kind && Phase === stopAt.phase && Conditions.includes(stopAt.condition))?.Name

  for (const step of scenario.Steps) {
    if (isCall(step)) await tellCall(step)
    else {
      story.push({ at: now(), text: `The clock goes on by ${step.Clock}.` })
      const end = spanOf('RunScenario', 'Step', step.Clock) ?? 0
      for (let left = end; left > 0;) {
        const by = stopAt ? Math.min(nextStep(), left) : left
        const { Behind: behind } = await context.callIn(region, 'SetClock', { Step: `${by}ms` }) as { Behind?: unknown }
        if (behind !== undefined) refuse('InternalServiceTimeout', {})
        left -= by
        if (await tellChanges()) return { story, stopped: true }
      }
    }
    if (await tellChanges()) return { story, stopped: true }
  }
  return { story, stopped: false }

  async function tellCall(step: CallStep): Promise<void> {
    const at = now()
    try {
      const result = await context.callIn(region, step.Action, filled(step.Request, names))
      const id = answeredId(result instanceof Rendered ? JSON.parse(result.json) : result)
      if (step.As !== undefined && id !== undefined) names.set(step.As, id)
      if (!step.Action.startsWith('List')) story.push({ at, text: `${step.Action} is called${about(step)}.` })
    } catch (error) {
      if (!isRefusal(error) || error.wireCode !== step.Refused) throw error
      story.push({ at, text: `${step.Action} is refused with ${error.wireCode}.` })
    }
  }

  /** To the next instant at which something is due or happens: until then no status can change, and at each such instant the row may hold. */
  function nextStep(): number {
    const quietUntil = context.regions.get(region)?.clock?.quietUntil()
    return quietUntil === undefined ? FINE_STEP_MS : Math.max(1, Math.ceil(quietUntil - now()))
  }

  /** True when the wanted row holds now that all of it has happened. */
  async function tellChanges(): Promise<boolean> {
    if (await lastPosition() === position) return false
    const changes: StatusChange[] = []
    for (let number = 1; ; number++) {
      const { items } = await context.store.listHistory(scope, {}, { number, size: PAGE })
      const fresh = items.filter(change => change.position > position)
      changes.push(...fresh)
      if (fresh.length < PAGE) break
    }
    const shown = new Map<string, StatusChange>()
    for (const change of changes.toReversed()) {
      position = change.position
      const { kind, id, name } = change.resource
      shown.set(id, change)
      story.push({ at: change.at, text: `${kind} ${name} is ${change.status ? statusText(change.status) : 'gone'}: ${change.because}.`, change })
    }
    return [...shown.values()].some(isWanted)
  }

  function isWanted({ resource, status }: StatusChange): boolean {
    return stopAt !== undefined && resource.kind === stopAt.kind && (whose === undefined || resource.name === whose) && status?.phase === stopAt.phase && status.conditions.includes(stopAt.condition)
  }

  async function lastPosition(): Promise<number> {
    return (await context.store.listHistory(scope, {}, { number: 1, size: 1 })).items[0]?.position ?? 0
  }
}

function about({ Request }: CallStep): string {
  const name = Request['Name'] ?? Request['Port']
  return typeof name === 'string' ? ` (${name})` : ''
}

export function toldToWire({ at, text, change }: Told): object {
  return {
    At: rfc3339Milliseconds(at), Text: text,
    ...change && { Resource: { Kind: change.resource.kind, Id: change.resource.id, Name: change.resource.name, ...change.resource.clusterId !== undefined && { ClusterId: change.resource.clusterId } } },
    ...change?.status && { Status: { Phase: change.status.phase, Conditions: change.status.conditions.map(Type => ({ Type })) } },
    ...change && { Rule: change.rule, Because: change.because, Evidence: change.evidence.map(ofAnyRun).map(evidenceToWire) },
  }
}

/** Key and request id of a call are those of one run; a story is the same in every one (design.md 8, Determinism). */
function ofAnyRun(evidence: Evidence): Evidence {
  return evidence.observer.startsWith(CALLER) ? { ...evidence, observer: 'a caller', source: evidence.source.split(' ')[0] ?? '' } : evidence
}
