import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, rmdir, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import { prepareSocketFolder } from './state-folder.ts'

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
