import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isRefusal, soundsGone } from '../errors/catalogue.ts'
import { membersOf } from '../request.ts'
import { CONDITION_SPELLINGS, parseStatuses } from './filter.ts'

const parse = (statuses: unknown) => parseStatuses(membersOf('ListEdgeNodes', { Statuses: statuses }), 'Node')

test('all three spellings of the condition are read, and the misspelt condition too', () => {
  for (const spelling of CONDITION_SPELLINGS) assert.deepEqual(parse([{ Phase: 'Failed', [spelling]: 'NotReady' }]), [{ phase: 'Failed', condition: 'NotReady' }])
  assert.deepEqual(parse([{ EdgeNodeStatusConditionType: 'InitilizeFailed' }]), [{ condition: 'InitializeFailed' }])
})

test('absent, empty and wildcard members stand for any', () => {
  assert.equal(parse(undefined), undefined)
  assert.deepEqual(parse([]), [])
  assert.deepEqual(parse([{ Phase: 'Running', ConditionsType: '*' }, { Phase: '', ConditionsType: 'Ok' }]), [{ phase: 'Running' }, { condition: 'Ok' }])
})

test('words that only other products show match nothing, words that nobody shows are refused without sounding gone', () => {
  assert.deepEqual(parse([{ ConditionsType: 'Security' }]), [{ condition: 'Security' }])
  for (const statuses of [[{ Phase: 'Borked' }], [{ ConditionsType: 'notfound' }], 'Running', [1], Array.from({ length: 16 }, () => ({ Phase: 'Running' }))]) {
    assert.throws(() => parse(statuses), error => isRefusal(error) && error.code === 'ParameterOutOfRange.{Parameter}' && !soundsGone(`${error.wireCode}: ${error.message}`))
  }
})
