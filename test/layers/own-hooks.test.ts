/** Files of a tier that shares one process share its top level as well: a hook there would run around every test of every file, and what it opens for others nobody closes. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { TIERS } from '#main/testing/tiers.ts'

const repository = join(import.meta.dirname, '../..')
const HOOK_OF_ALL = /^(?:beforeEach|afterEach)\(/m

test('hooks around each test stand in suites where files share a process', () => {
  const files = TIERS.filter(({ isolation }) => isolation === 'shared').flatMap(tier => globSync([...tier.files], { cwd: repository }))
  assert.ok(files.length > 100, 'the files are found')
  assert.deepEqual(files.filter(file => HOOK_OF_ALL.test(readFileSync(join(repository, file), 'utf8'))), [])
})
