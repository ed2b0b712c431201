import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryWorldStore } from '#providers/simulated/store/memory-world-store.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { SimulatedServer } from '#test/harness/simulated-server.ts'

/** A server at which a look at the list of regions can be held up, before it reads the list or after that. */
async function slowServer(t: { after(ended: () => Promise<void>): void }) {
  const store = new MemoryStore(() => Date.now())
  const server = await SimulatedServer.open({ store, queue: store.queue, worldStore: new MemoryWorldStore() })
  t.after(() => server.close())
  const list = store.listRegions.bind(store)
  /** Answers how to let it end. */
  const heldLook = (stops: 'before' | 'after'): () => Promise<void> => {
    const goesOn = Promise.withResolvers<void>()
    store.listRegions = async () => {
      if (stops === 'before') await goesOn.promise
      const found = await list()
      await goesOn.promise
      return found
    }
    const look = server.regions.look()
    store.listRegions = list
    return async () => {
      goesOn.resolve()
      await look
    }
  }
  return { store, server, heldLook }
}

test('a look at the list of regions that began before one was made stops nothing of it, however late it ends', async t => {
  const { server, heldLook } = await slowServer(t)
  const end = heldLook('after')
  await server.done('CreateRegion', { Region: 'ci-9', Seed: 7, Paused: true })
  const face = server.regions.faceOf('ci-9')
  assert.ok(face)
  await end()
  assert.equal(server.regions.faceOf('ci-9'), face)
  assert.equal((await server.done('ListClusters', {}, 'ci-9')).TotalCount, 0)
})

test('nor does a later look that read the list earlier', async t => {
  const { store, server, heldLook } = await slowServer(t)
  const [endEarlier, endLater] = [heldLook('before'), heldLook('after')]
  // As another server does.
  const sample = await store.findRegion('sim-1')
  assert.ok(sample)
  await store.write(Date.now(), tx => tx.putRegion({ ...sample, region: 'ci-9' }))
  await endEarlier()
  const face = server.regions.faceOf('ci-9')
  assert.ok(face)
  await endLater()
  assert.equal(server.regions.faceOf('ci-9'), face)
})

test('a look that began before a region was removed begins it no second time', async t => {
  const { server, heldLook } = await slowServer(t)
  await server.done('CreateRegion', { Region: 'ci-9', Seed: 7, Paused: true })
  const end = heldLook('after')
  await server.done('DeleteRegion', { Region: 'ci-9' })
  assert.equal(server.regions.faceOf('ci-9'), undefined)
  await end()
  assert.equal(server.regions.faceOf('ci-9'), undefined)
})
