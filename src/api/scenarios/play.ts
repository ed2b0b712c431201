import { isRefusal, refuse, type Refusal } from '#model/errors/catalogue.ts'
import { statusText } from '#model/status/table.ts'
import { rfc3339Milliseconds } from '#model/time.ts'
import type { Evidence } from '#model/evidence.ts'
import type { Scope, StatusChange, Store } from '#ports/store.ts'
import { CALLER } from '../action.ts'
import { Rendered } from '../rendered.ts'
import { evidenceToWire } from '../actions/own-wire.ts'
import { spanOf } from '../actions/time-texts.ts'
import { holdsIn, type KeptLine, type PlayState, type StopAt } from './kept-play.ts'
import { answeredId, filled, isCall, type CallStep, type Scenario } from './scenario.ts'

/** One thing that happened: a call, a step of the clock, or a status that somebody then had. */
export interface Told {
  readonly at: number
  readonly text: string
  readonly change?: StatusChange
}

/** A region in which a scenario is played, and who is told how far that is. */
export interface Stage {
  readonly scope: Scope
  readonly store: Pick<Store, 'listHistory'>
  /** The region's time. */
  now(): number
  /** Nothing happens before that instant; undefined where that is not known. */
  quietUntil(): number | undefined
  /** A call as the scenario's caller makes it. The same step called a second time, after its outcome was lost, does nothing twice. */
  call(action: string, body: object, step: number): Promise<object>
  /** Written down before the play goes on; whoever goes on after this process begins there. */
  keep(state: PlayState): Promise<void>
  /** From then on nothing is called any more. */
  readonly signal: AbortSignal
}

/** Steps while a row is looked for, where nobody says when the next thing happens. */
const FINE_STEP_MS = 1_000
const PAGE = 100

/**
 * Plays a scenario, from its beginning or from where it stood, in a region whose clock it stops. It ends early where the row to stop at holds: all that is due at an instant is done before the clock stands
 * there, so a row that came and went within that instant is none to stop at. `again`: it is gone on with, and its first step may have been done.
 */
export async function play(stage: Stage, scenario: Scenario, { from, again = false, stopAt }: { readonly from: PlayState; readonly again?: boolean; readonly stopAt?: StopAt | undefined }): Promise<{ readonly state: PlayState; readonly stopped: boolean }> {
  const { scope, store, signal } = stage
  const names = new Map(Object.entries(from.names)), lines: KeptLine[] = [...from.lines]
  let { step: at, told, until } = from
  // Where the scenario says whose row it is, another's that comes to it as well is not meant.
  const whose = stopAt && scenario.Reaches.find(({ Kind, Phase, Conditions }) => Kind === stopAt.kind && Phase === stopAt.phase && holdsIn(stopAt.condition, Conditions))?.Name

  // What a step that was interrupted had not come to is done first.
  await setClock({ Paused: true, Step: '0ms' })
  for (const isFirst = at; at < scenario.Steps.length; at++) {
    signal.throwIfAborted()
    const step = scenario.Steps[at]
    if (!step) break
    if (isCall(step)) await makeCall(step, again && at === isFirst)
    else {
      if (until === undefined) {
        lines.push({ at: stage.now(), text: `The clock goes on by ${step.Clock}.`, behind: told })
        until = stage.now() + (spanOf('RunScenario', 'Step', step.Clock) ?? 0)
        await stage.keep(state())
      } else if (await holds()) return { state: state(), stopped: true }
      for (let left = until - stage.now(); left > 0; left = until - stage.now()) {
        signal.throwIfAborted()
        await setClock({ Step: `${stopAt ? Math.min(await nextStep(), left) : left}ms` })
        if (await holds()) return { state: state(), stopped: true }
      }
      until = undefined
    }
    if (await holds()) return { state: state(), stopped: true }
    await stage.keep({ ...state(), step: at + 1 })
  }
  return { state: state(), stopped: false }

  function state(): PlayState {
    return { step: at, names: Object.fromEntries(names), lines: [...lines], began: from.began, told, ...from.clockRan && { clockRan: true }, ...until !== undefined && { until } }
  }

  async function setClock(change: { readonly Paused?: true; readonly Step: string }): Promise<void> {
    const { Behind: behind } = await stage.call('SetClock', change, at) as { Behind?: unknown }
    if (behind !== undefined) refuse('InternalServiceTimeout', {})
  }

  async function makeCall(step: CallStep, mayBeDone: boolean): Promise<void> {
    const line = { at: stage.now(), behind: told }
    try {
      const result = await stage.call(step.Action, filled(step.Request, names) as object, at)
      const id = answeredId(result instanceof Rendered ? JSON.parse(result.json) : result)
      if (step.As !== undefined) {
        // A list that does not show it yet is asked again, by whoever goes on with the play.
        if (id === undefined) throw new Error(`E-SCENARIO: ${step.Action} answered nothing that is to be <${step.As}>`)
        names.set(step.As, id)
      }
      if (!step.Action.startsWith('List')) lines.push({ ...line, text: `${step.Action} is called${about(step)}.` })
    } catch (error) {
      if (!isRefusal(error)) throw error
      if (mayBeDone && showsItWasDone(step, error)) lines.push({ ...line, text: `${step.Action} is called${about(step)}.` })
      else if (error.wireCode === step.Refused) lines.push({ ...line, text: `${step.Action} is refused with ${error.wireCode}.` })
      else throw error
    }
  }

  /** To the next instant at which something is due or happens: until then no status can change, and at each such instant the row may hold. */
  async function nextStep(): Promise<number> {
    // Somebody looked whether there is work, as after each change of a record: it is soon known.
    if (stage.quietUntil() === undefined) await setClock({ Step: '0ms' })
    const quietUntil = stage.quietUntil()
    return quietUntil === undefined ? FINE_STEP_MS : Math.max(1, Math.ceil(quietUntil - stage.now()))
  }

  /** True when the wanted row holds now that all of it has happened. */
  async function holds(): Promise<boolean> {
    const last = await lastPosition(store, scope)
    if (last === told) return false
    const shown = stopAt ? new Map((await changesBetween(store, scope, told, last)).map(change => [change.resource.id, change])) : undefined
    told = last
    return shown !== undefined && [...shown.values()].some(isWanted)
  }

  function isWanted({ resource, status }: StatusChange): boolean {
    return stopAt !== undefined && resource.kind === stopAt.kind && (whose === undefined || resource.name === whose) && status?.phase === stopAt.phase && holdsIn(stopAt.condition, status.conditions)
  }
}

