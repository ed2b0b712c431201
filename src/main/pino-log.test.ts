import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import { until } from '#test/harness/waiting.ts'
import { pinoLog } from './pino-log.ts'

const LARGEST = 4_000, LONGEST_LINE = 200
/** The files of two logs. */
const STILL_WRITTEN_TO = 2

test('a log that has grown large begins anew, one old one is kept, and no line is lost or cut', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'edgehold-log-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'log', 'server.log')
  const numbersIn = (file: string) => readFileSync(file, 'utf8').trimEnd().split('\n').map(line => (JSON.parse(line) as { number: number }).number)
  let number = 0
  // The second life of the server goes on with the file of the first.
  for (const lines of [25, 2_000]) {
    const log = pinoLog({ path, largestBytes: LARGEST }, 'info')
    for (let line = 0; line < lines; line++) {
      log.info({ number: number++ }, 'A line of the log')
      if (line % 10 === 0) await turnOfTheLoop()
    }
    await turnOfTheLoop()
    const files = readdirSync(join(folder, 'log'))
    assert.deepEqual(files, lines === 25 ? ['server.log'] : ['server.log', 'server.log.1'])
    for (const file of files) assert.ok(statSync(join(folder, 'log', file)).size <= LARGEST + LONGEST_LINE, file)
  }
  const kept = [...numbersIn(`${path}.1`), ...numbersIn(path)]
  assert.deepEqual(kept, Array.from({ length: kept.length }, (_, index) => number - kept.length + index), 'the newest lines, in order')
  assert.ok(kept.length > LARGEST / LONGEST_LINE)
  // Other tests of this process have files of their own. What is left is closed on a thread beside this one, which others may keep busy.
  const open = () => readdirSync('/proc/self/fd').filter(file => targetOf(`/proc/self/fd/${file}`).startsWith(folder)).length
  await until(() => open() <= STILL_WRITTEN_TO, 60_000)
  assert.ok(open() > 0)
})

/** Nothing for one that was closed meanwhile. */
function targetOf(link: string): string {
  try {
    return readlinkSync(link)
  } catch {
    return ''
  }
}
