import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { API_ERRORS, isGentle, isRefusal, Refusal, refuse, refuseBody, refuseParameter, soundsGone } from './catalogue.ts'

/** Every action that lists or deletes, of both versions; their errors are read by clients that wait for a deletion. */
const GENTLE_ACTIONS = [
  'ListClusters', 'DeleteCluster', 'ListEdgeNodePools', 'DeleteNodePool', 'ListBatchEdgeMachine', 'DeleteBatchEdgeMachine', 'ListEdgeNodes', 'DeleteEdgeNodes', 'ListNodePools', 'ListNodes', 'DeleteNodes', 'ListSupportedResourceTypes', 'ListKubeconfigs',
  'DeleteKubeconfigs', 'ExplainStatus', 'ListStatusHistory', 'ListLedger', 'ListMachines', 'RemoveMachine', 'ListRegions', 'DescribeEipAddresses', 'GetClock', 'PreviewDeletion', 'ScaleDownEdgeNodePool', 'ClearFault', 'DeleteRegion',
]
const RUDE_ACTIONS = ['CreateCluster', 'UpdateClusterConfig', 'CreateEdgeNodePool', 'UpdateEdgeNodePoolConfig', 'CreateNodePool', 'CreateDefaultNodePool', 'UpdateNodePoolConfig', 'CreateNodes', 'CreateEdgeNode', 'ScaleUpEdgeNodePool', 'CreateBatchEdgeMachine', 'UpdateBatchEdgeMachine', 'CreateKubeconfig', 'SetMachine', 'AddMachine']

/** Rows of the gateway, answered before an action is known, under names that the platform fixed. */
const GATEWAY = new Set(API_ERRORS.filter(row => row[2] < 200_000).map(row => row[0]))
/** What gentle actions replace by a row of their own, and what CreateNodes alone answers, in the product's own words. */
const REPLACED = new Set(['InvalidParameter.{Parameter}', 'InvalidParameter.BodyFormat', 'NotFound.DefaultNodePool'])

describe('the error catalogue', () => {
  test('has each code and each number once, a fit status, and a sentence', () => {
    assert.equal(new Set(API_ERRORS.map(row => row[0])).size, API_ERRORS.length)
    assert.equal(new Set(API_ERRORS.map(row => row[2])).size, API_ERRORS.length)
    for (const [code, httpStatus, , message] of API_ERRORS) {
      assert.ok(httpStatus >= 400 && httpStatus < 600, code)
      assert.match(message, /^([A-Z{].*\.( .*\.?)?|\{text\})$/, code)
    }
  })

  test('says "gone" in list and delete actions only by status 404', () => {
    for (const action of GENTLE_ACTIONS) {
      assert.ok(isGentle(action), action)
      for (const [code, httpStatus, , message] of API_ERRORS) {
        if (GATEWAY.has(code) || REPLACED.has(code) || httpStatus === 404) continue
        assert.ok(!soundsGone(`${code}: ${message}`), `${action} may answer ${code}`)
      }
      assert.throws(() => refuseParameter(action, 'PageSize', 'it must lie between 1 and 100'), error => isRefusal(error) && error.wireCode === 'ParameterOutOfRange.PageSize' && !soundsGone(`${error.wireCode} ${error.message}`))
      assert.throws(() => refuseBody(action, 'it is a list'), error => isRefusal(error) && error.wireCode === 'MalformedBody' && !soundsGone(`${error.wireCode} ${error.message}`))
    }
  })

  test('has the product\'s own codes everywhere else', () => {
    for (const action of RUDE_ACTIONS) {
      assert.throws(() => refuseParameter(action, 'Name', 'too long'), error => isRefusal(error) && error.wireCode === 'InvalidParameter.Name' && error.httpStatus === 400)
      assert.throws(() => refuseBody(action, 'it is a list'), error => isRefusal(error) && error.wireCode === 'InvalidParameter.BodyFormat')
    }
  })

  test('fills codes and sentences from the parameters', () => {
    const refusal = new Refusal('NotFound.{Resource}', { Resource: 'Cluster', id: 'c1' })
    assert.deepEqual([refusal.wireCode, refusal.httpStatus, refusal.codeN, refusal.message], ['NotFound.Cluster', 404, 200_101, 'There is no Cluster c1: it does not exist, or belongs to another account or region.'])
    assert.throws(() => refuse('MissingParameter.{Parameter}', { Parameter: 'ClusterConfig.SubnetIds' }), error => isRefusal(error) && error.wireCode === 'MissingParameter.ClusterConfig.SubnetIds')
    assert.equal(isRefusal(new Error('other')), false)
  })

  test('keeps the gateway\'s numbers', () => {
    const numbers = { MissingParameter: 100_002, MissingAuthenticationToken: 100_003, MissingRequestInfo: 100_004, MissingSignature: 100_005, InvalidTimestamp: 100_006, ServiceNotFound: 100_007, InvalidActionOrVersion: 100_008, InvalidAccessKey: 100_009, SignatureDoesNotMatch: 100_010, AccessDenied: 100_013, InternalError: 100_014, InternalServiceTimeout: 100_016 }
    assert.deepEqual(Object.fromEntries(API_ERRORS.filter(row => row[0] in numbers).map(row => [row[0], row[2]])), numbers)
  })
})
