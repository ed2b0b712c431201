import { after } from 'node:test'

import { queueContract } from '#ports/queue.contract.ts'
import { storeHistoryContract } from '#ports/store-history.contract.ts'
import { storeAddonsContract } from '#ports/store-addons.contract.ts'
import { storeThingsContract } from '#ports/store-things.contract.ts'
import { storeContract } from '#ports/store.contract.ts'
import { debianBinaries, scratchPostgres, type ScratchPostgres } from './testing/scratch-postgres.ts'

const debian = await debianBinaries()
for (const [name, binaries] of [['embedded PostgreSQL', undefined], ...(debian ? [['Debian\'s PostgreSQL 15', debian] as const] : [])] as const) {
  let postgres: Promise<ScratchPostgres> | undefined
  const started = () => (postgres ??= scratchPostgres(binaries))
  for (const contract of [storeContract, storeThingsContract, storeAddonsContract, storeHistoryContract]) contract(name, async () => (await started()).openCopy())
  queueContract(name, async () => {
    const scratch = await started()
    const opened = await scratch.openCopy()
    return { ...opened, lapse: async lease => void (await scratch.run(opened.databaseUrl, `update lease set expires_at = now() - interval '1 second' where name = '${lease.name}'`)) }
  })
  after(async () => (await postgres)?.end())
}
