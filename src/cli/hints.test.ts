import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hintFor } from './hints.ts'

test('what is refused for ever is not told to be waited for, and no hint leads to the same refusal again', () => {
  assert.equal(hintFor(Object.assign(new Error('refused'), { code: 'OperationDenied.DefaultRegion' })), undefined)
  assert.doesNotMatch(hintFor(Object.assign(new Error('refused'), { code: 'InvalidCredential' })) ?? '--region local-1', /--region \S+-\d/)
})

test('a deletion that is refused for now is not told to wait until it is Running', () => {
  for (const code of ['OperationDenied.ClusterStatus', 'OperationDenied.NodePoolStatus']) {
    const refused = Object.assign(new Error('refused'), { code })
    assert.match(hintFor(refused, 'create') ?? '', /waits until it is Running/)
    assert.doesNotMatch(hintFor(refused, 'delete') ?? 'Running', /Running/)
    assert.match(hintFor(refused, 'delete') ?? '', /--wait/)
  }
})
