import { quotasContract } from '#ports/quotas.contract.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { quotasInRecords } from '#test/harness/quotas-in-records.ts'

quotasContract('among the records, in memory', async () => quotasInRecords({ store: new MemoryStore(), close: async () => {} }))
