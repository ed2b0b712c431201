import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NameTaken } from '#ports/store.ts'
import { refusalOf } from './refusal-of.ts'

test('a taken name is told in a sentence, also where two calls crossed and the database does not say which', () => {
  assert.equal(refusalOf(new NameTaken('shop'), 'r').message, 'The Name shop is taken: another resource has it.')
  assert.equal(refusalOf(new NameTaken(undefined), 'r').message, 'The Name that was sent is taken: another call took it at the same moment.')
})
