import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import { prepareSocketFolder, removeSocketFolder } from './state-folder.ts'

/** Of so many rounds some meet between the making of the shared folder and that of the one in it. */
const ROUNDS = 200
const MOST_TURNS = 8
const OPEN = 0o711

describe('the folder in which installations have their sockets', { skip: process.getuid?.() !== 0 && 'only where the server is root does PostgreSQL run as another user, and have a socket' }, () => {
  let home = ''
  before(async () => { home = await mkdtemp(join(tmpdir(), 'edgehold-sockets-')) })
  after(() => rm(home, { recursive: true, force: true }))
  const modeOf = async (path: string) => (await stat(path)).mode & 0o777

  test('is open to its user, and the own one is his alone, whoever made it closed before', async () => {
    const shared = join(home, 'closed'), socket = join(shared, '0123456789abcdef')
    await mkdir(shared, { mode: 0o700 })
    await prepareSocketFolder({ socket })
    assert.deepEqual([await modeOf(shared), await modeOf(socket)], [OPEN, 0o700])
    assert.notEqual((await stat(socket)).uid, 0)
  })

  test('is open to its user also where another installation that stops takes it away in the middle of a start', async () => {
    const shared = join(home, 'run'), socket = join(shared, '0123456789abcdef')
    for (let round = 1; round <= ROUNDS; round++) {
      let isPrepared = false
      await Promise.all([
        prepareSocketFolder({ socket }).finally(() => { isPrepared = true }),
        // As a stop does: what is in use stays. It is now sooner, now later than each step of the start, also where one thread does the work of both in turn.
        (async () => {
          for (let tries = 1; !isPrepared; tries++) {
            await rmdir(shared).catch(() => undefined)
            for (let turn = 0; turn < tries % MOST_TURNS; turn++) await turnOfTheLoop()
          }
        })(),
      ])
      assert.deepEqual([round, await modeOf(shared)], [round, OPEN])
      await rm(shared, { recursive: true })
    }
  })
})

describe('the folder of a socket goes with its server', () => {
  let home = ''
  before(async () => { home = await mkdtemp(join(tmpdir(), 'edgehold-sockets-')) })
  after(() => rm(home, { recursive: true, force: true }))

  async function folders(name: string, holds: readonly string[]): Promise<{ data: string; socket: string }> {
    const data = join(home, `data-${name}`), socket = join(home, `run-${name}`, 'own')
    await mkdir(data)
    await mkdir(socket, { recursive: true })
    for (const file of holds) await writeFile(join(socket, file), '')
    return { data, socket }
  }

  test('empty or with what a server left that was killed, and the shared one with the last of them', async () => {
    for (const [name, holds] of [['empty', []], ['killed', ['.s.PGSQL.5432', '.s.PGSQL.5432.lock']]] as const) {
      const made = await folders(name, holds)
      await removeSocketFolder(made)
      await removeSocketFolder(made)
      assert.equal((await readdir(home)).includes(`run-${name}`), false)
    }
  })

  test('but stays where somebody has started a server on the same data meanwhile', async () => {
    const made = await folders('anew', ['.s.PGSQL.5432'])
    const server = spawn(process.execPath, ['-e', 'process.stdin.resume()', made.data], { stdio: ['pipe', 'ignore', 'ignore'] })
    try {
      await once(server, 'spawn')
      await writeFile(join(made.data, 'postmaster.pid'), `${server.pid}\n${made.data}\n`)
      await removeSocketFolder(made)
      assert.deepEqual(await readdir(made.socket), ['.s.PGSQL.5432'])
    } finally {
      const ended = once(server, 'exit')
      server.stdin.end()
      await ended
    }
  })
})
