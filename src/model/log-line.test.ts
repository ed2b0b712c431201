import assert from 'node:assert/strict'
import { test } from 'node:test'
import { logLineText } from './log-line.ts'

test('a log line says its message and its error, whatever its form', () => {
  const said: readonly (readonly [string, string])[] = [
    ['{"level":"fatal","msg":"discovery failed","error":"wal: crc mismatch","stacktrace":"a\\nb"}', 'discovery failed: wal: crc mismatch'],
    ['{"level":"warn","msg":"closing"}', 'closing'],
    ['{"level":"warn"}', '{"level":"warn"}'],
    ['{"level":"fatal","msg":"cut of', '{"level":"fatal","msg":"cut of'],
    ['  listen tcp: address already in use ', 'listen tcp: address already in use'],
  ]
  assert.deepEqual(said.map(([line]) => logLineText(line)), said.map(([, text]) => text))
})
