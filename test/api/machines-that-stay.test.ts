import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { MemoryWorldStore } from '#providers/simulated/store/memory-world-store.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { SimulatedServer } from '#test/harness/simulated-server.ts'

let server: SimulatedServer
before(async () => {
  const store = new MemoryStore(() => Date.now())
  server = await SimulatedServer.open({ store, queue: store.queue, worldStore: new MemoryWorldStore() })
})
after(() => server.close())

test('a machine that was asked to go and cannot be removed says why in the list, and goes when it can', async () => {
  const done = (action: string, body: object = {}) => server.done(action, body, 'stays')
  await server.done('CreateRegion', { Region: 'stays', Seed: 7, Paused: true })
  const { Id } = await done('AddMachine', { Name: 'shop-1' })
  await done('SetClock', { Step: '1m' })
  await done('InjectFault', { Port: 'machines', Call: 'ensureGone', Effect: { Type: 'fail', Message: 'TerminateInstances: internal error' } })
  await done('RemoveMachine', { Id })
  await done('SetClock', { Step: '1h' })
  const { Items: [machine] = [] } = await done('ListMachines')
  assert.deepEqual([machine?.['Removing'], machine?.['Because']], [true, `The machine shop-1 (${Id}) could not be removed: ensureGone failed: TerminateInstances: internal error`])
  await done('ClearFault', { All: true })
  await done('SetClock', { Step: '1h' })
  assert.deepEqual((await done('ListMachines')).Items, [])
})
