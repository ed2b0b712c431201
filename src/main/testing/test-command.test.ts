import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

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
