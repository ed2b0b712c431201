import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { MemoryWorldStore } from '#providers/simulated/store/memory-world-store.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { SimulatedServer } from '#test/harness/simulated-server.ts'

/** Real time; a wait of half a minute is none. */
const AT_ONCE_MS = 5_000

describe('a script on a machine that cannot run it', () => {
  const region = 'scripts'
  let server: SimulatedServer
  let machines: readonly string[] = [], script = ''
  before(async () => {
    const store = new MemoryStore(() => Date.now())
    server = await SimulatedServer.open({ store, queue: store.queue, worldStore: new MemoryWorldStore() })
    await server.done('CreateRegion', { Region: region, Seed: 7, Paused: true })
    machines = (await server.fleet(region, ['box-1', 'box-2'])).machines
    script = String((await server.done('ListBatchEdgeMachine', {}, region)).Items?.[0]?.['Id'])
  })
  after(() => server.close())

  async function refused(body: object, why: RegExp): Promise<void> {
    const began = performance.now()
    const { status, code, message } = await server.call('SetMachine', { RunScript: script, ...body }, region)
    assert.deepEqual([status, code], [400, 'OperationDenied.Machine'])
    assert.match(message ?? '', why)
    assert.ok(performance.now() - began < AT_ONCE_MS, 'it was waited for')
  }

  const shown = async (id: string | undefined) => {
    const { Items: [machine] = [] } = await server.done('ListMachines', { Filter: { Ids: [id] } }, region)
    return [machine?.['Power'], machine?.['Link']]
  }

  test('one that is off, however it came to be', async () => {
    for (const Power of ['off', 'crash']) {
      await server.done('SetMachine', { Id: machines[0], Power }, region)
      await refused({ Id: machines[0] }, /it is off; switch it on first/)
      await refused({ Id: machines[0], Link: 'cut' }, /it is off; switch it on first/)
      assert.deepEqual(await shown(machines[0]), ['off', 'up'], 'nothing of the call was done')
      await server.done('SetMachine', { Id: machines[0], Power: 'on' }, region)
    }
  })

  test('one that the same call would switch off stays on', async () => {
    for (const Power of ['off', 'crash']) await refused({ Id: machines[1], Power }, /it is off; switch it on first/)
    assert.deepEqual(await shown(machines[1]), ['on', 'up'])
  })

  test('one that does not come on while the clock stands still', async () => {
    for (const type of ['hang', 'fail']) {
      await server.done('InjectFault', { Port: 'machines', Call: 'ensure', Effect: { Type: type } }, region)
      const { Id } = await server.done('AddMachine', { Name: `late-${type}` }, region)
      await refused({ Id }, /not on yet, and the clock of the region scripts stands still/)
      await server.done('ClearFault', { All: true }, region)
    }
  })

  test('one that is switched on by the same call runs it', async () => {
    await server.done('SetMachine', { Id: machines[0], Power: 'off' }, region)
    await server.done('SetMachine', { Id: machines[0], Power: 'on', RunScript: script }, region)
    assert.deepEqual(await shown(machines[0]), ['on', 'up'])
  })
})
