import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryWorldStore } from '#providers/simulated/store/memory-world-store.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { SimulatedServer } from '#test/harness/simulated-server.ts'

test('the default region stays, and its refusal says so for good: it names nothing to wait for', async () => {
  const store = new MemoryStore(() => Date.now()), server = await SimulatedServer.open({ store, queue: store.queue, worldStore: new MemoryWorldStore() })
  try {
    const refused = await server.call('DeleteRegion', { Region: 'sim-1' }, 'sim-1')
    assert.equal(refused.status, 400)
    assert.match(JSON.stringify(refused), /OperationDenied\.DefaultRegion/)
    assert.doesNotMatch(JSON.stringify(refused), /now|moment/)
  } finally {
    await server.close()
  }
})
