import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { documents, generate } from './generate.ts'

test('the documents in docs/generated are what the tables say', async () => {
  assert.deepEqual(await generate(join(import.meta.dirname, '../../docs/generated'), true), [], 'run node src/main/generate.ts')
})

test('a difference is named, and writing mends it', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'generate-'))
  t.after(() => rm(folder, { recursive: true }))
  assert.deepEqual(await generate(folder, true), Object.keys(documents()))
  assert.deepEqual(await generate(folder, false), [])
  await writeFile(join(folder, 'errors.md'), 'old')
  assert.deepEqual(await generate(folder, true), ['errors.md'])
  assert.deepEqual((await readdir(folder)).toSorted(), Object.keys(documents()).toSorted())
})
