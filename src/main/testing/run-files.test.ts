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
    spawnSync(process.execPath, [join(import.meta.dirname, 'run-files.ts'), counts, 'process', '2', '1', file], { env, timeout: 30_000 })
    const { passed, failed, skipped, leftOut } = JSON.parse(readFileSync(counts, 'utf8')) as Record<string, unknown>
    assert.deepEqual({ passed, failed, skipped, leftOut }, { passed: 2, failed: 1, skipped: 2, leftOut: ['later: it needs root', 'a world: the components are missing'] })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('a test that waits for ever, and a file that does not end, fail by name, and hold nobody up', () => {
  const folder = mkdtempSync(join(tmpdir(), 'edgehold-run-files-'))
  try {
    const file = (name: string, text: string) => {
      writeFileSync(join(folder, name), `import { after, before, test } from 'node:test'\n${text}`)
      return join(folder, name)
    }
    const counts = join(folder, 'counts.json'), never = 'await new Promise(resolve => setTimeout(resolve, 1e9))'
    const files = [
      file('a.test.mjs', `test('waits', async () => { ${never} })\ntest('goes on', () => {})`),
      file('b.test.mjs', `after(async () => { ${never} })\ntest('is good, but its hook', () => {})`),
      file('c.test.mjs', `test('is good, but its timer', () => { setInterval(() => {}, 1000) })`),
      file('d.test.mjs', `test('stands behind them', () => {})`),
    ]
    const { NODE_TEST_CONTEXT: _context, ...env } = process.env
    const { stderr, stdout } = spawnSync(process.execPath, [join(import.meta.dirname, 'run-files.ts'), counts, 'process', '4', '0.05', ...files], { env, timeout: 60_000, encoding: 'utf8' })
    const { passed, failures } = JSON.parse(readFileSync(counts, 'utf8')) as { passed: number, failures: string[] }
    for (const name of ['goes on', 'stands behind them']) assert.match(stdout, new RegExp(`✔ ${name}`))
    assert.ok(failures.some(failure => failure.endsWith('a.test.mjs: waits')), failures.join('\n'))
    for (const name of ['a', 'b', 'c']) assert.ok(failures.some(failure => failure.includes(`${name}.test.mjs`)), failures.join('\n'))
    assert.ok(!failures.some(failure => failure.includes('d.test.mjs')), failures.join('\n'))
    assert.equal(passed, 4)
    assert.match(`${stdout}${stderr}`, /c\.test\.mjs has not ended after 3750 ms; what is there still: .*Timeout/)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('files that share one process end though one of them leaves something behind, with what has passed and failed until then', () => {
  const folder = mkdtempSync(join(tmpdir(), 'edgehold-run-files-'))
  try {
    const counts = join(folder, 'counts.json'), file = join(folder, 'a.test.mjs')
    writeFileSync(file, `import { test } from 'node:test'\ntest('waits', async () => { await new Promise(resolve => setTimeout(resolve, 1e9)) })\ntest('goes on', () => {})`)
    const { NODE_TEST_CONTEXT: _context, ...env } = process.env
    const { status } = spawnSync(process.execPath, [join(import.meta.dirname, 'run-files.ts'), counts, 'shared', '1', '0.02', file], { env, timeout: 60_000, encoding: 'utf8' })
    const { passed, failed, failures } = JSON.parse(readFileSync(counts, 'utf8')) as { passed: number, failed: number, failures: string[] }
    assert.deepEqual([status, passed, failed], [1, 1, 2])
    assert.match(failures.join('\n'), /: waits\nnothing has ended for 1500 ms; what is there still: .*Timeout/)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
