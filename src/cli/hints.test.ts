import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hintFor } from './hints.ts'

test('a deletion that is refused for now is not told to wait until it is Running', () => {
  for (const code of ['OperationDenied.ClusterStatus', 'OperationDenied.NodePoolStatus']) {
    const refused = Object.assign(new Error('refused'), { code })
    assert.match(hintFor(refused, 'create') ?? '', /waits until it is Running/)
    assert.doesNotMatch(hintFor(refused, 'delete') ?? 'Running', /Running/)
    assert.match(hintFor(refused, 'delete') ?? '', /--wait/)
  }
})
