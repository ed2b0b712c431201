import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { storeWith } from '#ports/store-with.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { ensureAccount } from './account.ts'

const made: string[] = []
after(() => { for (const folder of made) rmSync(folder, { recursive: true, force: true }) })
function stateFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'edgehold-account-'))
  made.push(folder)
  return folder
}
const SERVES = { endpoint: 'http://127.0.0.1:7420', region: 'local-1', now: Date.UTC(2026, 10, 25, 12) }
const administrators = async (store: MemoryStore) => (await store.write(SERVES.now, tx => tx.accessKeys())).map(({ id, administrator }) => [id, administrator])

test('the first key of an installation is the administrator\'s, and stays so at every start', async () => {
  const store = new MemoryStore(), folder = stateFolder()
  const { AccessKeyId } = await ensureAccount(store, folder, SERVES)
  assert.equal((await ensureAccount(store, folder, { ...SERVES, endpoint: 'http://127.0.0.1:7421' })).AccessKeyId, AccessKeyId)
  assert.deepEqual(await administrators(store), [[AccessKeyId, true]])
})

test('that of another state folder on its database is not', async () => {
  const store = new MemoryStore()
  const [one, other] = [await ensureAccount(store, stateFolder(), SERVES), await ensureAccount(store, stateFolder(), SERVES)]
  assert.deepEqual(await administrators(store), [[one.AccessKeyId, true], [other.AccessKeyId, false]])
})

test('a start that was cut short before the database knew of the key ends with the same one', async () => {
  const store = new MemoryStore(), folder = stateFolder()
  await assert.rejects(ensureAccount(storeWith(store, () => ({ write: async () => { throw new Error('cut short') } })), folder, SERVES), /cut short/)
  const written = (JSON.parse(readFileSync(join(folder, 'credentials.json'), 'utf8')) as { AccessKeyId: string }).AccessKeyId
  await ensureAccount(store, folder, SERVES)
  assert.deepEqual(await administrators(store), [[written, true]])
})
