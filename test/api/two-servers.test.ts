import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { MemoryWorldStore } from '#providers/simulated/store/memory-world-store.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { SimulatedServer } from '#test/harness/simulated-server.ts'
import { until } from '#test/harness/waiting.ts'

/** Two servers on one database: each region is run by one of them, and both take its calls. */
describe('two servers', () => {
  const store = new MemoryStore(() => Date.now())
  const database = { store, queue: store.queue, worldStore: new MemoryWorldStore() }
  let one: SimulatedServer, other: SimulatedServer
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

  test('and takes the region over when that one ends, where it stood', async () => {
    const before = await one.done('GetClock', {}, 'ci-1')
    await one.close()
    await until(() => other.regions.faceOf('ci-1')?.elsewhere() === undefined, 8_000)
    assert.deepEqual(await other.done('GetClock', {}, 'ci-1'), before)
    await other.done('SetClock', { Step: '1m' }, 'ci-1')
  })
})
