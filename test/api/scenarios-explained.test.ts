import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { SCENARIOS } from '#api/scenarios/all.ts'
import { MemoryWorldStore } from '#providers/simulated/store/memory-world-store.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { SimulatedServer } from '#test/harness/simulated-server.ts'

interface Resource { readonly Kind: string; readonly Id: string; readonly Name: string; readonly ClusterId?: string }
interface Told { readonly Because: string; readonly Evidence: readonly { readonly Observer: string; readonly Source: string; readonly ObservedAt: string; readonly Fact: string }[]; readonly Status: { readonly Phase: string; readonly Conditions: readonly { readonly Type: string }[] } | null }
interface Explained extends Told { readonly Resource: Resource; readonly Since: string; readonly Rule?: string; readonly CauseChain: readonly (Told & { readonly Resource: Resource })[]; readonly Alike: readonly Resource[]; readonly Exits: readonly { readonly By: string; readonly What: string }[]; readonly LooksAgainAt?: string; readonly StaleSince?: string }

/** Out of these a way has to lead. */
const NEEDS_AN_EXIT = new Set(['Failed', 'Stopped'])
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

/** Of every scenario: what each resource says of itself at its end, and said on the way. */
describe('what every scenario ends with is explained in sentences', () => {
  let server: SimulatedServer, number = 0
  before(async () => {
    const store = new MemoryStore(() => Date.now())
    server = await SimulatedServer.open({ store, queue: store.queue, worldStore: new MemoryWorldStore() })
  })
  after(() => server.close())

  for (const { Name } of SCENARIOS) {
    test(Name, async () => {
      const region = `explained-${++number}`
      await server.done('CreateRegion', { Region: region, Seed: 1, Paused: true })
      await server.done('RunScenario', { Name, In: region })
      const history = await server.history(region)
      const resources = await all(region)
      const ids = new Map(history.map(row => [row.Id, row.Name]))
      for (const row of history) sentences(`${row.Kind} ${row.Name} at ${row.At}`, row, ids)
      for (const [kind, Id] of resources) {
        const explained = await server.done('ExplainStatus', { Id }, region) as unknown as Explained
        const who = `${kind} ${explained.Resource.Name}`
        sentences(who, explained, ids)
        for (const cause of explained.CauseChain) sentences(`${who}, caused by ${cause.Resource.Kind} ${cause.Resource.Name}`, cause, ids)
        for (const { Name } of [explained.Resource, ...explained.CauseChain.map(cause => cause.Resource), ...explained.Alike]) assert.ok(Name, `${who} names something without a name`)
        for (const exit of explained.Exits) assert.match(exit.What, exit.By === 'call' ? /^[A-Z][A-Za-z]+( with Force)?$/ : /^[A-Z].*[^.]\.$/, who)
        if (NEEDS_AN_EXIT.has(explained.Status?.Phase ?? '')) assert.ok(explained.Exits.length > 0, `${who} is ${JSON.stringify(explained.Status)}, and nothing leads out`)
        for (const time of [explained.Since, explained.LooksAgainAt, explained.StaleSince]) if (time !== undefined) assert.match(time, TIME, who)
      }
      await server.done('DeleteRegion', { Region: region })
    })
  }

  async function all(region: string): Promise<readonly (readonly [kind: string, id: string])[]> {
    const found: (readonly [string, string])[] = []
    for (const [kind, action] of [['Cluster', 'ListClusters'], ['NodePool', 'ListEdgeNodePools'], ['NodePool', 'ListNodePools'], ['Node', 'ListEdgeNodes'], ['Node', 'ListNodes'], ['Addon', 'ListAddons'], ['Onboarding', 'ListBatchEdgeMachine']] as const)
      for (const item of (await server.done(action, {}, region)).Items ?? []) found.push([kind, kind === 'Addon' ? `${String(item['ClusterId'])}:${String(item['Name'])}` : String(item['Id'])])
    return found
  }
})

function sentences(who: string, { Because, Evidence, Status }: Told, names: ReadonlyMap<string, string>): void {
  sentence(`${who}: why`, Because, names)
  if (Status && Status.Phase !== 'Gone') assert.ok(Status.Conditions.length > 0, who)
  for (const { Observer, Source, ObservedAt, Fact } of Evidence) {
    sentence(`${who}: ${Observer} at ${Source}`, Fact, names)
    for (const text of [Observer, Source]) plain(who, text, names)
    assert.match(ObservedAt, TIME)
  }
}

function sentence(who: string, text: string, names: ReadonlyMap<string, string>): void {
  assert.match(text, /^([A-Z0-9/]|(etcd|kube-\w+(-\w+)*|service) ).*\S$/s, `${who}: ${text}`)
  plain(who, text, names)
}

function plain(who: string, text: string, names: ReadonlyMap<string, string>): void {
  assert.doesNotMatch(text, /undefined|null\b|NaN|\[object|Invalid Date|unknown time|\{\w*\}|\s\s|\.\.|;\s*\.|,\s*\.|: *\.|(?<!of |[/-])\b1 [a-z]+s\b|\( *\)|\bsince *[.,;]|[a-z]\d{4}-\d\d-\d\dT|Z[A-Za-z]/, `${who}: ${text}`)
  for (const [id, name] of names) assert.ok(id.includes(':') || !text.includes(id), `${who} says ${id} for ${name}: ${text}`)
}