/** A play that has not begun, in a region whose history is as long as it is now. */
export async function firstState(store: Stage['store'], scope: Scope, names: Readonly<Record<string, string>>): Promise<PlayState> {
  const began = await lastPosition(store, scope)
  return { step: 0, names, lines: [], began, told: began }
}

/** What happened in a play, in order: its own lines and the history between them. */
export async function storyOf(store: Stage['store'], scope: Scope, { began, told, lines }: PlayState): Promise<readonly Told[]> {
  const story: Told[] = []
  let next = 0
  for (const change of await changesBetween(store, scope, began, told)) {
    tellLines(change.position)
    const { kind, name } = change.resource
    story.push({ at: change.at, text: `${kind} ${name} is ${change.status ? statusText(change.status) : 'gone'}: ${change.because}.`, change })
  }
  tellLines(Number.POSITIVE_INFINITY)
  return story

  function tellLines(before: number): void {
    for (let line = lines[next]; line && line.behind < before; line = lines[++next]) story.push({ at: line.at, text: line.text })
  }
}

/** What is being removed and is not there any more was removed by the first try: what made its token known went with it. */
function showsItWasDone({ Action }: CallStep, { wireCode }: Refusal): boolean {
  return Action.startsWith('Delete') && wireCode.startsWith('NotFound.')
}

/** Behind one position and up to another, oldest first. */
async function changesBetween(store: Stage['store'], scope: Scope, after: number, upTo: number): Promise<readonly StatusChange[]> {
  const found: StatusChange[] = []
  for (let number = 1; ; number++) {
    const { items } = await store.listHistory(scope, {}, { number, size: PAGE })
    // What is added meanwhile moves the pages on.
    for (const change of items) if (change.position > after && change.position <= upTo && change.position < (found.at(-1)?.position ?? Number.POSITIVE_INFINITY)) found.push(change)
    if (items.length < PAGE || (items.at(-1)?.position ?? 0) <= after) return found.toReversed()
  }
}

async function lastPosition(store: Stage['store'], scope: Scope): Promise<number> {
  return (await store.listHistory(scope, {}, { number: 1, size: 1 })).items[0]?.position ?? 0
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
