import { queueContract } from '#ports/queue.contract.ts'
import { storeHistoryContract } from '#ports/store-history.contract.ts'
import { storeAddonsContract } from '#ports/store-addons.contract.ts'
import { storeThingsContract } from '#ports/store-things.contract.ts'
import { storeContract } from '#ports/store.contract.ts'
import { MemoryStore } from './memory-store.ts'

for (const contract of [storeContract, storeThingsContract, storeAddonsContract, storeHistoryContract]) contract('in memory', async () => ({ store: new MemoryStore(Date.now), close: async () => {} }))
queueContract('in memory', async () => {
  const store = new MemoryStore(Date.now)
  return { store, queue: store.queue, lapse: async lease => store.queue.lapse(lease.name), close: async () => {} }
})
