import { randomUUID } from 'node:crypto'
import { ACTIONS } from '#api/actions/all.ts'
import { spanOf } from '#api/actions/time-texts.ts'
import { takesToken } from '#api/idempotency.ts'
import { answeredId, filled, isCall, SCENARIO_START, type CallStep } from '#api/scenarios/scenario.ts'
import type { Change, LedgerEntry, ListOf } from '#client/calls.ts'
import type { EdgeholdClient } from '#client/client.ts'
import { ApiError } from '#client/errors.ts'
import { makeOwnRegion, ownRegionName } from '#client/own-region.ts'
import { isPassing } from '#client/passing.ts'
import { Patience } from '#client/patience.ts'
import { realTime, type WaitingTime } from '#client/waiting-time.ts'
import type { DemoStory } from './stories.ts'
import { statusText } from './story.ts'

const SEED = 1
/** A step of the clock may let hours pass. */
const TIMEOUT_MS = 120_000
/** So often in turn a step of the clock answers that it is not done, each time after 20 s. */
const MOST_BEHIND = 6
/** By a token a call that is sent again is known; the others of a story say how something shall be, and at the one instant at which the clock stands that is the same however often it is said. */
const TAKE_TOKENS = new Set(ACTIONS.filter(takesToken).map(({ name }) => name))
/** Every cluster has it, and what becomes of it is told by others. */
const UNTOLD = new Set(['core-dns'])

export interface TellingOptions { readonly keep: boolean; readonly tell: (text: string) => void; readonly inRegion: string; readonly left: AbortSignal; readonly time?: WaitingTime }

/**
 * Plays a story in a region of its own, its clock stepped, and tells each change of a status with its reason. Where its server is killed it goes on once there is one again: each step is such that it may be sent
 * again. Where it is kept, the region stays with its clock paused. Throws the reason of `left` when nobody listens any more.
 */
export async function tellStory(clientIn: (region: string) => EdgeholdClient, story: DemoStory, { keep, tell, inRegion, left, time = realTime }: TellingOptions): Promise<void> {
  const region = ownRegionName(`story-${story.name}`)
  const home = clientIn(inRegion), client = clientIn(region), began = Date.parse(SCENARIO_START)
  const names = new Map<string, string>(), shown = new Map<string, string>(), patience = new Patience({ tell, time })
  let isThere = 'perhaps' as 'no' | 'perhaps' | 'yes', position = 0
  try {
    await makeRegion()
    tell(`${story.name}: ${story.title}.\nIt is played in the region ${region}, which is simulated: the rules are the real ones, control planes and machines are invented. Times are its clock's, which is stepped.`)
    for (const { says, steps } of story.chapters) {
      tell(`\n${says}`)
      for (const step of steps) {
        left.throwIfAborted()
        if (isCall(step)) await makeCall(step)
        else await letPass(step.Clock)
        await tellChanges()
      }
    }
  } finally {
    // Said of a story that ended early, too: who keeps it has to know where it is.
    if (!keep) await takeAway()
    else if (isThere !== 'no') tell(isThere === 'yes' ? `\nKept, with its clock paused: ./edgehold list node --region ${region}; ./edgehold clock step 10m --region ${region}; ${removalOf(region)}` : leftText())
  }

  function asked<Answer>(call: () => Promise<Answer>): Promise<Answer> {
    return patience.ask(call, { left })
  }

  async function makeRegion(): Promise<void> {
    let times = 0
    try {
      await asked(() => (times++, makeOwnRegion(home, region, { Seed: SEED, StartAt: SCENARIO_START, Paused: true }, { timeoutMs: TIMEOUT_MS })))
    } catch (error) {
      // Refused at once, nothing was made.
      if (error instanceof ApiError && !isPassing(error) && times === 1) isThere = 'no'
      throw error
    }
    isThere = 'yes'
  }

  async function takeAway(): Promise<void> {
    if (isThere === 'no') return
    try {
      await patience.ask(() => home.call('DeleteRegion', { Region: region }, { timeoutMs: TIMEOUT_MS }))
    } catch (error) {
      if (isGone(error)) return
      tell(leftText())
      throw error
    }
  }

  function leftText(): string {
    return `\nThe region ${region} ${isThere === 'yes' ? 'is left, with its clock paused' : 'may have been made'}. Once the server runs again (./edgehold up --detach), it is taken away by: ${removalOf(region)}`
  }

  /** The clock stands still but for these steps; so where one leads is known before, and what an interrupted one had not come to is done first. */
  async function letPass(span: string): Promise<void> {
    const until = await asked(() => stepBy('0ms')) + (spanOf('SetClock', 'Step', span) ?? 0)
    await asked(async () => { for (let now = await stepBy('0ms'); now < until;) now = await stepBy(`${until - now}ms`) })
  }

  /** Answers what the clock shows when nothing is due any more. */
  async function stepBy(step: string): Promise<number> {
    for (let tries = 0, next = step; tries < MOST_BEHIND; tries++, next = '0ms') {
      left.throwIfAborted()
      const { Now: now, Behind: behind } = await client.call('SetClock', { Step: next }, { timeoutMs: TIMEOUT_MS })
      if (behind === undefined) return Date.parse(now)
    }
    throw new Error(`The work of the region ${region} did not come to where its clock was stepped`)
  }

  async function makeCall(step: CallStep): Promise<void> {
    const body = { ...filled(step.Request, names) as object, ...TAKE_TOKENS.has(step.Action) && { ClientToken: randomUUID() } }
    try {
      const result = await asked(() => client.callAny(step.Action, body, { timeoutMs: TIMEOUT_MS }))
      const id = answeredId(result)
      if (step.As !== undefined && id !== undefined) names.set(step.As, id)
      if (step.Action === 'ListLedger') tellLedger(result as ListOf<LedgerEntry>)
    } catch (error) {
      if (error instanceof ApiError && error.code === step.Refused) tell(`   ${step.Action} is refused: ${error.message} (${error.code})`)
      else if (!step.Action.startsWith('Delete') || !isGone(error)) throw error
    }
  }

  function tellLedger({ Items: entries }: ListOf<LedgerEntry>): void {
    tell(entries.length === 0 ? '   nothing' : entries.map(entry => `   ${entry.Kind} of ${entry.Owner.Kind} ${entry.Owner.Name}: ${entry.State}`).join('\n'))
  }

  async function tellChanges(): Promise<void> {
    const fresh = await asked(async () => {
      const found: Change[] = []
      for await (const change of client.list('ListStatusHistory')) {
        if (change.Position <= position) break
        found.push(change)
      }
      return found
    })
    for (const change of fresh.toReversed()) {
      position = change.Position
      const status = statusText(change.Status)
      if (UNTOLD.has(change.Name) || shown.get(change.Id) === status) continue
      shown.set(change.Id, status)
      tell(`${elapsed(Date.parse(change.At) - began)}  ${`${change.Kind} ${change.Name}`.padEnd(22)} ${status.padEnd(30)} ${change.Because}.`)
    }
  }
}

/** What was to go is gone: an earlier try was done, and its answer was lost. */
function isGone(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404
}

function removalOf(region: string): string {
  return `./edgehold region delete ${region}`
}

function elapsed(ms: number): string {
  const seconds = Math.floor(ms / 1_000)
  return `${Math.floor(seconds / 3_600)}:${String(Math.floor(seconds / 60) % 60).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`
}
