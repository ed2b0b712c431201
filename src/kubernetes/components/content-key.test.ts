import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Group } from './catalogue.ts'
import { contentKey } from './content-key.ts'

const group: Group = { folder: 'g', title: 'G', version: 'v1.0.0', minutes: 1, ldflags: '-s', programs: [] }

test('everything that changes the program changes its key, and nothing else does', () => {
  const base = contentKey(group, 'mod', 'sum', 'amd64')
  const others = [
    contentKey(group, 'mod2', 'sum', 'amd64'),
    contentKey(group, 'mod', 'sum2', 'amd64'),
    contentKey(group, 'mods', 'um', 'amd64'),
    contentKey(group, 'mod', 'sum', 'arm64'),
    contentKey({ ...group, version: 'v1.0.1' }, 'mod', 'sum', 'amd64'),
    contentKey({ ...group, ldflags: '-w' }, 'mod', 'sum', 'amd64'),
    contentKey({ ...group, tags: 'seccomp' }, 'mod', 'sum', 'amd64'),
    contentKey({ ...group, cgo: 'static' }, 'mod', 'sum', 'amd64'),
  ]
  assert.equal(new Set([base, ...others]).size, others.length + 1)
  assert.equal(contentKey({ ...group, title: 'Other words', minutes: 9 }, 'mod', 'sum', 'amd64'), base)
  assert.match(base, /^[0-9a-f]{16}$/)
})
