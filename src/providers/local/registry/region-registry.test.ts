import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Components } from '#ports/components.ts'
import { RegionRegistry } from './region-registry.ts'

test('what a push that was killed left is gone with its registry, and another registry’s is not', async () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'edgehold-state-'))
  const owner = createHash('sha256').update(join(stateDir, 'registry')).digest('hex').slice(0, 16)
  const own = mkdtempSync(join(tmpdir(), `edgehold-registry-${owner}-`))
  const other = mkdtempSync(join(tmpdir(), 'edgehold-registry-0123456789abcdef-'))
  try {
    await new RegionRegistry({ stateDir, listenHost: '127.0.0.1', port: 1, components: {} as Components }).ensureGone()
    assert.deepEqual([existsSync(own), existsSync(other)], [false, true])
  } finally {
    for (const folder of [stateDir, own, other]) rmSync(folder, { recursive: true, force: true })
  }
})
