import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { readFile, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'

import { StoreUnavailable } from '#ports/store.ts'
import { addCluster, NOON, SCOPE } from '#test/harness/sample-records.ts'
import { until } from '#test/harness/waiting.ts'
import { openStore, type OpenStore } from './open.ts'
import { findPostmaster } from './postgres/postmaster.ts'
import { CLOCK, SILENT } from './testing/scratch-postgres.ts'

const PAGE = { number: 1, size: 1 }

describe('our own PostgreSQL', () => {
  const folders: string[] = []
  const opened: OpenStore[] = []
  const children: ChildProcess[] = []
  after(async () => {
    for (const child of children) child.kill('SIGKILL')
    for (const store of opened) await store.close()
    for (const store of opened) await store.stopDatabase()
    for (const folder of folders) await rm(folder, { recursive: true, force: true })
  })
  const stateFolder = async () => {
    const folder = await mkdtemp(join(tmpdir(), 'edgehold-life-'))
    folders.push(folder)
    return folder
  }
  let template: Promise<string> | undefined
  /** A folder whose database was made already, as a copy: making one takes seconds on a busy machine. */
  const readyFolder = async () => {
    template ??= (async () => {
      const made = await stateFolder()
      const store = await openStore({ stateDir: made, log: SILENT, clock: CLOCK })
      await store.close()
      await store.stopDatabase()
      return made
    })()
    const copy = await stateFolder()
    await run('cp', ['-a', `${await template}/.`, copy])
    return copy
  }
  const open = async (stateDir: string) => {
    const store = await openStore({ stateDir, log: SILENT, clock: CLOCK })
    opened.push(store)
    return store
  }
  const postmasterOf = async (stateDir: string) => {
    const found = await findPostmaster(join(stateDir, 'postgres', 'data'))
    assert.ok(found, 'no postmaster runs')
    return found
  }

  test('what was acknowledged survives kill -9 of PostgreSQL in the middle of writes, and it comes back by itself', async () => {
    const stateDir = await readyFolder()
    const { store, queue } = await open(stateDir)
    const acknowledged: string[] = []
    let unavailable = 0
    let writing = true
    const writer = async (letter: string) => {
      for (let number = 0; writing; number++) {
        const name = `${letter}${number}`
        try {
          await store.write(NOON, async tx => {
            await addCluster(tx, name)
            await tx.enqueue({ kind: 'cluster', id: `c-${name}`, region: SCOPE.region })
          })
          acknowledged.push(`c-${name}`)
        } catch (error) {
          assert.ok(error instanceof StoreUnavailable, String(error))
          unavailable += 1
          await CLOCK.sleep(20)
        }
      }
    }
    const writers = ['a', 'b', 'c', 'd'].map(writer)
    for (let round = 0; round < 2; round++) {
      const before = acknowledged.length
      await until(() => acknowledged.length > before + 20, 20_000)
      const killedAt = Date.now()
      const { pid } = await postmasterOf(stateDir)
      process.kill(pid, 'SIGKILL')
      // Its backends go on for a moment without it, and may still acknowledge what they have begun.
      await until(async () => ![undefined, pid].includes((await findPostmaster(join(stateDir, 'postgres', 'data')))?.pid), 20_000)
      const then = acknowledged.length
      await until(() => acknowledged.length > then + 5, 20_000)
      assert.ok(Date.now() - killedAt < 10_000, `it took ${Date.now() - killedAt} ms to come back`)
    }
    writing = false
    await Promise.all(writers)
    assert.ok(unavailable > 0, 'the kill hit nobody')
    const found = new Set((await store.clustersOfRegion(SCOPE.region)).map(cluster => cluster.id))
    assert.deepEqual(acknowledged.filter(id => !found.has(id)), [])
    const lease = await queue.register({ name: 'counter', hosts: [], ttlMs: 10_000 })
    const queued = new Set((await queue.claim(lease, { limit: 100_000, now: () => NOON, realNow: NOON })).map(work => work.id))
    assert.deepEqual([...found].filter(id => !queued.has(id)), [], 'a record and its key are one')
    assert.equal((await store.listHistory(SCOPE, {}, PAGE)).totalCount, found.size, 'a record and its history are one')
    await lease.release()
  })

  test('a running server is adopted, by processes one after another and at once', async () => {
    const stateDir = await readyFolder()
    const first = await open(stateDir)
    const { pid } = await postmasterOf(stateDir)
    await first.close()
    const [second] = await Promise.all([open(stateDir), open(stateDir)])
    assert.equal((await postmasterOf(stateDir)).pid, pid)
    await second.ready()
  })

  test('two that start the same new folder at once agree on one server', async () => {
    const stateDir = await stateFolder()
    const [one, other] = await Promise.all([open(stateDir), open(stateDir)])
    await one.store.write(NOON, tx => addCluster(tx, 'agreed'))
    assert.equal((await other.store.findCluster('c-agreed'))?.spec.name, 'agreed')
  })

  test('a pid file of a dead server, or of another program, does not keep it from starting', async () => {
    const stateDir = await readyFolder()
    const store = await open(stateDir)
    await store.close()
    await store.stopDatabase()
    const other = spawn('sleep', ['60'])
    children.push(other)
    for (const pid of [999_999, other.pid]) {
      await writeFile(join(stateDir, 'postgres', 'data', 'postmaster.pid'), `${pid}\n${join(stateDir, 'postgres', 'data')}\n1\n5432\n\n\n\nready   \n`)
      const again = await open(stateDir)
      await again.ready()
      await again.close()
      await again.stopDatabase()
    }
  })

  test('two state folders live side by side', async () => {
    const [one, other] = [await readyFolder(), await readyFolder()]
    const [a, b] = await Promise.all([open(one), open(other)])
    await a.store.write(NOON, tx => addCluster(tx, 'mine'))
    assert.equal(await b.store.findCluster('c-mine'), undefined)
    assert.notEqual((await postmasterOf(one)).pid, (await postmasterOf(other)).pid)
    process.kill((await postmasterOf(one)).pid, 'SIGKILL')
    await b.ready()
  })

  test('secrets and modes: nothing of the state folder is readable by others, and nothing secret is in the database as it is', async () => {
    const stateDir = await readyFolder()
    const { store, ...rest } = await open(stateDir)
    const modes = await Promise.all(['', 'secrets', 'secrets/master.key', 'secrets/postgres.password', 'postgres/data'].map(async path => ((await stat(join(stateDir, path))).mode & 0o777).toString(8)))
    assert.deepEqual(modes, ['711', '700', '600', '600', '700'])
    await store.write(NOON, async tx => {
      await tx.putSecret('cluster/x/pki', 'PLAINTEXT-SECRET')
      await tx.insertAccount({ id: 'a', accessKeyId: 'AK', secret: 'PLAINTEXT-SECRET', name: 'main' })
    })
    assert.deepEqual([await store.readSecret('cluster/x/pki'), (await store.findAccessKey('AK'))?.secret], ['PLAINTEXT-SECRET', 'PLAINTEXT-SECRET'])
    await rest.close()
    await rest.stopDatabase()
    const { stdout } = await run('grep', ['-rlc', 'PLAINTEXT-SECRET', join(stateDir, 'postgres')])
    assert.equal(stdout, '')
    await writeFile(join(stateDir, 'secrets', 'master.key'), `${Buffer.alloc(32).toString('base64')}\n`)
    const wrong = await open(stateDir)
    await assert.rejects(wrong.store.readSecret('cluster/x/pki'), /master key/)
  })

  test('what cannot be is said in a sentence', async () => {
    const stateDir = await readyFolder()
    await assert.rejects(openStore({ stateDir, masterKey: 'short', log: SILENT, clock: CLOCK }), /base64 form of 32 bytes/)
    await assert.rejects(openStore({ stateDir, databaseUrl: 'postgresql://nobody@127.0.0.1:1/none', log: SILENT, clock: CLOCK }), StoreUnavailable)
    const store = await open(stateDir)
    await store.close()
    await store.stopDatabase()
    const version = join(stateDir, 'postgres', 'data', 'PG_VERSION')
    const kept = await readFile(version, 'utf8')
    await writeFile(version, '14\n')
    await assert.rejects(openStore({ stateDir, log: SILENT, clock: CLOCK }), /is of PostgreSQL 14/)
    await writeFile(version, kept)
  })
})

async function run(command: string, args: readonly string[]): Promise<{ stdout: string }> {
  const child = spawn(command, args)
  let stdout = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  await new Promise(resolve => child.once('close', resolve))
  return { stdout }
}
