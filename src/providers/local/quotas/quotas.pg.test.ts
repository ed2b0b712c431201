import { after } from 'node:test'
import { quotasContract } from '#ports/quotas.contract.ts'
import { debianBinaries, scratchPostgres } from '#store/testing/scratch-postgres.ts'
import { quotasInRecords } from '#test/harness/quotas-in-records.ts'

const debian = await debianBinaries()
for (const [name, binaries] of [['embedded PostgreSQL', undefined], ...(debian ? [['Debian\'s PostgreSQL 15', debian] as const] : [])] as const) {
  let postgres: ReturnType<typeof scratchPostgres> | undefined
  quotasContract(`among the records, on ${name}`, async () => quotasInRecords(await (await (postgres ??= scratchPostgres(binaries))).openCopy()))
  after(async () => (await postgres)?.end())
}
