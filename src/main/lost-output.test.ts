import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { unheard } from '#test/harness/unheard.ts'

const commandLine = join(import.meta.dirname, '../cli/edgehold.ts'), serverCommands = join(import.meta.dirname, 'edgehold.ts')
const folder = mkdtempSync(join(tmpdir(), 'edgehold-lost-output-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const env = { PATH: process.env['PATH'], EDGEHOLD_STATE: join(folder, 'state') }

test('who pipes what a command says into one that stops reading, as head does, is told nothing on standard error', async () => {
  assert.deepEqual(await unheard([commandLine, '--help'], env), { code: 141, errors: '' }, 'as a shell says of other tools that were ended so')
  for (const words of [['--help'], ['demo', '--story', 'list'], ['components', 'list', '--output', 'json']]) {
    const { code, errors } = await unheard([serverCommands, ...words], env)
    // What is missing of the components is told where somebody hears it still.
    assert.deepEqual([code === 0 || words[0] === 'components', errors.replace(/^\d+ of \d+ are missing; .*\n$/, '')], [true, ''], words.join(' '))
  }
})

test('what cannot be written for another cause is told in a sentence', async () => {
  for (const entry of [commandLine, serverCommands]) {
    const child = spawn(process.execPath, [entry, '--help'], { env, stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'] })
    let errors = ''
    child.stderr?.on('data', (chunk: Buffer) => { errors += chunk.toString() })
    const [code] = await once(child, 'close') as [number]
    assert.equal(code, 1)
    assert.match(errors, /^edgehold: what it says could not be written: ENOSPC[^\n]*\n$/)
  }
})

test('tests whose output nobody reads come to the end of their tier, so that they tidy up, and none of the next one begins', async () => {
  for (const name of ['test/layers', 'test/stories']) mkdirSync(join(folder, name), { recursive: true })
  mkdirSync(join(folder, 'src/main'), { recursive: true })
  symlinkSync(join(import.meta.dirname, 'testing'), join(folder, 'src/main/testing'))
  const [first, second] = ['first', 'second'].map(name => join(folder, name)) as [string, string]
  // More than what is read ahead.
  writeFileSync(join(folder, 'test/layers/a.test.ts'), `import { after, test } from 'node:test'\nimport { writeFileSync } from 'node:fs'\nfor (let i = 0; i < 500; i++) test(String(i).padStart(1000, '-'), () => {})\nafter(() => writeFileSync('${first}', ''))\n`)
  writeFileSync(join(folder, 'test/stories/b.test.ts'), `import { test } from 'node:test'\nimport { writeFileSync } from 'node:fs'\ntest('second', () => writeFileSync('${second}', ''))\n`)
  const command = join(folder, 'command.ts')
  writeFileSync(command, `
    import { whenOutputEnds } from '${join(import.meta.dirname, '../client/outputs.ts')}'
    import { testCommand } from '${join(import.meta.dirname, 'testing/test-command.ts')}'
    const reader = new AbortController()
    whenOutputEnds([process.stdout, process.stderr], { left: () => reader.abort(), failed(error) { throw error } })
    process.exitCode = await testCommand(['layers', 'stories'], { repository: '${folder}', left: reader.signal, bring: async () => undefined })`)
  assert.deepEqual(await unheard([command], env), { code: 141, errors: '' })
  assert.deepEqual([existsSync(first), existsSync(second)], [true, false])
})
