import { MemoryWorldStore } from '#providers/simulated/store/memory-world-store.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { simulatedRegionStories } from './simulated-region.contract.ts'

simulatedRegionStories('in memory', async () => {
  const store = new MemoryStore(() => Date.now())
  return { store, queue: store.queue, worldStore: new MemoryWorldStore(), close: async () => {} }
})
