import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { LONG_FILES, longestFirst } from './tiers.ts'

test('a tier runs without what only some of its tests wish for, and says so', () => {
  const repository = mkdtempSync(join(tmpdir(), 'edgehold-test-command-'))
  try {
    mkdirSync(join(repository, 'src/main'), { recursive: true })
    symlinkSync(import.meta.dirname, join(repository, 'src/main/testing'))
    writeFileSync(join(repository, 'src/one.pg.test.ts'), "import { test } from 'node:test'\ntest('one', () => {})\n")
    const { NODE_TEST_CONTEXT: _context, ...env } = process.env
    const command = `
      import { testCommand } from '${join(import.meta.dirname, 'test-command.ts')}'
      process.exitCode = await testCommand(['store'], { repository: '${repository}', bring: async need => need === 'postgresql-15' ? 'it cannot be had' : undefined })`
    const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', command], { env, timeout: 60_000, encoding: 'utf8' })
    assert.match(stdout, /Left out:\n {2}store: what needs it: it cannot be had\n/)
    assert.match(stdout, /\n1 passed, 0 failed\n$/)
    assert.equal(status, 0)
  } finally {
    rmSync(repository, { recursive: true, force: true })
  }
})

test('a tier that takes only what processor time others leave is as nice as can be', () => {
  const repository = mkdtempSync(join(tmpdir(), 'edgehold-test-command-'))
  try {
    for (const folder of ['src/main', 'test/model-based']) mkdirSync(join(repository, folder), { recursive: true })
    symlinkSync(import.meta.dirname, join(repository, 'src/main/testing'))
    writeFileSync(join(repository, 'test/model-based/nice.test.ts'), "import { test } from 'node:test'\nimport { getPriority } from 'node:os'\ntest('nice', () => { if (getPriority() !== 19) throw new Error(String(getPriority())) })\n")
    const { NODE_TEST_CONTEXT: _context, ...env } = process.env
    const command = `
      import { testCommand } from '${join(import.meta.dirname, 'test-command.ts')}'
      process.exitCode = await testCommand(['model'], { repository: '${repository}', bring: async () => undefined })`
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', command], { env, timeout: 60_000, encoding: 'utf8' })
    assert.match(stdout, /\n1 passed, 0 failed\n$/)
  } finally {
    rmSync(repository, { recursive: true, force: true })
  }
})

test('a tier that runs beside others ends with them: it is counted, and what it printed comes in one piece', () => {
  const repository = mkdtempSync(join(tmpdir(), 'edgehold-test-command-'))
  try {
    for (const folder of ['src/main', 'test/real', 'test/scenarios']) mkdirSync(join(repository, folder), { recursive: true })
    symlinkSync(import.meta.dirname, join(repository, 'src/main/testing'))
    const testFile = (name: string, body: string) => `import { test } from 'node:test'\ntest('${name}', async () => {\n  console.log('${name} begins')\n  ${body}\n  console.log('${name} ends')\n})\n`
    const wait = (path: string) => `const { existsSync } = await import('node:fs'); while (!existsSync('${path}')) await new Promise(resolve => setTimeout(resolve, 20))`
    const mark = (path: string) => `;(await import('node:fs')).writeFileSync('${path}', '')`
    const [one, two] = ['one', 'two'].map(name => join(repository, name)) as [string, string]
    // Each waits for the other, so they come to their ends only together.
    writeFileSync(join(repository, 'test/real/virtual-machine.test.ts'), testFile('elsewhere', `${mark(one)}; ${wait(two)}; throw new Error('it broke')`))
    writeFileSync(join(repository, 'test/scenarios/some.test.ts'), testFile('here', `${mark(two)}; ${wait(one)}`))
    const { NODE_TEST_CONTEXT: _context, ...env } = process.env
    const command = `
      import { testCommand } from '${join(import.meta.dirname, 'test-command.ts')}'
      process.exitCode = await testCommand(['virtual-machine', 'scenarios'], { repository: '${repository}', bring: async () => undefined })`
    const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', command], { env, timeout: 60_000, encoding: 'utf8' })
    assert.match(stdout, /\n-- virtual-machine begins, beside those that follow\n[^]*\n== virtual-machine: [^\n]*\nelsewhere begins\n/)
    assert.match(stdout, /\nFailed:\n {2}.*virtual-machine\.test\.ts: elsewhere\n/)
    assert.match(stdout, /\n1 passed, 1 failed\n$/)
    assert.equal(status, 1)
    // One that is to be alone begins when those beside it have ended.
    writeFileSync(join(repository, 'test/real/some.test.ts'), testFile('alone', `if (!(await import('node:fs')).existsSync('${join(repository, 'ended')}')) throw new Error('it is not')`))
    writeFileSync(join(repository, 'test/real/virtual-machine.test.ts'), testFile('elsewhere', `await new Promise(resolve => setTimeout(resolve, 500)); ${mark(join(repository, 'ended'))}`))
    const { stdout: last } = spawnSync(process.execPath, ['--input-type=module', '-e', command.replace('scenarios', 'real')], { env, timeout: 60_000, encoding: 'utf8' })
    assert.match(last, /\n2 passed, 0 failed\n$/)
  } finally {
    rmSync(repository, { recursive: true, force: true })
  }
})

test('those that need the host for themselves and follow each other run as one', () => {
  const repository = mkdtempSync(join(tmpdir(), 'edgehold-test-command-'))
  try {
    for (const folder of ['src/main', 'test/real', 'test/e2e']) mkdirSync(join(repository, folder), { recursive: true })
    symlinkSync(import.meta.dirname, join(repository, 'src/main/testing'))
    // Each waits for the other.
    const testFile = (name: string, other: string) => `import { test } from 'node:test'\nimport { existsSync, writeFileSync } from 'node:fs'\ntest('${name}', async () => {\n  writeFileSync('${join(repository, name)}', '')\n  while (!existsSync('${join(repository, other)}')) await new Promise(resolve => setTimeout(resolve, 20))\n})\n`
    writeFileSync(join(repository, 'test/real/some.test.ts'), testFile('one', 'two'))
    writeFileSync(join(repository, 'test/e2e/some.test.ts'), testFile('two', 'one'))
    const { NODE_TEST_CONTEXT: _context, ...env } = process.env
    const command = `
      import { testCommand } from '${join(import.meta.dirname, 'test-command.ts')}'
      process.exitCode = await testCommand(['real', 'e2e'], { repository: '${repository}', bring: async () => undefined })`
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', command], { env, timeout: 60_000, encoding: 'utf8' })
    assert.match(stdout, /\n== real\+e2e: /)
    assert.match(stdout, /\n2 passed, 0 failed\n$/)
  } finally {
    rmSync(repository, { recursive: true, force: true })
  }
})

test('files that take long are begun first, the longest of them before the others', () => {
  const [longest = '', long = ''] = LONG_FILES
  assert.deepEqual(longestFirst(['test/a.test.ts', long, 'test/b.test.ts', longest]), [longest, long, 'test/a.test.ts', 'test/b.test.ts'])
})

test('the files that are said to take long are there', () => {
  for (const file of LONG_FILES) assert.ok(existsSync(join(import.meta.dirname, '../../..', file)), file)
})
