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

  test('a command is refused with what stays so, whether the machine is on or off', async () => {
    for (const Power of ['off', 'on']) {
      await server.done('SetMachine', { Id: machines[1], Power }, region)
      const { code, message } = await server.call('ExecInMachine', { Id: machines[1], Command: ['true'] }, region)
      assert.deepEqual([code, message], ['OperationDenied.Machine', `The machine ${machines[1]} cannot do that now: machines of the region scripts run no commands; onboarding scripts alone can be run on them.`])
    }
  })

  test('one that is switched on by the same call runs it', async () => {
    await server.done('SetMachine', { Id: machines[0], Power: 'off' }, region)
    await server.done('SetMachine', { Id: machines[0], Power: 'on', RunScript: script }, region)
    assert.deepEqual(await shown(machines[0]), ['on', 'up'])
  })
})

describe('a script that nobody waits for', () => {
  const region = 'refusals', seconds = (Step: string) => server.done('SetClock', { Step }, region)
  let server: SimulatedServer
  let cluster = '', pool = '', machine = '', script = ''
  before(async () => {
    const store = new MemoryStore(() => Date.now())
    server = await SimulatedServer.open({ store, queue: store.queue, worldStore: new MemoryWorldStore() })
    await server.done('CreateRegion', { Region: region, Seed: 7, Paused: true })
    ;({ cluster, pool, machines: [machine = ''] } = await server.fleet(region, ['box-1']))
    script = String((await server.done('ListBatchEdgeMachine', {}, region)).Items?.[0]?.['Id'])
  })
  after(() => server.close())

  const scriptOf = async (NodePoolId: string, Name: string) => (await server.done('CreateBatchEdgeMachine', { ClusterId: cluster, NodePoolId, Name, TTLHours: 1 }, region)).Ids?.[0] ?? ''
  const added = async (Name: string) => {
    const { Id = '' } = await server.done('AddMachine', { Name }, region)
    await seconds('30s')
    return Id
  }
  const run = (Id: string, RunScript: string) => server.done('SetMachine', { Id, RunScript }, region)
  const shown = async (id: string) => {
    const { Items: [item = {}] = [] } = await server.done('ListMachines', { Filter: { Ids: [id] } }, region)
    return { because: item['Because'], failedAt: item['ScriptFailedAt'], isNode: item['NodeId'] !== undefined }
  }
  const WELL = { because: undefined, failedAt: undefined, isNode: true }

  test('and is refused says so where machines are listed, and when, until one begins anew', async () => {
    const Id = await added('box-2'), deleted = await scriptOf(pool, 'short')
    await run(Id, deleted)
    assert.deepEqual(await shown(Id), { ...WELL, isNode: false })
    await server.done('DeleteBatchEdgeMachine', { ClusterId: cluster, NodePoolId: pool, Ids: [deleted] }, region)
    await seconds('30s')
    const { because, failedAt, isNode } = await shown(Id)
    assert.match(String(because), /^The join endpoint refused it: The onboarding script short was deleted at 2026-12-01T/)
    assert.match(String(failedAt), /^2026-12-01T00:0\d:\d\d\.\d{3}Z$/)
    assert.equal(isNode, false)
    await run(Id, script)
    assert.deepEqual(await shown(Id), { ...WELL, isNode: false })
    await seconds('30s')
    assert.deepEqual(await shown(Id), WELL)
  })

  test('on a machine that is a node already leaves that node as it is', async () => {
    const { Id: other = '' } = await server.done('CreateEdgeNodePool', { ClusterId: cluster, Name: 'others' }, region)
    await run(machine, await scriptOf(other, 'others-script'))
    await seconds('30s')
    const { because, isNode } = await shown(machine), [node] = (await server.done('ListEdgeNodes', { Filter: { NodePoolIds: [pool], Name: 'box-1' } }, region)).Items ?? []
    assert.match(String(because), /^The join endpoint refused it: This machine is already the node box-1 in another node pool/)
    assert.deepEqual([isNode, node?.['Status']], [true, { Phase: 'Running', Conditions: [{ Type: 'Ok' }] }])
    await run(machine, script)
    await seconds('30s')
    assert.deepEqual(await shown(machine), WELL)
  })

  test('and is told to come again says that it waits, and for what', async () => {
    const Id = await added('box-3')
    await server.done('InjectFault', { Port: 'tenant-cluster', Call: 'ensureMembers', Effect: { Type: 'fail' } }, region)
    await run(Id, script)
    await seconds('30s')
    assert.deepEqual(await shown(Id), { ...WELL, because: 'The join endpoint told it to come again later: The API of the cluster shop does not answer at the moment.' })
    await server.done('ClearFault', { All: true }, region)
    await seconds('60s')
    assert.deepEqual(await shown(Id), WELL)
  })

  test('and does not reach the join endpoint says that, too', async () => {
    const Id = await added('box-4')
    await server.done('InjectFault', { Port: 'machines', Call: 'contact', Effect: { Type: 'fail' }, Times: 1 }, region)
    await run(Id, script)
    await seconds('30s')
    const { because, failedAt, isNode } = await shown(Id)
    assert.deepEqual([because, typeof failedAt, isNode], ['Its onboarding script failed: The join endpoint gave no answer', 'string', false])
    await run(Id, script)
    await seconds('30s')
    assert.deepEqual(await shown(Id), WELL)
  })
})
