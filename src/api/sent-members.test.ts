import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ACTIONS } from './actions/all.ts'
import { sentBy } from './sent-members.ts'

test('of every member by which a call sends ids it is known what they are of', () => {
  const unknown = ACTIONS.flatMap(action => [...sentBy(action).ids].flatMap(([member, kinds]) => (kinds === undefined ? [`${action.name} ${member}`] : [])))
  assert.deepEqual(unknown, [])
  assert.ok(ACTIONS.filter(action => sentBy(action).ids.size > 0).length > 30, 'they were looked at')
})

test('a switch and a number are no ids and no names, whatever they are called', () => {
  const sent = (name: string) => sentBy(ACTIONS.find(each => each.name === name) ?? assert.fail(name))
  assert.deepEqual(sent('CreateNodes').names, [])
  assert.deepEqual([...sent('ListKubeconfigs').ids.keys()], ['Ids', 'ClusterIds'])
})
