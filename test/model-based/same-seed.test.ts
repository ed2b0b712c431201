import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { SCENARIOS } from '#api/scenarios/all.ts'
import { MemoryWorldStore } from '#providers/simulated/store/memory-world-store.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { SimulatedServer } from '#test/harness/simulated-server.ts'

interface Told { readonly At: string; readonly Text: string }

describe('the same seed gives the same story, byte for byte', () => {
  let server: SimulatedServer
  before(async () => {
    const store = new MemoryStore(() => Date.now())
    server = await SimulatedServer.open({ store, queue: store.queue, worldStore: new MemoryWorldStore() })
  })
  after(() => server.close())
  const run = async (Name: string, Seed: number, more: object = {}) => await server.done('RunScenario', { Name, Seed, ...more })
  /** As the command line prints it. */
  const printed = ({ Story }: Awaited<ReturnType<typeof run>>) => (Story as readonly Told[]).map(({ At, Text }) => `${At}  ${Text}`).join('\n')

  for (const { Name } of SCENARIOS) {
    test(`${Name}: alone, beside a region of its seed, and twice at once`, async () => {
      const alone = await run(Name, 7)
      await server.done('CreateRegion', { Region: 'beside', Seed: 7, Paused: true })
      await server.fleet('beside', ['shop-1'])
      const others = [await run(Name, 7), ...await Promise.all([run(Name, 7), run(Name, 7), run(Name, 7)])]
      await server.done('DeleteRegion', { Region: 'beside' })
      for (const other of others) {
        assert.equal(printed(other), printed(alone))
        assert.deepEqual(other['Story'], alone['Story'])
      }
    })
  }

  test('another seed tells another story', async () => {
    assert.notEqual(printed(await run('node-running-ok', 8)), printed(await run('node-running-ok', 7)))
  })

  test('a region that is left to be looked at is told with ids that are there', async () => {
    const StopAt = { Kind: 'Node', Phase: 'Running', Condition: 'Ok' }
    const lefts = [await run('node-running-ok', 7, { StopAt }), await run('node-running-ok', 7, { StopAt })]
    const ids = new Set<string>()
    for (const left of lefts) {
      const region = String(left['Region'])
      for (const { Kind, Id } of left['Resources'] as readonly { readonly Kind: string; readonly Id: string }[]) {
        ids.add(Id)
        assert.equal((await server.done('ExplainStatus', { Id }, region) as { readonly Resource?: { readonly Kind: string } }).Resource?.Kind, Kind)
      }
    }
    assert.equal(printed(lefts[1]!), printed(lefts[0]!))
    assert.equal(ids.size, 2 * (lefts[0]!['Resources'] as readonly unknown[]).length, 'no id is of both')
    for (const { Region } of lefts) await server.done('DeleteRegion', { Region })
  })
})
