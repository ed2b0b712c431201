import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { MemoryWorldStore } from '#providers/simulated/store/memory-world-store.ts'
import { KillableServers, type KillableServer } from '#test/harness/killed-servers.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { KEY, SimulatedServer } from '#test/harness/simulated-server.ts'
import { until } from '#test/harness/waiting.ts'
import { openStream, readUntil, Watcher } from '#test/harness/watching.ts'

/** Two servers on one database: each region is run by one of them, and both take its calls. */
describe('two servers', () => {
  const store = new MemoryStore(() => Date.now())
  const database = { store, queue: store.queue, worldStore: new MemoryWorldStore() }
  let one: SimulatedServer, other: SimulatedServer, passedOn: Watcher | undefined
  before(async () => {
    one = await SimulatedServer.open({ ...database, name: 'one', listen: true })
    await one.done('CreateRegion', { Region: 'ci-1', Seed: 7, Paused: true })
    other = await SimulatedServer.open({ ...database, name: 'other', listen: true })
  })
  after(async () => {
    await other.close()
  })

  test('the one that does not run a region passes calls on to the one that does', async () => {
    const { cluster } = await other.fleet('ci-1', ['till-1'])
    for (const server of [one, other]) assert.equal(await server.shows('ListClusters', cluster, 'ci-1'), 'Running/Ok')
    const { Items: [machine] = [] } = await one.done('ListMachines', {}, 'ci-1')
    await other.done('SetMachine', { Id: machine?.['Id'], Power: 'crash' }, 'ci-1')
    await one.done('SetClock', { Step: '1m' }, 'ci-1')
    assert.deepEqual(await other.done('GetClock', {}, 'ci-1'), await one.done('GetClock', {}, 'ci-1'))
    assert.ok(other.regions.faceOf('ci-1')?.elsewhere() !== undefined, 'it is the first that runs it')
    assert.equal((await other.call('SetClock', { Step: '-1m' }, 'ci-1')).code, 'InvalidParameter.Step')
  })

  test('an answer that is lost there is lost here too, and what it answered is done', async () => {
    const body = { Name: 'box', ClientToken: 'once' }
    await other.done('InjectFault', { Port: 'api', Call: 'AddMachine', Effect: { Type: 'half' }, Times: 1 }, 'ci-1')
    await assert.rejects(other.call('AddMachine', body, 'ci-1'), 'the connection is cut')
    const { Id } = await other.done('AddMachine', body, 'ci-1')
    assert.deepEqual((await one.done('ListMachines', { Filter: { Names: ['box'] } }, 'ci-1')).Items?.map(machine => machine['Id']), [Id])
  })

  test('reads at either of them meet the faults of our own answers, and the hits of both are counted together', async () => {
    const { Id } = await one.done('InjectFault', { Port: 'api', Call: 'ListClusters', Effect: { Type: 'fail', Code: 429 }, Times: 5 }, 'ci-1')
    // Within a second of what was arranged at the server that runs the region.
    await until(async () => (await other.call('ListClusters', {}, 'ci-1')).status === 429, 1_000)
    for (const server of [one, other, one, other]) assert.equal((await server.call('ListClusters', {}, 'ci-1')).code, 'FlowLimitExceeded')
    for (const server of [other, one]) assert.equal((await server.call('ListClusters', {}, 'ci-1')).status, 200)
    const hits = async (server: SimulatedServer) => (await server.done('ListFaults', {}, 'ci-1')).Items?.find(fault => fault['Id'] === Id)?.['Hits']
    for (const server of [one, other]) assert.equal(await hits(server), 5)
  })

  test('whoever arranged a fault through the other one meets it at once, and is free of it at once', async () => {
    const { Id } = await other.done('InjectFault', { Port: 'api', Call: 'ListEdgeNodes', Target: { Nth: 2 }, Effect: { Type: 'fail', Code: 500 } }, 'ci-1')
    const statuses = await Promise.all([other.call('ListEdgeNodes', {}, 'ci-1'), other.call('ListEdgeNodes', {}, 'ci-1')])
    assert.deepEqual(statuses.map(({ status }) => status).toSorted((a, b) => a - b), [200, 500])
    await other.done('ClearFault', { Id }, 'ci-1')
    await other.done('InjectFault', { Port: 'api', Call: 'ListMachines', Effect: { Type: 'lie', For: '1h' } }, 'ci-1')
    assert.deepEqual((await other.done('ListMachines', {}, 'ci-1')).Items, [])
    await other.done('ClearFault', { All: true }, 'ci-1')
    assert.notDeepEqual((await other.done('ListMachines', {}, 'ci-1')).Items, [])
  })

  test('while no fault stands, reads are answered where they come', async () => {
    assert.deepEqual([one, other].map(server => server.regions.faceOf('ci-1')?.elsewhere()?.judgesReads), [undefined, false])
  })

  test('both say the same to whoever asks what there is, what may be had and why something is as it is', async () => {
    const { Items: clusters = [] } = await one.done('ListClusters', {}, 'ci-1'), cluster = String(clusters[0]?.['Id'])
    await one.done('SetBalance', { Amount: 10 }, 'ci-1')
    await one.done('InjectFault', { Port: 'addon-installer', Call: 'container', Effect: { Type: 'fail' } }, 'ci-1')
    for (const [action, body] of [['SetQuota', { Limit: 9 }], ['SetStock', { Count: 7 }]] as const) await one.done(action, { Kind: 'Machine', ...body }, 'ci-1')
    await one.done('SetClock', { Step: '2h' }, 'ci-1')
    const { Items: scripts = [] } = await one.done('ListBatchEdgeMachine', {}, 'ci-1')
    const reads: [action: string, body?: object][] = [
      ...[`${cluster}:core-dns`, cluster, String(scripts[0]?.['Id'])].map(Id => ['ExplainStatus', { Id }] as [string, object]),
      ['ListSupportedAddons'], ['ListSupportedResourceTypes'], ['ListScenarios'], ['GetBalance'], ['GetClock'], ['ListFaults'], ['ListQuotas'], ['ListStock'], ['ListAddons'], ['ListMachines'], ['ListLedger'], ['ListEdgeNodes'],
      ['ListBatchEdgeMachine', { NeedBootstrapScript: true }], ['ListKubeconfigs'], ['ListStatusHistory'],
    ]
    for (const [action, body = {}] of reads) assert.deepEqual(await other.done(action, body, 'ci-1'), await one.done(action, body, 'ci-1'), action)
    const supported = await other.done('ListSupportedAddons', {}, 'ci-1')
    assert.ok(supported.Items?.some(addon => addon['Name'] === 'core-dns'))
    const exits = (await other.done('ExplainStatus', { Id: `${cluster}:core-dns` }, 'ci-1'))['Exits'] as readonly { What: string }[]
    assert.ok(exits.every(({ What }) => !What.includes('DeleteAddon')), 'no call removes what every cluster has')
    const texts = await Promise.all([one, other].map(async server => (await server.done('ListRegions', {}, 'ci-1')).Items?.find(region => region['Region'] === 'ci-1')?.['Text']))
    assert.match(String(texts[0]), /^simulated, seed 7; its clock is paused$/)
    assert.match(String(texts[1]), /^simulated, seed 7; its clock is paused; the server at http:\/\/127\.0\.0\.1:\d+ runs it, and is passed its calls$/)
  })

  test('changes are watched at either of them, also past the faults that the other one judges, and over its end', async () => {
    const position = async () => Number((await one.done('ListStatusHistory', { PageSize: 1 }, 'ci-1')).Items?.[0]?.['Position'])
    const LastEventId = await position()
    const watchers = [new Watcher(one.client('ci-1'), { LastEventId }), new Watcher(other.client('ci-1'), { LastEventId })]
    const { Items: clusters = [] } = await one.done('ListClusters', {}, 'ci-1'), ClusterId = clusters[0]?.['Id']
    const more = async (Name: string) => {
      await one.done('CreateEdgeNodePool', { ClusterId, Name }, 'ci-1')
      await one.done('SetClock', { Step: '1m' }, 'ci-1')
    }
    await more('first')
    // Two of its calls: so they are passed on to the one that counts them.
    await one.done('InjectFault', { Port: 'api', Call: 'WatchChanges', Effect: { Type: 'fail', Code: 429, For: '1ms' }, Times: 1 }, 'ci-1')
    await until(() => other.regions.faceOf('ci-1')?.elsewhere()?.judgesReads === true)
    const late = new Watcher(other.client('ci-1'), { LastEventId })
    watchers.push(late)
    await more('second')
    const all = async () => (await one.history('ci-1')).map(change => (change as unknown as { Position: number }).Position).filter(each => each > LastEventId)
    const told = await all()
    assert.ok(told.length > 2)
    for (const watcher of watchers) {
      await watcher.has(({ length }) => length >= told.length)
      assert.deepEqual(watcher.positions, told)
    }
    assert.deepEqual((await one.done('ListFaults', {}, 'ci-1')).Items?.filter(fault => fault['Call'] === 'WatchChanges').map(fault => fault['Hits']), [1])
    // By the header of those who ask again, which is passed on, too.
    const last = String(told.at(-2)), again = await openStream(other.endpoint, KEY, 'ci-1', { LastEventId: '0' }, { 'last-event-id': last })
    assert.ok((await readUntil(again, /data: .*\n\n/)).startsWith(`: changes behind ${last}\nid: ${last}\n\nid: ${told.at(-1)}\n`))
    again.destroy()
    await watchers[0]?.end()
    passedOn = late
  })

  test('and takes the region over when that one ends, where it stood', async () => {
    const before = await one.done('GetClock', {}, 'ci-1')
    await one.close()
    await until(() => other.regions.faceOf('ci-1')?.elsewhere() === undefined, 8_000)
    assert.deepEqual(await other.done('GetClock', {}, 'ci-1'), before)
    await other.done('SetClock', { Step: '1m' }, 'ci-1')
    const { Items: clusters = [] } = await other.done('ListClusters', {}, 'ci-1'), told = passedOn?.changes.length ?? 0
    await other.done('CreateEdgeNodePool', { ClusterId: clusters[0]?.['Id'], Name: 'third' }, 'ci-1')
    await passedOn?.has(({ length }) => length > told)
    const positions = passedOn?.positions ?? []
    assert.deepEqual(positions, (await other.history('ci-1')).map(change => (change as unknown as { Position: number }).Position).slice(-positions.length), 'a watch that was passed on goes on here')
    await passedOn?.end()
  })
})

