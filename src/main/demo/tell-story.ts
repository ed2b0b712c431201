import { answeredId, filled, isCall, SCENARIO_START, type CallStep } from '#api/scenarios/scenario.ts'
import type { Change, LedgerEntry, ListOf } from '#client/calls.ts'
import type { EdgeholdClient } from '#client/client.ts'
import { ApiError } from '#client/errors.ts'
import { Patience } from '#client/patience.ts'
import type { DemoStory } from './stories.ts'
import { statusText } from './story.ts'

const SEED = 1
/** A step of the clock may let hours pass. */
const TIMEOUT_MS = 120_000
/** Every cluster has it, and what becomes of it is told by others. */
const UNTOLD = new Set(['core-dns'])

export interface TellingOptions { readonly keep: boolean; readonly tell: (text: string) => void; readonly inRegion: string; readonly left: AbortSignal }

/** Plays a story in a region of its own, its clock stepped, and tells each change of a status with its reason. Where it is kept, the region stays with its clock paused. Throws the reason of `left` when nobody listens any more. */
export async function tellStory(clientIn: (region: string) => EdgeholdClient, story: DemoStory, options: TellingOptions): Promise<void> {
  const { tell, left } = options
  const home = clientIn(options.inRegion)
  const { Region: region } = await home.call('CreateRegion', { Seed: SEED, StartAt: SCENARIO_START, Paused: true })
  const client = clientIn(region), began = Date.parse(SCENARIO_START)
  const names = new Map<string, string>(), shown = new Map<string, string>()
  let position = 0
  try {
    tell(`${story.name}: ${story.title}.\nIt is played in the region ${region}, which is simulated: the rules are the real ones, control planes and machines are invented. Times are its clock's, which is stepped.`)
    for (const { says, steps } of story.chapters) {
      tell(`\n${says}`)
      for (const step of steps) {
        left.throwIfAborted()
        if (isCall(step)) await makeCall(step)
        else await client.call('SetClock', { Step: step.Clock }, { timeoutMs: TIMEOUT_MS })
        await tellChanges()
      }
    }
  } finally {
    // Said of a story that ended early, too: who keeps it has to know where it is.
    if (options.keep) tell(`\nKept, with its clock paused: ./edgehold list node --region ${region}; ./edgehold clock step 10m --region ${region}; ./edgehold region delete ${region}`)
    else await takeAway()
  }

  async function takeAway(): Promise<void> {
    let times = 0
    try {
      await new Patience({ tell }).ask(() => (times++, home.call('DeleteRegion', { Region: region })))
    } catch (error) {
      // An earlier one was done, and its answer was lost.
      if (times > 1 && error instanceof ApiError && error.status === 404) return
      tell(`\nThe region ${region} is left, with its clock paused. Once the server runs again (./edgehold up --detach), it is taken away by: ./edgehold region delete ${region}`)
      throw error
    }
  }

  async function makeCall(step: CallStep): Promise<void> {
    try {
      const result = await client.callAny(step.Action, filled(step.Request, names) as object, { timeoutMs: TIMEOUT_MS })
      const id = answeredId(result)
      if (step.As !== undefined && id !== undefined) names.set(step.As, id)
      if (step.Action === 'ListLedger') tellLedger(result as ListOf<LedgerEntry>)
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== step.Refused) throw error
      tell(`   ${step.Action} is refused: ${error.message} (${error.code})`)
    }
  }

  function tellLedger({ Items: entries }: ListOf<LedgerEntry>): void {
    tell(entries.length === 0 ? '   nothing' : entries.map(entry => `   ${entry.Kind} of ${entry.Owner.Kind} ${entry.Owner.Name}: ${entry.State}`).join('\n'))
  }

  async function tellChanges(): Promise<void> {
    const fresh: Change[] = []
    for await (const change of client.list('ListStatusHistory')) {
      if (change.Position <= position) break
      fresh.push(change)
    }
    for (const change of fresh.toReversed()) {
      position = change.Position
      const status = statusText(change.Status)
      if (UNTOLD.has(change.Name) || shown.get(change.Id) === status) continue
      shown.set(change.Id, status)
      tell(`${elapsed(Date.parse(change.At) - began)}  ${`${change.Kind} ${change.Name}`.padEnd(22)} ${status.padEnd(30)} ${change.Because}.`)
    }
  }
}

function elapsed(ms: number): string {
  const seconds = Math.floor(ms / 1_000)
  return `${Math.floor(seconds / 3_600)}:${String(Math.floor(seconds / 60) % 60).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`
}
