import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'

const SCRIPT = join(import.meta.dirname, 'script')

/** What lies in the folders with common names after an install and a reset, `made` being what the install put there. */
function afterReset(found: readonly string[], made: readonly string[]): string[] {
  const root = mkdtempSync(join(tmpdir(), 'edgehold-shared-'))
  const put = (path: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), '')
  }
  const run = (parts: readonly string[], command: string): unknown => execFileSync('sh', ['-uc', [
    ...parts.map(part => `. ${SCRIPT}/${part}.sh`),
    `EH_SHARED='${root}/kubelet ${root}/pods' EH_ETC='${root}/etc' EH_FOUND='${root}/etc/found-before'`, command,
  ].join('\n')])
  try {
    put('etc/node.conf')
    for (const path of found) put(path)
    run(['common', 'install'], 'remember_found')
    for (const path of made) put(path)
    run(['common', 'install'], 'remember_found') // the script run again
    run(['common', 'reset'], 'empty_shared')
    return readdirSync(root, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name).slice(root.length + 1)).filter(path => !path.startsWith('etc/')).toSorted()
      .concat(readdirSync(root).filter(name => name !== 'etc'))
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

test('a reset takes from folders with common names what came with us, and they themselves', () => {
  assert.deepEqual(afterReset([], ['kubelet/pods/p1/volume/file', 'kubelet/cpu_manager_state', 'pods/default_web_1/web/0.log']), [])
})

test('a reset leaves what was there before, and our own beside it goes', () => {
  assert.deepEqual(
    afterReset(['kubelet/pods/other/file', 'kubelet/plugins/theirs.sock', 'pods/other_web_1/web/0.log'], ['kubelet/pods/p1/file', 'kubelet/plugins_registry/x', 'kubelet/plugins/ours', 'pods/default_web_1/web/0.log']),
    ['kubelet/plugins/theirs.sock', 'kubelet/pods/other/file', 'pods/other_web_1/web/0.log', 'kubelet', 'pods'],
  )
})
