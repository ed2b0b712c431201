import { ACTIONS } from '#api/actions/all.ts'
import { spanOf } from '#api/actions/time-texts.ts'
import { answeredId, filled, isCall, type CallStep, type Scenario } from '#api/scenarios/scenario.ts'
import type { Answer, RegionUnderTest } from '#test/model-based/region-under-test.ts'

/** How far somebody has come with a scenario. */
export interface Progress {
  /** The step that is under way, or comes next. */
  readonly at: number
  /** Its call was sent, and is not answered. */
  readonly isSent: boolean
  /** Where the clock is to be when the step that is under way has been taken, epoch ms. */
  readonly until: number | undefined
  readonly names: ReadonlyMap<string, string>
}

/** A server that is away is asked again. */
const PATIENCE = 5

/**
 * Somebody who plays a scenario by public calls, and goes on where a server died: what was not answered is sent again, with the same ClientToken, and the clock is
 * stepped on to where it was to be.
 */
export class ScenarioClient {
  readonly #region: RegionUnderTest
  readonly #scenario: Scenario
  readonly #names: Map<string, string>
  #at: number
  #isSent: boolean
  #until: number | undefined

  constructor(region: RegionUnderTest, scenario: Scenario, { at, isSent, until, names }: Progress = { at: 0, isSent: false, until: undefined, names: new Map() }) {
    this.#region = region
    this.#scenario = scenario
    this.#at = at
    this.#isSent = isSent
    this.#until = until
    this.#names = new Map(names)
  }

  get progress(): Progress {
    return { at: this.#at, isSent: this.#isSent, until: this.#until, names: new Map(this.#names) }
  }

  /** Takes the next step, or the rest of the one that is under way; false where there is none. Throws where it is refused. */
  async next(): Promise<boolean> {
    const step = this.#scenario.Steps[this.#at]
    if (!step) return false
    if (isCall(step)) await this.#call(step)
    else await this.pass(spanOf('SetClock', 'Step', step.Clock) ?? 0)
    this.#at++
    return true
  }

  /** Lets time pass, ms; only the rest of it where a step was under way. */
  async pass(ms: number): Promise<void> {
    const until = this.#until ??= await this.#clock() + ms
    // What a server had written down of a step goes on by itself.
    const { result } = await this.#patiently('SetClock', async () => ({ Step: `${Math.max(0, until - await this.#clock())}ms` }))
    if (result['Behind'] !== undefined) throw new Error(`SetClock leaves the region behind by ${result['Behind'] as string}`)
    this.#until = undefined
  }

  async #call({ Action, Request, As, Refused }: CallStep): Promise<void> {
    const body = { ...filled(Request, this.#names) as object, ...takesToken(Action) && { ClientToken: `step-${this.#at}` } }
    const isAgain = this.#isSent
    this.#isSent = true
    // What was gone before its deletion was answered is what whoever asks for it again wants.
    const isDone = (code: string, again: boolean) => code === Refused || ((isAgain || again) && Action.startsWith('Delete') && code.startsWith('NotFound'))
    const id = answeredId((await this.#patiently(Action, async () => body, isDone)).result)
    if (As !== undefined && id !== undefined) this.#names.set(As, id)
    this.#isSent = false
  }

  /** Where the clock stands, or leads: epoch ms. */
  async #clock(): Promise<number> {
    const { result } = await this.#patiently('GetClock', async () => ({}))
    return Date.parse(String(result['Now'])) + (spanOf('GetClock', 'Behind', result['Behind'] as string | undefined) ?? 0)
  }

  async #patiently(action: string, body: () => Promise<object>, isExpected: (code: string, again: boolean) => boolean = () => false): Promise<Answer> {
    for (let again = 0; ; again++) {
      const answer = await this.#region.call(action, await body())
      if (answer.code === 'Died' && again < PATIENCE) continue
      if (answer.status !== 200 && !isExpected(answer.code ?? '', again > 0)) throw new Error(`${action} answered ${answer.status} ${answer.code}: ${answer.message}`)
      return answer
    }
  }
}

function takesToken(action: string): boolean {
  const schema = ACTIONS.find(one => one.name === action)?.schema as { readonly properties?: object } | undefined
  return schema?.properties !== undefined && 'ClientToken' in schema.properties
}
