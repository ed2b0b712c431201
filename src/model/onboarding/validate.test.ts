import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isRefusal } from '../errors/catalogue.ts'
import { parseCreateKubeconfig, parseDeleteKubeconfigs } from '../kubeconfig/validate.ts'
import { parseCreateBatchEdgeMachine, parseDeleteBatchEdgeMachine, parseUpdateBatchEdgeMachine } from './validate.ts'

const NOW = 1_800_000_000_500
const ids = { ClusterId: 'c1', NodePoolId: 'p1' }

function codeOf(work: () => unknown): string {
  try {
    work()
    return 'accepted'
  } catch (error) {
    assert.ok(isRefusal(error), String(error))
    return error.wireCode
  }
}

test('TTLHours counts from now, and ExpirationDate wins', () => {
  assert.deepEqual(parseCreateBatchEdgeMachine({ ...ids, Name: 'script', TTLHours: 1 }, NOW), { clusterId: 'c1', nodePoolId: 'p1', name: 'script', clientToken: undefined, expiresAt: 1_800_003_600, expirationDate: undefined })
  assert.deepEqual(parseCreateBatchEdgeMachine({ ...ids, TTLHours: 24, ExpirationDate: 1_893_456_000 }, NOW).expiresAt, 1_893_456_000)
  assert.equal(parseCreateBatchEdgeMachine({ ...ids, TTLHours: 1, ExpirationDate: 0 }, NOW).expiresAt, 1_800_003_600)
})

test('lifetimes that are none are refused', () => {
  const create = (rest: object) => codeOf(() => parseCreateBatchEdgeMachine({ ...ids, ...rest }, NOW))
  assert.equal(create({}), 'MissingParameter.TTLHours')
  for (const hours of [0, -1, 1.5, '1', 87_601, Number.MAX_SAFE_INTEGER]) assert.equal(create({ TTLHours: hours }), 'InvalidParameter.TTLHours')
  for (const date of [1_800_000_000, 5, -1, 1_893_456_000_000, '1893456000']) assert.equal(create({ TTLHours: 1, ExpirationDate: date }), 'InvalidParameter.ExpirationDate', String(date))
  assert.equal(codeOf(() => parseCreateBatchEdgeMachine({ ClusterId: 'c1', TTLHours: 1 }, NOW)), 'MissingParameter.NodePoolId')
})

test('updates and deletions of scripts', () => {
  assert.deepEqual(parseUpdateBatchEdgeMachine({ NodeId: 'n1', ExpirationDate: 1_893_456_000 }, NOW), { id: 'n1', clientToken: undefined, expirationDate: 1_893_456_000 })
  assert.equal(codeOf(() => parseUpdateBatchEdgeMachine({ NodeId: 'n1' }, NOW)), 'MissingParameter.ExpirationDate')
  assert.deepEqual(parseDeleteBatchEdgeMachine({ ...ids, Ids: ['n1', 'n1'] }).ids, ['n1'])
  assert.equal(codeOf(() => parseDeleteBatchEdgeMachine(ids)), 'MissingParameter.Ids')
})

test('kubeconfigs', () => {
  assert.deepEqual(parseCreateKubeconfig({ ClusterId: 'c1', Type: 'Private' }), { clusterId: 'c1', type: 'Private', validHours: 26_280 })
  assert.equal(codeOf(() => parseCreateKubeconfig({ ClusterId: 'c1' })), 'MissingParameter.Type')
  for (const hours of [0, 867_241, '5']) assert.equal(codeOf(() => parseCreateKubeconfig({ ClusterId: 'c1', Type: 'Public', ValidDuration: hours })), 'InvalidParameter.ValidDuration')
  assert.equal(codeOf(() => parseCreateKubeconfig({ ClusterId: 'c1', Type: 'TargetCluster' })), 'InvalidParameter.Type')
  assert.equal(codeOf(() => parseDeleteKubeconfigs({ ClusterId: 'c1', Ids: [1] })), 'ParameterOutOfRange.Ids')
})
