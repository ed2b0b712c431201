/** The command of keys as people run it, on a state folder of its own whose server does not run. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { openStore, type OpenStore } from '#store/open.ts'
import { findPostmaster } from '#store/postgres/postmaster.ts'
import { CLOCK, SILENT } from '#store/testing/scratch-postgres.ts'
import { repository, runProgram, type Ended } from '#test/harness/command.ts'
import { ensureAccount } from './account.ts'

interface Shown { readonly AccessKeyId: string; readonly AccountId: string; readonly Administrator: boolean; readonly CreatedAt: string }

describe('edgehold key', () => {
  const state = mkdtempSync(join(tmpdir(), 'edgehold-key-'))
  let opened: OpenStore, first: string
  const run = (...args: readonly string[]): Promise<Ended> => runProgram(process.execPath, [join(repository, 'src/main/edgehold.ts'), 'key', ...args], { environment: { PATH: process.env['PATH'], EDGEHOLD_STATE: state } })
  const list = async (): Promise<readonly Shown[]> => JSON.parse((await run('list', '--output', 'json')).stdout) as readonly Shown[]
  before(async () => { opened = await openStore({ stateDir: state, log: SILENT, clock: CLOCK }) })
  after(async () => {
    await opened.close()
    await opened.stopDatabase()
    rmSync(state, { recursive: true, force: true })
  })

  test('where there was no start yet there are no keys, in a sentence', async () => {
    const { code, stderr } = await run('list')
    assert.deepEqual([code, /There are no keys yet for .*; \.\/edgehold up makes the first one\./.test(stderr)], [1, true])
    first = (await ensureAccount(opened.store, state, { endpoint: 'http://127.0.0.1:7420', region: 'sim-1', now: Date.now() })).AccessKeyId
  })

  test('the first key is the administrator\'s, another one only where that is asked for', async () => {
    const made = JSON.parse((await run('create', '--output', 'json')).stdout) as Shown & { readonly SecretAccessKey: string }
    const chief = /^VOLCENGINE_ACCESS_KEY=(AKLT[0-9A-F]{32})\nVOLCENGINE_SECRET_KEY=\S{40}\n$/.exec((await run('create', '--administrator')).stdout)?.[1]
    const keys = await list()
    assert.deepEqual(keys.map(({ AccessKeyId, Administrator }) => [AccessKeyId, Administrator]), [[first, true], [made.AccessKeyId, false], [chief, true]])
    assert.equal(new Set(keys.map(({ AccountId }) => AccountId)).size, 1)
    assert.deepEqual(await opened.store.findAccessKey(made.AccessKeyId), { accountId: keys[0]?.AccountId, secret: made.SecretAccessKey })
    assert.match((await run('list')).stdout, new RegExp(`^${first}  \\d{10}  administrator  20\\S+Z\n${made.AccessKeyId}  \\d{10}  user           20`))
  })

  test('it is said of a key that there is, and taken away again', async () => {
    const clerk = (await list())[1]?.AccessKeyId ?? ''
    assert.match((await run('set', clerk, 'administrator')).stderr, /is an administrator's/)
    assert.equal((await list())[1]?.Administrator, true)
    assert.match((await run('set', clerk, 'user')).stderr, /is no administrator's/)
    assert.equal((await list())[1]?.Administrator, false)
    const [unknown, odd] = [await run('set', 'AKLTNOBODY', 'administrator'), await run('set', clerk, 'king')]
    assert.deepEqual([unknown.code, /There is no key AKLTNOBODY/.test(unknown.stderr), odd.code], [1, true, 2])
  })

  test('a database that did not run is started, and left to whoever uses it by then', async () => {
    await opened.close()
    await opened.stopDatabase()
    for (const keys of await Promise.all([list(), list(), list()])) assert.equal(keys.length, 3)
    assert.notEqual(await findPostmaster(join(state, 'postgres', 'data')), undefined)
    opened = await openStore({ stateDir: state, log: SILENT, clock: CLOCK })
  })

  test('a database of an older version is refused, and stays as it is', async () => {
    const [last] = await opened.query<{ number: number; name: string }>('delete from migration where number = (select max(number) from migration) returning number, name')
    const { code, stderr } = await run('list')
    assert.deepEqual([code, /The database is of an older version of Edgehold; \.\/edgehold up brings it up to date/.test(stderr)], [1, true], stderr)
    await opened.query('insert into migration (number, name) values ($1, $2)', [last?.number, last?.name])
    assert.equal((await list()).length, 3)
  })
})
