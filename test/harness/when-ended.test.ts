import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { until } from './waiting.ts'

describe('what a test makes outside of its process', () => {
  const folder = mkdtempSync(join(tmpdir(), 'edgehold-when-ended-'))
  after(() => { rmSync(folder, { recursive: true, force: true }) })

  /** A process that makes two things and dismisses the second one's end; `last` is what it does then. */
  const made = async (name: string, last: string) => {
    const [kept, dismissed, done] = ['kept', 'dismissed', 'done'].map(each => join(folder, `${name}-${each}`)) as [string, string, string]
    for (const file of [kept, dismissed]) writeFileSync(file, '')
    const script = `import { whenEnded } from '${join(import.meta.dirname, 'when-ended.ts')}'
      whenEnded('rm "$IT"', { ...process.env, IT: ${JSON.stringify(kept)} })
      whenEnded('rm "$IT"', { ...process.env, IT: ${JSON.stringify(dismissed)} }).dismiss()
      whenEnded('while [ -e "$FIRST" ]; do sleep 0.01; done; touch "$IT"', { ...process.env, FIRST: ${JSON.stringify(kept)}, IT: ${JSON.stringify(done)} })
      process.stdout.write('made'); ${last}`
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'], detached: true })
    const ended = once(child, 'exit')
    await once(child.stdout, 'data')
    return { child, ended, gone: async () => { await until(() => existsSync(done)); return [existsSync(kept), existsSync(dismissed)] } }
  }

  test('goes where that process is killed with all that it started, unless it went before', async () => {
    const { child, ended, gone } = await made('killed', 'setInterval(() => {}, 1_000)')
    process.kill(-(child.pid ?? assert.fail('it runs')), 'SIGKILL')
    await ended
    assert.deepEqual(await gone(), [false, true])
  })

  test('goes where that process ends and nothing else took it away; and it keeps no process from ending', async () => {
    const { ended, gone } = await made('ended', '')
    assert.deepEqual((await ended)[0], 0)
    assert.deepEqual(await gone(), [false, true])
  })
})
