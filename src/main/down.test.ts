import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { removeRunFolder } from './down.ts'

test('what runs of an installation goes with its folder, and the folder that such ones share with the last of them; a state folder, which may lie in somebody else\'s, is not touched', t => {
  const root = mkdtempSync(join(tmpdir(), 'edgehold-down-')), shared = join(root, 'run'), state = join(root, 'state')
  t.after(() => rmSync(root, { recursive: true }))
  for (const folder of [join(shared, 'one', 'clusters'), join(shared, 'other'), join(state, 'run')]) mkdirSync(folder, { recursive: true })

  removeRunFolder(join(state, 'run'), shared)
  assert.deepEqual([existsSync(join(state, 'run')), existsSync(state)], [false, true])
  removeRunFolder(join(shared, 'one'), shared)
  assert.deepEqual([existsSync(join(shared, 'one')), existsSync(join(shared, 'other'))], [false, true])
  removeRunFolder(join(shared, 'other'), shared)
  removeRunFolder(join(shared, 'other'), shared)
  assert.equal(existsSync(shared), false)
})
