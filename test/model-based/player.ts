import { Oracle } from './oracle/at-every-step.ts'
import { idOf, pairOf, shownBy, type Item, type View } from './oracle/view.ts'
import type { RegionUnderTest, Answer } from './region-under-test.ts'

/** One step of a story as it is drawn: what is done, and three whole numbers that choose to what and how. */
export interface Step { readonly does: string; readonly a: number; readonly b: number; readonly c: number }

/** How often a call is sent again. */
const PATIENCE = 5

/** Plays users, operators and misfortune on one region, by public calls alone, and keeps what was done as sentences. */
export class Player {
  readonly region: RegionUnderTest
  readonly oracle = new Oracle()
  readonly told: string[] = []
  /** Answers that no caller should get. */
  readonly wrong: string[] = []
  readonly accepted = new Map<string, number>()
  #deaths = 0
  names = 0
  /** Faults strike our own answers, so that callers have to send again. */
  cutAnswers = false
  /** Injected since all were cleared. */
  faults = 0
  scripts: { readonly id: string; readonly poolId: string; readonly clusterId: string }[] = []
  /** Clusters whose users want pods of their own. */
  readonly busy = new Set<string>()
  objects: { readonly clusterId: string; readonly kind: string; readonly name: string }[] = []

  constructor(region: RegionUnderTest) {
    this.region = region
  }

  /** Every pair that was seen, as `Node Running/Ok`. */
  readonly rows = new Set<string>()

  get view(): View {
    return this.oracle.last ?? { now: '', clusters: [], pools: [], central: [], nodes: [], addons: [], machines: [], ledger: [], news: [] }
  }

  /** A call as a patient client sends it: with a token, and once more where the server died of it. */
  async call(action: string, body: object, { token }: { token?: string } = {}): Promise<Answer> {
    const sent = token === undefined ? body : { ...body, ClientToken: token }
    let answer = await this.#send(action, sent)
    // Clients of the product wait for a server that is away, busy, or gave no answer; it comes back with what was written.
    for (let again = 0; (answer.code === 'Died' || (this.cutAnswers && (answer.status === 429 || answer.status >= 500))) && again < PATIENCE; again++) answer = await this.#send(action, sent)
    // While faults stand, what stands behind a call may be away, and the call says so.
    const mayBeAway = answer.status === 503 && answer.code === 'ServiceUnavailable' && this.faults > 0
    if (answer.status >= 500 && !mayBeAway) this.wrong.push(`${action} ${JSON.stringify(sent)} answered ${answer.status} ${answer.code}: ${answer.message}`)
    if (answer.status === 200) {
      this.accepted.set(action, (this.accepted.get(action) ?? 0) + 1)
      const id = answer.result.Id ?? answer.result.Ids?.join()
      if (token !== undefined && id !== undefined) this.oracle.answered(token, id)
    }
    return answer
  }

  async #send(action: string, body: object): Promise<Answer> {
    try {
      return await this.region.call(action, body)
    } catch (error) {
      if (!this.cutAnswers) throw error
      return { status: 504, code: 'Cut', message: String(error), result: {} }
    }
  }

  /** What is wrong by now: with the answers, the log, and all that is shown. */
  async check(): Promise<string[]> {
    let shown = await this.oracle.check(this.region).catch((error: unknown) => (this.region.deaths > this.#deaths ? undefined : Promise.reject(error)))
    this.#deaths = this.region.deaths
    shown ??= await this.oracle.check(this.region)
    for (const change of this.view.news) if (change.Status) this.rows.add(`${change.Kind} ${pairOf(change.Status)}`)
    return [...this.wrong.splice(0), ...this.region.errors.splice(0).map(error => `the log says: ${error}`), ...shown]
  }

  /** What came of a call, as the end of a sentence. */
  outcome({ status, code }: Answer): string {
    return status === 200 ? '' : ` (refused: ${code})`
  }

  newName(what: string): string {
    return `${what}-${++this.names}`
  }
}

export function pick<Value>(from: readonly Value[], number: number): Value | undefined {
  return from.length === 0 ? undefined : from[number % from.length]
}

export function nameOf(item: Item): string {
  return `${typeof item['Name'] === 'string' ? item['Name'] : idOf(item)} [${item['Status'] === undefined ? 'machine' : shownBy(item)}]`
}
