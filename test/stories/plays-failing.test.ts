/** Plays of scenarios whose calls go wrong or are refused. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { storeWith } from '#ports/store-with.ts'
import { KillableServers } from '#test/harness/killed-servers.ts'
import type { SimulatedServer } from '#test/harness/simulated-server.ts'

const BODY = { Name: 'addon-updating-progressing', Seed: 5 }, REGION = `${BODY.Name}-1`

test('a play in a region of its own that goes wrong begins anew, and no other region of the server is opened again for it', async () => {
  const servers = new KillableServers()
  let server: SimulatedServer | undefined, isOrdered = false, closings = 0
  const opened = await servers.open({ wrapStore: store => storeWith(store, () => ({ write: async (now, work, instants) => {
    const result = await store.write(now, work, instants)
    if (isOrdered && server?.regions.faceOf('sim-1')?.refusesWrites() !== undefined) closings += 1
    const play = (await store.findRegion(REGION))?.settings['play'] as { readonly turn: number } | undefined
    if (server && play?.turn === 1 && !isOrdered) {
      isOrdered = true
      await server.done('InjectFault', { Port: 'api', Call: 'CreateAddon', Effect: { Type: 'silent' } }, REGION)
    }
    return result
  } })) })
  try {
    server = opened.server
    const { Story } = await server.done('RunScenario', BODY)
    assert.deepEqual([isOrdered, closings], [true, 0])
    assert.deepEqual(Story, (await server.done('RunScenario', BODY))['Story'])
  } finally {
    await servers.close()
  }
})

/** The calls and steps of the clock of a story. */
const callsOf = (played: Record<string, unknown>) => (played['Story'] as { readonly Text: string; readonly Resource?: object }[]).filter(({ Resource }) => !Resource).map(({ Text }) => Text)

describe('a scenario that is refused a call for now', () => {
  const NAME = 'node-failed-not-ready', OWN = { Region: 'own-1', Seed: 5, StartAt: '2026-01-05T08:00:00Z', Paused: true }
  const ORDER = { Name: NAME, In: 'own-1', ClientToken: 'once' }
  let servers: KillableServers, server: SimulatedServer
  beforeEach(async () => {
    servers = new KillableServers()
    server = (await servers.open()).server
  })
  afterEach(() => servers.close())

  async function undisturbed(body: object): Promise<Record<string, unknown>> {
    const others = new KillableServers()
    try {
      const { server: other } = await others.open()
      if ('In' in body) await other.done('CreateRegion', OWN)
      return await other.done('RunScenario', body)
    } finally {
      await others.close()
    }
  }

  async function isWholeOnce(played: Record<string, unknown>, region = 'own-1'): Promise<void> {
    assert.deepEqual(callsOf(played), callsOf(await undisturbed(ORDER)))
    const counts = await Promise.all(['ListClusters', 'ListEdgeNodePools', 'ListMachines', 'ListEdgeNodes'].map(async list => (await server.done(list, {}, region)).TotalCount))
    assert.deepEqual(counts, [1, 1, 1, 1])
  }

  test('it goes on when the call is taken, and its story is whole', async () => {
    await server.done('CreateRegion', OWN)
    await server.done('InjectFault', { Port: 'api', Call: 'CreateEdgeNodePool', Effect: { Type: 'fail', Code: 503 }, Times: 2 }, 'own-1')
    await isWholeOnce(await server.done('RunScenario', ORDER))
  })

  test('a step that it comes further than begins the count of tries anew', async () => {
    await server.done('CreateRegion', OWN)
    for (const Call of ['CreateCluster', 'CreateEdgeNodePool', 'CreateBatchEdgeMachine', 'AddMachine', 'SetMachine'])
      await server.done('InjectFault', { Port: 'api', Call, Effect: { Type: 'fail', Code: 503 }, Times: 1 }, 'own-1')
    await isWholeOnce(await server.done('RunScenario', ORDER))
  })

  test('a list that does not show yet what the next steps name is asked again', async () => {
    const order = { ...ORDER, Name: 'node-failed-resource-cleanup-failed' }
    await server.done('CreateRegion', OWN)
    await server.done('InjectFault', { Port: 'api', Call: 'ListEdgeNodes', Effect: { Type: 'lie', For: '1h' }, Times: 2 }, 'own-1')
    assert.deepEqual(callsOf(await server.done('RunScenario', order)), callsOf(await undisturbed(order)))
  })

  test('where it is refused for longer that is told, and whoever repeats its call afterwards is told the whole story', async () => {
    const regions = ([
      [{ Type: 'fail', Code: 429 }, 'FlowLimitExceeded'], [{ Type: 'fail', Code: 500 }, 'InternalError'], [{ Type: 'fail', Code: 503 }, 'ServiceUnavailable'], [{ Type: 'fail', Code: 504 }, 'InternalServiceTimeout'],
      [{ Type: 'silent' }, 'InternalError'], [{ Type: 'half' }, 'InternalError'],
    ] as const).map(([effect, code], index) => ({ region: `own-${index + 1}`, effect, code }))
    await Promise.all(regions.map(async ({ region, effect, code }) => {
      const order = { ...ORDER, In: region }
      await server.done('CreateRegion', { ...OWN, Region: region, Paused: false })
      await server.done('InjectFault', { Port: 'api', Call: 'CreateEdgeNodePool', Effect: effect }, region)
      assert.equal((await server.call('RunScenario', order)).code, code)
      assert.equal((await server.done('GetClock', {}, region))['Paused'], false, 'its clock runs on meanwhile')
      await server.done('ClearFault', { All: true }, region)
      const played = await server.done('RunScenario', order)
      await isWholeOnce(played, region)
      assert.deepEqual(await server.done('RunScenario', order), played)
    }))
  })

  test('a region of its own that is left is begun anew by the repeat, and tells the same story as if nothing had happened', async () => {
    let turn = 0, isRefused = true
    const others = new KillableServers()
    try {
      const opened: SimulatedServer = (await others.open({ wrapStore: store => storeWith(store, () => ({ write: async (now, work, instants) => {
        const result = await store.write(now, work, instants)
        const play = (await store.findRegion(`${NAME}-1`))?.settings['play'] as { readonly turn: number; readonly end?: object } | undefined
        // Each time that it begins anew the faults of its region go, too.
        if (isRefused && play && !play.end && play.turn > turn) {
          turn = play.turn
          await opened.done('InjectFault', { Port: 'api', Call: 'CreateEdgeNodePool', Effect: { Type: 'fail', Code: 503 } }, `${NAME}-1`)
        }
        return result
      } })) })).server
      const body = { Name: NAME, Seed: 5, ClientToken: 'once', StopAt: { Kind: 'Node', Phase: 'Failed', Condition: 'NotReady' } }
      assert.equal((await opened.call('RunScenario', body)).code, 'ServiceUnavailable')
      isRefused = false
      assert.deepEqual(await opened.done('RunScenario', body), await undisturbed(body))
    } finally {
      await others.close()
    }
  })
})
