import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { rememberKernelSettings, restoreKernelSettings } from './kernel-settings.ts'

test('what kubelets change on the whole kernel is as before when the last region has gone', async () => {
  const root = mkdtempSync(join(tmpdir(), 'edgehold-kernel-'))
  try {
    const places = { settings: join(root, 'sys'), before: join(root, 'run', 'before.json') }
    const set = (name: string, value: string): void => {
      mkdirSync(dirname(join(places.settings, name)), { recursive: true })
      writeFileSync(join(places.settings, name), value)
    }
    set('kernel/panic', '0\n')
    set('vm/overcommit_memory', '2\n')
    await rememberKernelSettings(places)
    set('kernel/panic', '10')
    await rememberKernelSettings(places) // a second region of the host
    await restoreKernelSettings(places)
    assert.equal(readFileSync(join(places.settings, 'kernel/panic'), 'utf8'), '0')
    assert.equal(readFileSync(join(places.settings, 'vm/overcommit_memory'), 'utf8'), '2\n')
    assert.equal(existsSync(places.before), false)
    set('kernel/panic', '5')
    await restoreKernelSettings(places) // nothing is remembered: nothing is touched
    assert.equal(readFileSync(join(places.settings, 'kernel/panic'), 'utf8'), '5')
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
})
