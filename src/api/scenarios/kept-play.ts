import { API_ERRORS, type ApiErrorCode, type Refusal } from '#model/errors/catalogue.ts'

export interface StopAt {
  readonly kind: string
  readonly phase: string
  /** Several that are to hold together are joined by `+`. */
  readonly condition: string
}

/** True if what is shown has the condition, or each of those that are joined by `+`. */
export function holdsIn(condition: string, shown: readonly string[]): boolean {
  return condition.split('+').every(one => shown.includes(one))
}

/** What a call of RunScenario asked for, and who did. */
export interface PlayOrder {
  readonly accountId: string
  readonly accessKeyId: string
  readonly scenario: string
  readonly seed: number
  readonly stopAt?: StopAt
  readonly withoutCause?: true
  /** A cluster of a region that is named, which it may use. */
  readonly on?: string
  /** The caller's ClientToken, by which a repeat is known for certain. */
  readonly token?: string
}

/** A line of a story that no history has: a call, or a step of the clock. */
export interface KeptLine {
  readonly at: number
  readonly text: string
  /** The position in the history that it comes behind. */
  readonly behind: number
}

/** How far a play is. Positions are those of the history. */
export interface PlayState {
  /** The step that is next, or under way: whether it was tried before a server died is not known. */
  readonly step: number
  readonly names: Readonly<Record<string, string>>
  readonly lines: readonly KeptLine[]
  /** The story begins behind it. */
  readonly began: number
  /** All up to it was looked at. */
  readonly told: number
  /** Where a step of the clock that is under way leads, in the region's time: a span would be counted anew. */
  readonly until?: number
  /** The clock of a region that was named ran before, and runs on afterwards unless the play was stopped at a row. */
  readonly clockRan?: true
}

export type PlayEnd =
  | { readonly stopped: boolean; /** The region's time. */ readonly at: number }
  | { readonly refusal: { readonly code: ApiErrorCode; readonly parameters: Readonly<Record<string, string | number>>; /** As it was told: a fault may have words of its own. */ readonly message: string } }
  | { readonly failed: string }

/** A call that waits for the end of a play, in which process. */
export interface Waiting { readonly process: string; readonly epoch: number; readonly call: string }

/** A play as the record of its region keeps it: whoever runs the region plays it, also after the server died that was called. */
export interface KeptPlay {
  readonly id: string
  readonly order: PlayOrder
  /** Its region was made for it, and what was interrupted is begun anew there. In a region that was named it goes on where it stood. */
  readonly fresh: boolean
  /** The ClientTokens of other calls that joined it: each is given its story again. */
  readonly tokens?: readonly string[]
  /** How often it was begun or gone on with: whoever had an earlier turn writes nothing of it any more. */
  readonly turn: number
  /** The turn after which a repeat went on with it though it had ended. */
  readonly since?: number
  /** How often in turn it went wrong without having come further than that step, which is the furthest that it had come to. */
  readonly failures?: { readonly times: number; readonly step: number }
  /** How often in turn it was begun, or gone on with, at that step. */
  readonly begun?: { readonly times: number; readonly step: number }
  /** Of a region of its own: what was done there up to such an end goes first. */
  readonly anew?: true
  /** Those whose calls wait for its end; a single one where an earlier version wrote it. */
  readonly waits: readonly Waiting[] | Waiting
  readonly state?: PlayState
  readonly end?: PlayEnd
  /** Its call was given its answer. */
  readonly told?: true
}

export interface EndedPlay {
  readonly region: string
  readonly play: KeptPlay & { readonly end: PlayEnd }
  /** The call that is answered. */
  readonly caller: Waiting
}

/** Plays of scenarios, kept where their regions are. A call that repeats one whose server died is given that one's end. */
export interface ScenarioPlays {
  /** In a region of its own, under the first of these names that is free, or as the repeat that it is; ends with the play. */
  fresh(order: PlayOrder, nameOf: (number: number) => string): Promise<EndedPlay>
  /** In that simulated region; ends with the play. */
  in(region: string, order: PlayOrder): Promise<EndedPlay>
  /** Its call is answered: of a story that was told to its end in a region of its own nothing stays. Throws where the region went while the story was read: it may not be whole. */
  told(ended: EndedPlay): Promise<void>
}

/** Whether two calls ask for the same, whatever their tokens. */
export function isSameOrder(one: PlayOrder, other: PlayOrder): boolean {
  return askedFor(one) === askedFor(other)
}

function askedFor({ accountId, scenario, seed, stopAt, withoutCause, on }: PlayOrder): string {
  return JSON.stringify([accountId, scenario, seed, stopAt?.kind, stopAt?.phase, stopAt?.condition, withoutCause, on])
}

/** The calls that wait for it and were not answered. */
export function waitingFor({ waits }: KeptPlay): readonly Waiting[] {
  return [waits].flat()
}

/** Whether the same calls wait for both. */
export function isWaitedForAlike(one: KeptPlay, other: KeptPlay): boolean {
  return waitingFor(one).map(({ call }) => call).join() === waitingFor(other).map(({ call }) => call).join()
}

/** Whether a call that is refused so may soon be taken: nothing is wrong with it. */
export function isPassing({ code }: Pick<Refusal, 'code'>): boolean {
  const [, httpStatus = 0] = API_ERRORS.find(([each]) => each === code) ?? []
  return httpStatus === 429 || httpStatus >= 500
}

/** The play as a repeat of its call has it: where it ended with what may have passed meanwhile, it goes on. */
export function wentOn(play: KeptPlay): KeptPlay {
  const { end, told: _told, failures: _failures, begun: _begun, ...rest } = play
  if (!end || 'at' in end || ('refusal' in end && !isPassing(end.refusal))) return play
  return { ...rest, since: play.turn, ...play.fresh && { anew: true } }
}

/** It leaves nothing once its story is told. */
export function leavesNothing({ fresh, order }: KeptPlay): boolean {
  return fresh && order.stopAt === undefined
}
