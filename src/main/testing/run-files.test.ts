import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

test('what passed, failed and was left out is counted, a whole suite that is left out too', () => {
  const folder = mkdtempSync(join(tmpdir(), 'edgehold-run-files-'))
  try {
    const file = join(folder, 'sample.test.mjs')
    writeFileSync(file, `
      import { suite, test } from 'node:test'
      test('good', () => {})
      test('bad', () => { throw new Error('no') })
      test('later', { skip: 'it needs root' }, () => {})
      suite('a world', { skip: 'the components are missing' }, () => { test('inside', () => {}) })
      suite('another', () => { test('inside', () => {}) })`)
    const counts = join(folder, 'counts.json')
    // A test runner below a test runner would report to the upper one.
    const { NODE_TEST_CONTEXT: _context, ...env } = process.env
    spawnSync(process.execPath, [join(import.meta.dirname, 'run-files.ts'), counts, 'process', '2', file], { env, timeout: 30_000 })
    const { passed, failed, skipped, leftOut } = JSON.parse(readFileSync(counts, 'utf8')) as Record<string, unknown>
    assert.deepEqual({ passed, failed, skipped, leftOut }, { passed: 2, failed: 1, skipped: 2, leftOut: ['later: it needs root', 'a world: the components are missing'] })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
