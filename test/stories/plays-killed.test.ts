import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { CreateEdgeNodePool } from '#api/actions/CreateEdgeNodePool.ts'
import { SCENARIOS } from '#api/scenarios/all.ts'
import type { KeptPlay } from '#api/scenarios/kept-play.ts'
import { storeWith } from '#ports/store-with.ts'
import { KillableServers, type KillableServer } from '#test/harness/killed-servers.ts'
import type { SimulatedServer } from '#test/harness/simulated-server.ts'
import { until } from '#test/harness/waiting.ts'

const NAME = 'node-failed-not-ready', ROW = { Kind: 'Node', Phase: 'Failed', Condition: 'NotReady' }
const REGION = 'node-stopped-ok-1'
const OWN = { Region: 'own-1', Seed: 5, StartAt: '2026-01-05T08:00:00Z', Paused: true }

const regionsOf = async (server: SimulatedServer) => ((await server.done('ListRegions')).Items ?? []).map(region => String(region['Region'])).filter(name => name !== 'sim-1')
/**
 * The calls and steps of the clock of a story, and for each resource what it came to between which of them. Without what is drawn by ids, which are others after a server died (names of machines, and instants
 * of what goes on by itself), and without what a restart shows of the middle of an instant: which of two resources came first, and why pods fit nowhere just then.
 */
function toldBy(played: Record<string, unknown>): readonly string[] {
  let lines = 0
  return (played['Story'] as { readonly At: string; readonly Text: string; readonly Resource?: { readonly Kind: string } }[]).map(({ At, Text, Resource }) => {
    if (!Resource) return `${++lines} ${At} ${Text}`
    const text = Text.replaceAll(/\b(?:[a-z]+-[0-9a-v]{10}|[a-z][0-9a-v]{20})\b/g, 'one').replaceAll(/\d{4}-\d\d-\d\dT[\d:]+Z/g, 'then').replaceAll(/(?<=schedulable nodes) \(.*\)/g, '')
    return `${Resource.Kind} after ${lines}: ${text}`
  }).toSorted((one, other) => (one.split(':')[0] ?? '').localeCompare(other.split(':')[0] ?? '', 'en', { numeric: true }))
}

/** So many writes from one death to the next, but for whoever wants all of them. */
const EVERY = Number(process.env['EVERY'] ?? 7)

/** The call, or nothing where its server died of it. */
async function runUntilDeath({ server, life }: KillableServer, body: object): Promise<Record<string, unknown> | undefined> {
  const answered = server.call('RunScenario', body).then(({ status, result }) => (status === 200 ? result : undefined), () => undefined)
  return Promise.race([answered, life.died?.promise.then(() => undefined)])
}

