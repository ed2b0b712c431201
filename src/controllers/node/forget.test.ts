import assert from 'node:assert/strict'
import { test } from 'node:test'
import { goneText } from './forget.ts'

test('the last row of a node says the one reason that is true, as a sentence', () => {
  assert.equal(goneText('left', ['taken off the members', 'cordoned', 'Node object deleted']), 'Taken off the members, cordoned, Node object deleted')
  assert.equal(goneText('left', []), 'There was nothing to take off')
  assert.equal(goneText('clusterGoes', []), 'It goes with its cluster')
  assert.equal(goneText('clusterGoes', ['cordoned']), 'It goes with its cluster; done before: cordoned')
  assert.match(goneText('apiAway', ['cordoned']), /^The API of its cluster gave no answer for a minute; .*; done before: cordoned$/)
})
