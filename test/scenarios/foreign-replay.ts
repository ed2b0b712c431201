/** A scenario played call by call by a client that somebody else wrote, with its own signer: no word of ours but the public calls. */
import { Service } from '@volcengine/openapi'
import type { Change, ListOf, Scenario } from '#client/calls.ts'

export interface Keys { readonly AccessKeyId: string; readonly SecretAccessKey: string }
interface Answer { readonly Result?: unknown; readonly ResponseMetadata: { readonly Error?: { readonly Code: string; readonly Message: string } } }

const OWN = '2026-12-01', PRODUCT = '2021-03-03'
/** Our own actions, by their contract; all others are the product's. */
const OURS = new Set(['CreateRegion', 'DeleteRegion', 'SetClock', 'AddMachine', 'SetMachine', 'SetNodeSchedulable', 'PutObject', 'SetWorkload', 'SetImage', 'InjectFault', 'SetBalance', 'SetQuota', 'SetStock', 'ListStatusHistory', 'GetClock'])
/** Longer than the SDK's own ten seconds: a step of the clock may let hours pass. */
const PATIENCE_MS = 60_000
/** As the scenarios' regions begin. */
const START_AT = '2026-01-05T08:00:00Z'

export class ForeignClient {
  readonly #host: string
  readonly #keys: Keys

  constructor(host: string, keys: Keys) {
    this.#host = host
    this.#keys = keys
  }

  /** Throws the answer's error, its code first. */
  async call(region: string, action: string, body: object): Promise<Readonly<Record<string, unknown>>> {
    const service = new Service({
      host: this.#host, protocol: 'http:', serviceName: 'veecp_openapi', region, defaultVersion: OURS.has(action) ? OWN : PRODUCT, accessKeyId: this.#keys.AccessKeyId, secretKey: this.#keys.SecretAccessKey,
    })
    const answer = (await service.createAPI(action, { method: 'POST', contentType: 'json' })(body, { timeout: PATIENCE_MS } as never)) as unknown as Answer
    if (answer.ResponseMetadata.Error) throw new Error(`${answer.ResponseMetadata.Error.Code}: ${answer.ResponseMetadata.Error.Message}`)
    return (answer.Result ?? {}) as Readonly<Record<string, unknown>>
  }

  /** Plays it in a region of its own and answers who had which status, in order. */
  async replay(scenario: Scenario, region: string, seed: number): Promise<readonly string[]> {
    await this.call('sim-1', 'CreateRegion', { Region: region, Seed: seed, StartAt: START_AT, Paused: true })
    try {
      const names = new Map<string, string>()
      for (const step of scenario.Steps) {
        if (step.Action === undefined) {
          await this.call(region, 'SetClock', { Step: step.Clock ?? '' })
          continue
        }
        const body = JSON.parse(JSON.stringify(step.Request).replaceAll(/<([a-zA-Z]+)>/g, (_whole, name: string) => names.get(name) ?? '')) as object
        const { Id, Ids, Items } = await this.call(region, step.Action, body) as { Id?: string; Ids?: string[]; Items?: { Id?: string }[] }
        const id = Id ?? Ids?.[0] ?? Items?.[0]?.Id
        if (step.As !== undefined && id !== undefined) names.set(step.As, id)
      }
      return (await this.#history(region)).map(({ Kind, Name, Status }) => `${Kind} ${Name} ${Status ? `{${Status.Phase},[${Status.Conditions.map(condition => condition.Type).join()}]}` : 'gone'}`)
    } finally {
      await this.call('sim-1', 'DeleteRegion', { Region: region })
    }
  }

  async #history(region: string): Promise<readonly Change[]> {
    const found: Change[] = []
    for (let PageNumber = 1; ; PageNumber++) {
      const page = await this.call(region, 'ListStatusHistory', { PageNumber, PageSize: 100 }) as unknown as ListOf<Change>
      found.push(...page.Items)
      if (found.length >= page.TotalCount || page.Items.length === 0) return found.toReversed()
    }
  }
}