describe('a scenario whose server is killed', () => {
  let servers: KillableServers
  beforeEach(() => { servers = new KillableServers() })
  afterEach(() => servers.close())

  /** In a database of its own, without any death. */
  async function undisturbed<Answer>(ask: (server: SimulatedServer) => Promise<Answer>): Promise<Answer> {
    const others = new KillableServers()
    try {
      return await ask((await others.open()).server)
    } finally {
      await others.close()
    }
  }

  /** Kills a server at each of its writes in turn, until it gets to the end of what is asked. */
  async function atEachWrite(prepare: (server: SimulatedServer) => Promise<unknown>, body: object, after: (next: SimulatedServer, where: string) => Promise<void>, every = 1): Promise<number> {
    for (let effect = 0, deaths = 0; ; effect += every) {
      const when = effect / every % 2 === 0 ? 'before' as const : 'after' as const
      const one = new KillableServers()
      try {
        const first = await one.open()
        await prepare(first.server)
        Object.assign(first.life, { at: first.life.effects + effect, when })
        const answer = await runUntilDeath(first, body)
        if (answer && !first.life.dead) return deaths
        first.kill()
        deaths += 1
        const { server } = await one.open()
        await after(server, `killed ${when} write ${effect}`)
      } finally {
        await one.close()
      }
    }
  }

  test('without a row to stop at: whoever asks again is told the story as if nothing had happened, and no region stays', async () => {
    const body = { Name: NAME, Seed: 5 }
    const whole = await undisturbed(server => server.done('RunScenario', body))
    const deaths = await atEachWrite(async () => {}, body, async (server, where) => {
      const { Region: _region, ...told } = await server.done('RunScenario', body)
      const { Region: _other, ...expected } = whole
      assert.deepEqual(told, expected, where)
      await until(async () => (await regionsOf(server)).length === 0, 5_000)
    }, EVERY)
    assert.ok(deaths > 10, `${deaths} deaths`)
  })

  test('with a row to stop at: the same region, the same story, ids and all', async () => {
    const body = { Name: NAME, Seed: 5, StopAt: ROW, ClientToken: 'stops' }
    const whole = await undisturbed(server => server.done('RunScenario', body))
    const deaths = await atEachWrite(async () => {}, body, async (server, where) => {
      const told = await server.done('RunScenario', body)
      assert.deepEqual(told, whole, where)
      assert.deepEqual(await regionsOf(server), [`${NAME}-1`], where)
    }, EVERY)
    assert.ok(deaths > 10, `${deaths} deaths`)
  })

  test('nobody asks again: it comes to its row all the same, or leaves nothing', async () => {
    const first = await servers.open({ at: 30 })
    await runUntilDeath(first, { Name: NAME, Seed: 5, StopAt: ROW })
    const second = await servers.open({ at: 30 })
    await second.life.died?.promise // killed a second time, while it plays it anew
    const third = await servers.open()
    await until(async () => (await third.server.done('ListEdgeNodes', {}, `${NAME}-1`)).Items?.some(({ Status }) => (Status as { Phase: string }).Phase === 'Failed') === true, 10_000)
    const clock = await third.server.done('GetClock', {}, `${NAME}-1`)
    const expected = await undisturbed(async server => ({ told: await server.done('RunScenario', { Name: NAME, Seed: 5, StopAt: ROW }), clock: await server.done('GetClock', {}, `${NAME}-1`) }))
    assert.deepEqual(clock, expected.clock)
    // Whoever sends the same call now has the one that is there.
    assert.deepEqual(await third.server.done('RunScenario', { Name: NAME, Seed: 5, StopAt: ROW }), expected.told)
    assert.deepEqual(await regionsOf(third.server), [`${NAME}-1`])
    // And whoever sends it once more has another.
    assert.equal((await third.server.done('RunScenario', { Name: NAME, Seed: 5, StopAt: ROW }))['Region'], `${NAME}-2`)

    third.kill()
    const fourth = await servers.open({ at: 60 })
    await runUntilDeath(fourth, { Name: 'node-running-ok', Seed: 5 })
    const fifth = await servers.open()
    await until(async () => !(await regionsOf(fifth.server)).includes('node-running-ok-1'), 10_000)
  })

  test('a region that somebody went on with after its scenario ended is left alone by the next one who asks for the same', async () => {
    const first = await servers.open({ at: 40 })
    const body = { Name: NAME, Seed: 5, StopAt: ROW }
    await runUntilDeath(first, body)
    const { server } = await servers.open()
    await until(async () => (await server.done('ListEdgeNodes', {}, `${NAME}-1`)).Items?.some(({ Status }) => (Status as { Phase: string }).Phase === 'Failed') === true, 10_000)
    await server.done('SetClock', { Step: '1m' }, `${NAME}-1`)
    assert.equal((await server.done('RunScenario', body))['Region'], `${NAME}-2`)
  })

  test('two who run the same at once have a region each, and one who repeats with a token waits for the play that goes on', async () => {
    const { server } = await servers.open()
    const body = { Name: NAME, Seed: 5, StopAt: ROW }
    const both = await Promise.all([server.done('RunScenario', body), server.done('RunScenario', body)])
    assert.deepEqual(both.map(played => String(played['Region'])).toSorted(), [`${NAME}-1`, `${NAME}-2`])
    const tokened = { ...body, ClientToken: 'once' }
    const first = server.done('RunScenario', tokened), again = server.done('RunScenario', tokened)
    assert.equal((await again)['Region'], `${NAME}-3`)
    assert.deepEqual(await first, await again)
    assert.deepEqual(await server.done('RunScenario', tokened), await again, 'and its answer may be asked for once more')
    assert.equal((await server.call('RunScenario', { ...tokened, Seed: 6 })).code, 'IdempotentParameterMismatch')
    assert.equal((await regionsOf(server)).length, 3)
  })

  test('the repeat comes to the other of two servers, which takes the region over and plays it anew', async () => {
    const first = await servers.open({ at: 40, listen: true })
    const other = await servers.open({ listen: true })
    const body = { Name: NAME, Seed: 5, StopAt: ROW }
    await runUntilDeath(first, body)
    // Until its region is taken over, sim-1 takes no writes there.
    await until(async () => other.server.regions.faceOf('sim-1')?.elsewhere() === undefined && other.server.regions.faceOf('sim-1')?.refusesWrites() === undefined, 10_000)
    assert.deepEqual(await other.server.done('RunScenario', body), await undisturbed(server => server.done('RunScenario', body)))
    assert.deepEqual(await regionsOf(other.server), [`${NAME}-1`])
  })

  test('a region that its user deletes meanwhile is gone, and the call says so', async () => {
    const begun = Promise.withResolvers<void>(), deletes = Promise.withResolvers<void>()
    let writes = 0
    // In the middle of the play it waits until the region is marked.
    const { server } = await servers.open({ wrapStore: store => storeWith(store, () => ({ write: async (now, work, instants) => {
      if (++writes === 40) {
        begun.resolve()
        await deletes.promise
      }
      const result = await store.write(now, work, instants)
      if ((await store.findRegion(REGION))?.settings['deleting']) deletes.resolve()
      return result
    } })) })
    const played = server.call('RunScenario', { Name: 'node-stopped-ok', Seed: 5 })
    await begun.promise
    await server.done('DeleteRegion', { Region: REGION })
    const { code, message } = await played
    assert.deepEqual([code, /it was deleted while the scenario was played in it/.test(message ?? '')], ['OperationDenied.RegionNotReady', true])
    assert.deepEqual(await regionsOf(server), [])
  })

  test('a region that another server runs is played in by that one, and its story is told here', async () => {
    const one = await servers.open({ listen: true }), other = await servers.open({ listen: true })
    await one.server.done('CreateRegion', OWN)
    await other.server.regions.create({ region: 'own-2', seed: 5, startAt: undefined, paused: true, speed: 1 })
    await other.server.regions.look()
    assert.notEqual(other.server.regions.faceOf('own-1')?.elsewhere(), undefined)
    const { Region, Stopped } = await other.server.done('RunScenario', { Name: NAME, In: 'own-1', StopAt: ROW }, 'own-2')
    assert.deepEqual([Region, Stopped], ['own-1', true])
    assert.equal((await other.server.call('RunScenario', { Name: NAME, In: 'own-1' }, 'own-2')).code, 'Conflict.Name', 'a second cluster of that name')
  })

  test('one scenario at a time is played in a region, and the same one waits for it', async () => {
    const { server } = await servers.open()
    await server.done('CreateRegion', OWN)
    const body = { Name: NAME, In: 'own-1' }
    const [first, same, another] = await Promise.all([server.done('RunScenario', body), server.done('RunScenario', body), server.call('RunScenario', { ...body, Name: 'node-stopped-ok' })])
    assert.deepEqual(first, same)
    assert.match(another.message ?? '', /the scenario node-failed-not-ready is being played in it/)
  })

  test('a fault that is ordered again with its token is one fault, and a script that is started again at one instant runs once', async () => {
    const { server } = await servers.open()
    await server.done('CreateRegion', OWN)
    const order = { Port: 'machines', Call: 'ensure', Effect: { Type: 'fail', Message: 'no' }, ClientToken: 'once' }
    const ids = [await server.done('InjectFault', order, 'own-1'), await server.done('InjectFault', order, 'own-1')].map(({ Id }) => Id)
    assert.deepEqual([ids[0] === ids[1], (await server.done('ListFaults', {}, 'own-1')).TotalCount], [true, 1])
    assert.equal((await server.call('InjectFault', { ...order, Port: 'outside' }, 'own-1')).code, 'IdempotentParameterMismatch')
    await server.done('ClearFault', { All: true }, 'own-1')
    await server.done('InjectFault', { Port: 'machines', Call: 'preflight', Effect: { Type: 'slow', For: '10s' }, Times: 2 }, 'own-1')
    const { cluster, pool } = await server.fleet('own-1', [])
    const { Ids: [script = ''] = [] } = await server.done('CreateBatchEdgeMachine', { ClusterId: cluster, NodePoolId: pool, TTLHours: 1 }, 'own-1')
    const { Id } = await server.done('AddMachine', { Name: 'till-1' }, 'own-1')
    await server.done('SetClock', { Step: '60s' }, 'own-1')
    for (let times = 0; times < 2; times++) await server.done('SetMachine', { Id, RunScript: script }, 'own-1')
    assert.deepEqual((await server.done('ListFaults', {}, 'own-1')).Items?.map(({ Hits }) => Hits), [1])
  })

  for (const { where, order, region } of [
    { where: 'a region that the user names', order: { Name: NAME, In: 'own-1', ClientToken: 'once' }, region: 'own-1' },
    { where: 'a region of its own', order: { Name: NAME, Seed: 5, StopAt: ROW, ClientToken: 'once' }, region: `${NAME}-1` },
  ]) {
    test(`at each try of one of its calls, in ${where}: that is told in the end, and a repeat on a server that lives goes on`, async t => {
      const playThere = async () => (await servers.store.findRegion(region))?.settings['play'] as KeptPlay | undefined
      let one = await servers.open(), deaths = 0
      const { mock } = t.mock.method(CreateEdgeNodePool, 'run', () => {
        one.kill()
        throw new Error('its process is dead')
      })
      if ('In' in order) await one.server.done('CreateRegion', { ...OWN, Paused: false })
      void one.server.call('RunScenario', order).catch(() => {}) // its server dies
      for (; deaths <= 40; deaths += 1) {
        const { life } = one
        await until(async () => life.dead || (await playThere())?.end !== undefined, 10_000)
        if (!life.dead) break
        one = await servers.open()
      }
      assert.ok(deaths > 10 && deaths <= 25, `${deaths} deaths`)
      assert.match(JSON.stringify((await playThere())?.end), /it was begun 20 times .* and came no further/)
      if ('In' in order) assert.equal((await one.server.done('GetClock', {}, region))['Paused'], false, 'its clock runs on')
      mock.restore()
      const told = await one.server.done('RunScenario', order)
      assert.deepEqual([told['Region'], (await one.server.done('ListEdgeNodes', {}, region)).TotalCount], [region, 1])
    })
  }

  // Each call of a kind that another scenario has not: faults, deletions, limits, machines, workloads, add-ons.
  for (const Name of ['node-failed-resource-cleanup-failed', 'addon-failed-resource-cleanup-failed', 'node-pool-running-stock-out', 'node-failed-not-ready', 'node-stopped-ok', 'addon-updating-progressing', 'node-running-unschedulable']) {
    const { Reaches: [row] } = SCENARIOS.find(scenario => scenario.Name === Name) ?? assert.fail(Name)
    test(`${Name} in a region that the user names: it goes on where it stood, nothing is done twice, and its story is whole`, async () => {
      const body = { Name, In: 'own-1', ClientToken: 'once', StopAt: { Kind: row?.Kind, Phase: row?.Phase, Condition: row?.Conditions.at(-1) } }
      const prepare = (server: SimulatedServer) => server.done('CreateRegion', OWN)
      const stateOf = async (server: SimulatedServer) => {
        const counts = await Promise.all(['ListClusters', 'ListEdgeNodePools', 'ListEdgeNodes', 'ListMachines', 'ListAddons', 'ListFaults', 'ListBatchEdgeMachine'].map(async list => (await server.done(list, {}, 'own-1')).TotalCount))
        return { counts, isPaused: (await server.done('GetClock', {}, 'own-1'))['Paused'], regions: await regionsOf(server) }
      }
      const whole = await undisturbed(async server => {
        await prepare(server)
        return { told: await server.done('RunScenario', body), ...await stateOf(server) }
      })
      const deaths = await atEachWrite(prepare, body, async (server, where) => {
        const told = await server.done('RunScenario', body)
        assert.deepEqual([toldBy(told), told['Stopped']], [toldBy(whole.told), whole.told['Stopped']], where)
        assert.deepEqual(await stateOf(server), { counts: whole.counts, isPaused: true, regions: whole.regions }, where)
      }, EVERY)
      assert.ok(deaths > 5, `${deaths} deaths`)
    })
  }
})
