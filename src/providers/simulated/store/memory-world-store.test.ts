import { MemoryWorldStore } from './memory-world-store.ts'
import { worldStoreContract } from './world-store.contract.ts'

worldStoreContract('in memory', async () => ({ store: new MemoryWorldStore(), close: async () => {} }))
