/** A story goes on over a server that is gone for a while, and leaves no region that nobody names. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { EdgeholdClient } from '#client/client.ts'
import { ApiError, NoAnswer } from '#client/errors.ts'
import { MemoryWorldStore } from '#providers/simulated/store/memory-world-store.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { OwnTime } from '#test/harness/own-time.ts'
import { SimulatedServer } from '#test/harness/simulated-server.ts'
import { DEMO_STORIES } from './stories.ts'
import { tellStory } from './tell-story.ts'

/** What becomes of a call: its server dies before it is done, or before it is answered. */
type Fate = 'answered' | 'not done' | 'not answered'

describe('a story', () => {
  let server: SimulatedServer
  before(async () => {
    const store = new MemoryStore(() => Date.now())
    server = await SimulatedServer.open({ store, queue: store.queue, worldStore: new MemoryWorldStore() })
  })
  after(() => server.close())

  const regions = async () => (await server.done('ListRegions')).Items?.map(item => String(item['Region'])) ?? []

  async function told(name: string, fateOf: (action: string, tries: number) => Fate, { keep = false, left = new AbortController() } = {}): Promise<{ readonly lines: readonly string[]; readonly error: unknown }> {
    const story = DEMO_STORIES.find(each => each.name === name) ?? assert.fail(name), lines: string[] = [], tries = new Map<string, number>()
    const clientIn = (region: string): EdgeholdClient => {
      const callAny = async (action: string, body: object): Promise<unknown> => {
        const call = JSON.stringify([action, 'ClientToken' in body ? body.ClientToken : body]), time = (tries.get(call) ?? 0) + 1, fate = fateOf(action, time)
        tries.set(call, fate === 'answered' ? 0 : time)
        if (fate === 'not done') throw new NoAnswer('nobody listens', true)
        const { status, code = '', message = '', result } = await server.call(action, body, region)
        if (fate === 'not answered') throw new NoAnswer('the connection ended', false)
        if (status !== 200) throw new ApiError({ code, message, status, requestId: 'r' })
        return result
      }
      const list = async function* (action: string) { yield* (await callAny(action, { PageSize: 100 }) as { Items: object[] }).Items }
      return { region, callAny, call: callAny, list } as unknown as EdgeholdClient
    }
    const error = await tellStory(clientIn, story, { keep, tell: text => lines.push(text), inRegion: 'sim-1', left: left.signal, time: new OwnTime() }).then(() => undefined, (thrown: unknown) => thrown)
    return { lines, error }
  }

  /** Without what differs from region to region. */
  const likeOthers = (lines: readonly string[]) => lines.filter(line => !line.startsWith('The server ')).map(line => line.replaceAll(/story-[a-z-]+-[0-9a-f]{8}/g, 'REGION').replaceAll(/\b(burst|shop)-\w+/g, '$1-*').replaceAll(/ +/g, ' '))

  for (const { name } of DEMO_STORIES) test(`is the same where no call of ${name} is answered at its first try`, { timeout: 300_000 }, async () => {
    const whole = await told(name, () => 'answered')
    assert.equal(whole.error, undefined)
    for (const fate of ['not done', 'not answered'] as const) {
      const { lines, error } = await told(name, (_, tries) => (tries === 1 ? fate : 'answered'))
      assert.equal(error, undefined, fate)
      assert.deepEqual(likeOthers(lines), likeOthers(whole.lines), fate)
    }
    assert.deepEqual(await regions(), ['sim-1'])
  })

  test('whose region was asked for in vain names it where it may have been made, and the command that takes it away', async () => {
    for (const keep of [false, true]) {
      const { lines, error } = await told('flapping', action => (action === 'DeleteRegion' ? 'not done' : 'not answered'), { keep })
      assert.ok(error instanceof NoAnswer)
      const [, left = ''] = await regions()
      assert.match(lines.at(-1) ?? '', new RegExp(`The region ${left} may have been made\\. .* it is taken away by: \\./edgehold region delete ${left}$`))
      await server.done('DeleteRegion', { Region: left })
    }
  })

  test('whose region was refused speaks of none', async () => {
    const clientIn = () => ({ call: () => Promise.reject(new ApiError({ code: 'OperationDenied.RegionNotReady', message: 'there are too many', status: 400, requestId: 'r' })) }) as unknown as EdgeholdClient
    const lines: string[] = []
    for (const keep of [false, true]) await assert.rejects(tellStory(clientIn, DEMO_STORIES[0]!, { keep, tell: text => lines.push(text), inRegion: 'sim-1', left: new AbortController().signal, time: new OwnTime() }), /too many/)
    assert.deepEqual(lines, [])
  })

  test('that is left in the middle takes its region away, also where the first answer to that is lost', async () => {
    const left = new AbortController()
    const { error } = await told('flapping', (action, tries) => {
      if (action === 'AddMachine') left.abort(new Error('They left'))
      return action === 'DeleteRegion' && tries === 1 ? 'not answered' : 'answered'
    }, { left })
    assert.match(String(error), /They left/)
    assert.deepEqual(await regions(), ['sim-1'])
  })
})