describe('of two servers the one that runs the region is killed', () => {
  const servers = new KillableServers()
  let other: KillableServer
  after(() => servers.close())
  /** What reads that are sent one after the other are answered until the region is open at the server. */
  const untilOpen = async (server: SimulatedServer): Promise<readonly number[]> => {
    const statuses = new Set<number>()
    await until(async () => {
      statuses.add((await server.call('ListClusters', {}, 'ci-1')).status)
      return server.regions.faceOf('ci-1')?.isOpen ?? false
    }, 8_000)
    return [...statuses]
  }

  test('reads at the other one meet the faults that stand from the first moment on, and are answered at once where none does', async () => {
    const one = await servers.open({ listen: true })
    await one.server.done('CreateRegion', { Region: 'ci-1', Seed: 7, Paused: true })
    other = await servers.open({ listen: true })
    const judges = (region: string) => other.server.regions.faceOf(region)?.elsewhere()?.judgesReads
    await one.server.done('InjectFault', { Port: 'api', Call: 'ListClusters', Effect: { Type: 'fail', Code: 429 } }, 'ci-1')
    await until(() => judges('ci-1') === true && judges('sim-1') === false, 2_000)
    one.kill()
    const plain = await other.server.call('ListClusters', {})
    assert.deepEqual([plain.status, other.server.regions.faceOf('sim-1')?.isOpen], [200, false])
    assert.deepEqual(await untilOpen(other.server), [429])
    assert.equal((await other.server.call('ListMachines', {}, 'ci-1')).status, 200)
  })

  test('and at one that is started when both are gone', async () => {
    other.kill()
    const { server } = await servers.open()
    assert.deepEqual(await untilOpen(server), [429])
  })
})
