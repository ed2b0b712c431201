import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { MemoryWorldStore } from '#providers/simulated/store/memory-world-store.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { SimulatedServer } from '#test/harness/simulated-server.ts'

const PASSWORD = 'tr0ub4dor-und-drei'

describe('a machine that is known by address and password', () => {
  let server: SimulatedServer, number = 0
  before(async () => {
    const store = new MemoryStore(() => Date.now())
    server = await SimulatedServer.open({ store, queue: store.queue, worldStore: new MemoryWorldStore() })
  })
  after(() => server.close())

  async function shop() {
    const region = `login-${++number}`
    const done = (action: string, body: object = {}) => server.done(action, body, region)
    await server.done('CreateRegion', { Region: region, Seed: 7, Paused: true })
    const { cluster, pool } = await server.fleet(region, [])
    const { Id: machine = '' } = await done('AddMachine', { Name: 'till-1' })
    await done('SetClock', { Step: '30s' })
    const { Items: [item] = [] } = await done('ListMachines', { Filter: { Ids: [machine] } })
    const address = String(item?.['Address'])
    const create = (config: object = {}, more: object = {}) => server.call('CreateEdgeNode', {
      ClusterId: cluster, NodePoolId: pool, Name: 'till-1', ...more, AutoCompleteConfig: { Enable: true, Address: address, MachineAuth: { AuthType: 'Password', User: 'root', SSHPort: 22, Password: PASSWORD }, ...config },
    }, region)
    const because = async (id: string) => String((await done('ExplainStatus', { Id: id }))['Because'])
    return { region, done, cluster, pool, machine, address, create, because, shows: (id: string) => server.shows('ListEdgeNodes', id, region) }
  }

  test('is logged in to once, and becomes a Ready node by that name', async () => {
    const { done, create, shows, region, because } = await shop()
    const { status, result: { Ids: [id = ''] = [] } } = await create()
    assert.equal(status, 200)
    assert.equal(await shows(id), 'Creating/Progressing')
    assert.match(await because(id), /it was logged in to, and runs the onboarding script$/)
    await done('SetClock', { Step: '60s' })
    assert.equal(await shows(id), 'Running/Ok', await because(id))
    const told = (await server.history(region)).filter(({ Id }) => Id === id)
    assert.deepEqual(told.map(({ Status }) => `${Status?.Phase} ${Status?.Conditions[0]?.Type}`), ['Creating Progressing', 'Running Ok'])
    assert.equal((await done('ListEdgeNodes', { Filter: { Ids: [id] } })).Items?.[0]?.['Name'], 'till-1')
  })
})
