import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import type { Group, Program } from './catalogue.ts'
import { fillTemplate, findSum } from './release.ts'

const hex = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'.split('')), minLength: 64, maxLength: 64 })
const fileName = fc.string({ unit: fc.constantFrom(...'abcdefgh-._1'.split('')), minLength: 1, maxLength: 12 }).filter((name) => name !== '.' && name !== '..')

test('a sum is found by its file name in any of the forms that upstreams publish', () => {
  fc.assert(fc.property(hex, hex, fileName, fc.constantFrom('  ', ' *', '  ./dist/'), (mine, other, name, between) => {
    assert.equal(findSum(`${other}  another-file\n${mine}${between}${name}\n`, name), mine)
    assert.equal(findSum(mine.toUpperCase(), name), mine)
    assert.equal(findSum(`${mine}\n`, name), mine)
    assert.equal(findSum(`${mine}  ${name}.asc\n`, name), undefined)
  }))
})

test('an answer that is no list of sums gives none', () => {
  for (const text of ['', '<html>gone</html>', 'abc  file', `${'0'.repeat(63)}  file`]) assert.equal(findSum(text, 'file'), undefined)
})

test('addresses are filled in with upstream\'s words for version and architecture', () => {
  const group: Group = { folder: 'g', title: 'G', version: 'v1.2.3', minutes: 1, ldflags: '', programs: [] }
  const program: Program = { name: 'tool', package: 'p' }
  const renaming: Program = { ...program, release: { url: '', sums: '', architectures: { amd64: 'x86_64', arm64: 'arm64' } } }
  assert.equal(fillTemplate('{version}/{number}/{arch}/{name}/{other}', group, program, 'arm64'), 'v1.2.3/1.2.3/arm64/tool/{other}')
  assert.equal(fillTemplate('{arch}', group, renaming, 'amd64'), 'x86_64')
})
