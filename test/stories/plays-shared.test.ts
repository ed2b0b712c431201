/** Calls with one token that wait for one play in a region of its own. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { KillableServers, type KillableServer } from '#test/harness/killed-servers.ts'
import type { SimulatedServer } from '#test/harness/simulated-server.ts'
import { until } from '#test/harness/waiting.ts'

const NAME = 'node-failed-not-ready', BODY = { Name: NAME, Seed: 5, ClientToken: 'once' }
const STOPPED = { ...BODY, StopAt: { Kind: 'Node', Phase: 'Failed', Condition: 'NotReady' } }

describe('calls with one token', () => {
  let servers: KillableServers
  beforeEach(() => { servers = new KillableServers() })
  afterEach(() => servers.close())

  const playedIn = async () => (await servers.store.listRegions()).map(({ region }) => region).filter(region => region.startsWith(NAME))

  for (const [what, body, left] of [['is told to its end', BODY, []], ['stops at a row', STOPPED, [`${NAME}-1`]]] as const) {
    test(`that come at once are all told the story of one play that ${what}`, async () => {
      const { server } = await servers.open()
      const told = await Promise.all(Array.from({ length: 6 }, () => server.done('RunScenario', body)))
      for (const each of told) assert.deepEqual(each, told[0])
      assert.equal(told[0]?.['Region'], `${NAME}-1`)
      assert.deepEqual(await playedIn(), left)
    })
  }

  /** Each of two servers is asked in a region that it runs, so that it passes nothing on. */
  async function two(firstDiesAt?: number): Promise<{ readonly first: KillableServer; readonly other: SimulatedServer }> {
    const first = await servers.open({ listen: true })
    const { server: other } = await servers.open({ listen: true })
    await other.regions.create({ region: 'own-2', seed: 7, startAt: undefined, paused: true, speed: 1 })
    if (firstDiesAt !== undefined) Object.assign(first.life, { at: first.life.effects + firstDiesAt, when: 'after' })
    return { first, other }
  }

  test('that come to two servers are told the same, and then nothing is left', async () => {
    const { first, other } = await two()
    const [one, same] = await Promise.all([first.server.done('RunScenario', BODY), other.done('RunScenario', BODY, 'own-2')])
    assert.deepEqual(one, same)
    await until(async () => (await playedIn()).length === 0)
  })

  test('of which one has a server that dies: the other is told the story, and nothing is left', async () => {
    const { first, other } = await two(40)
    void first.server.call('RunScenario', BODY).catch(() => undefined) // it dies
    const told = await other.done('RunScenario', BODY, 'own-2')
    assert.equal(first.life.dead, true)
    await until(async () => (await playedIn()).length === 0)
    assert.deepEqual(await other.done('RunScenario', BODY, 'own-2'), told)
  })
})
