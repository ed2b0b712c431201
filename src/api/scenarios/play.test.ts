import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StatusChange } from '#ports/store.ts'
import { toldToWire } from './play.ts'

const AT = Date.UTC(2026, 0, 5, 8)

function told(key: string, request: string): unknown {
  const change: StatusChange = {
    position: 1, at: AT, resource: { kind: 'Cluster', id: 'c1', name: 'shop' }, status: { phase: 'Creating', conditions: ['Progressing'] }, rule: 'not usable yet', because: 'It is made',
    evidence: [
      { observer: `caller ${key}`, source: `CreateCluster ${request}`, observedAt: AT, fact: 'It was asked for.' },
      { observer: 'control-plane host', source: 'control-plane host', observedAt: AT, fact: 'Nothing of it is there.' },
    ],
  }
  return toldToWire({ at: AT, text: 'It is made.', change })
}

test('a story tells what was called, and neither by which key nor under which request id, so that two runs are the same byte for byte', () => {
  const one = told('AKLT1', '20261126000534'), other = told('AKLT2', '20261126000536')
  assert.equal(JSON.stringify(one), JSON.stringify(other))
  assert.deepEqual((one as { Evidence: { Source: string }[] }).Evidence.map(({ Source }) => Source), ['CreateCluster', 'control-plane host'])
})
