import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { API_ERRORS } from './catalogue.ts'

const src = join(import.meta.dirname, '../..')

/** Rows that stand for the platform's gateway as it is documented, though nothing here has a cause to answer them yet. */
const DOCUMENTED_ONLY = ['AccessDenied', 'InternalServiceTimeout', 'InvalidSecretToken', 'MethodNotAllowed']

test('every code of the catalogue is answered somewhere', () => {
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.ts') && !name.endsWith('.test.ts') && !name.startsWith('console'))
  const text = files.map(name => readFileSync(join(src, name), 'utf8')).map(file => file.replaceAll(/^ {2}\['[^']+', +\d{3}, \d{6},.*$/gm, '')).join('\n')
  const silent = API_ERRORS.map(row => row[0]).filter(code => !text.includes(`'${code}'`) && !(DOCUMENTED_ONLY as string[]).includes(code))
  assert.deepEqual(silent, [])
})
