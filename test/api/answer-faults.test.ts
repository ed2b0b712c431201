import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { until } from '#test/harness/waiting.ts'
import type { ApiUnderTest } from './api-under-test.ts'
import { openSmallWorld, type SmallWorld } from './small-world.ts'

describe('which calls a fault of our own answers strikes', () => {
  let world: SmallWorld, api: ApiUnderTest
  beforeEach(async () => {
    world = await openSmallWorld()
    api = world.api
  })
  afterEach(() => api.app.close())

  const inject = (order: object) => api.done('InjectFault', { Port: 'api', Effect: { Type: 'fail' }, ...order })
  const codeOf = async (action: string, body: object = {}) => (await api.call(action, body)).body.ResponseMetadata.Error?.Code

  test('one of every call leaves open the way to clear it, also where another names that way', async () => {
    const { Id } = await inject({})
    await inject({ Call: 'ClearFault', Times: 1 })
    assert.equal(await codeOf('ClearFault', { Id }), 'InternalError', 'the one that names it strikes')
    assert.equal(await codeOf('ListMachines'), 'InternalError')
    assert.equal(await codeOf('ClearFault', { Id }), undefined)
    assert.equal(await codeOf('ListMachines'), undefined)
  })

  test('one at a thing strikes the calls that name it, by whatever member', async () => {
    const { clusterId, nodePoolId, nodeId, kubeconfigId } = world
    for (const [Call, Target, body, other] of [
      ['UpdateClusterConfig', { Id: clusterId }, { Id: clusterId }, { Id: world.plantId, Description: 'another' }],
      ['ListClusters', { Id: clusterId }, { Filter: { Ids: [world.plantId, clusterId] } }, { Filter: { Ids: [world.plantId] } }],
      ['ListEdgeNodes', { Id: nodePoolId }, { Filter: { NodePoolIds: [nodePoolId] } }, {}],
      ['CreateEdgeNodePool', { Id: clusterId }, { ClusterId: clusterId, Name: 'new' }, { ClusterId: world.plantId, Name: 'new' }],
      ['DeleteEdgeNodes', { Id: nodeId }, world.valid['DeleteEdgeNodes']!, { ...world.valid['DeleteEdgeNodes'], Ids: [] }],
      ['DeleteKubeconfigs', { Id: kubeconfigId }, world.valid['DeleteKubeconfigs']!, { ClusterId: clusterId, Ids: [] }],
      ['ListMachines', { Name: 'box-1' }, { Filter: { Names: ['box-1'] } }, { Filter: { Names: ['box-2'] } }],
      ['SetMachine', { Id: world.onboardingId }, { Id: world.machineId, RunScript: world.onboardingId }, { Id: world.machineId, Link: 'up' }],
      ['UpdateEdgeNodePoolConfig', { Id: nodePoolId, Name: 'tills' }, { ClusterId: clusterId, Id: nodePoolId, Name: 'tills' }, { ClusterId: clusterId, Id: nodePoolId, Name: 'counters' }],
      ['AddMachine', { Name: 'box-3' }, { Name: 'box-3' }, { Name: 'box-4' }],
    ] as const) {
      await inject({ Call, Target })
      assert.deepEqual([Call, await codeOf(Call, body), await codeOf(Call, other) === 'InternalError'], [Call, 'InternalError', false])
      await api.done('ClearFault', { All: true })
    }
  })

  test('whatever a valid call names may be the target of a fault, which then strikes that call', async () => {
    const { clusterId, nodePoolId, nodeId, plantId, elasticPoolId, elasticNodeId, centralPoolId, centralNodeId, onboardingId, kubeconfigId, machineId } = world
    const ours = new Set([clusterId, nodePoolId, nodeId, plantId, elasticPoolId, elasticNodeId, centralPoolId, centralNodeId, onboardingId, kubeconfigId, machineId])
    let struck = 0
    for (const [Call, body] of Object.entries(world.valid)) {
      for (const id of [body, body['Filter'] ?? {}].flatMap(members => Object.values(members).flat()).filter(value => typeof value === 'string')) {
        if (!ours.has(id)) continue
        await inject({ Call, Target: { Id: id } })
        assert.deepEqual([Call, id, await codeOf(Call, body)], [Call, id, 'InternalError'])
        await api.done('ClearFault', { All: true })
        struck++
      }
    }
    assert.ok(struck > 50, `${struck} were struck`)
  })

  test('one that could not strike is refused, and so is one that lasts longer than we would hold a call', async () => {
    const refused = async (order: object) => (await api.call('InjectFault', { Port: 'api', Effect: { Type: 'fail' }, ...order })).body.ResponseMetadata.Error
    for (const [order, code, words] of [
      [{ Call: 'CreateCluster', Target: { Id: world.clusterId } }, 'InvalidParameter.Target.Id', /CreateCluster sends no ids/],
      [{ Call: 'DeleteAddon', Target: { Id: `${world.clusterId}:ingress-nginx` } }, 'InvalidParameter.Target.Id', /the id is of kind Addon, and DeleteAddon sends only ids of kind Cluster\./],
      [{ Call: 'ScaleUpEdgeNodePool', Target: { Id: world.nodeId } }, 'InvalidParameter.Target.Id', /of kind Node, and ScaleUpEdgeNodePool sends only ids of kind Cluster, NodePool\./],
      [{ Call: 'UpdateBatchEdgeMachine', Target: { Id: world.nodeId } }, 'InvalidParameter.Target.Id', /sends only ids of kind Onboarding/],
      [{ Call: 'RemoveMachine', Target: { Id: world.onboardingId } }, 'InvalidParameter.Target.Id', /sends only ids of kind Machine/],
      [{ Call: 'UpdateEdgeNodePoolConfig', Target: { Id: world.clusterId, Name: 'shop' } }, 'InvalidParameter.Target.Name', /not send Id and Name of one such thing/],
      [{ Call: 'CreateNodes', Target: { Name: 'box-1' } }, 'InvalidParameter.Target.Name', /CreateNodes sends no names/],
      [{ Call: 'GetClock', Target: { Name: 'shop' } }, 'InvalidParameter.Target.Name', /GetClock sends no names/],
      [{ Call: 'ListClusters', Target: { Id: world.clusterId, Name: 'shop' } }, 'InvalidParameter.Target.Name', /not send Id and Name of one such thing/],
      [{ Call: 'ListClusters', Effect: { Type: 'slow', For: '121s' } }, 'InvalidParameter.Effect.For', /at most 120s late/],
      [{ Call: 'ListClusters', Effect: { Type: 'hang', For: '1h' } }, 'InvalidParameter.Effect.For', /at most 120s late/],
    ] as const) {
      const error = await refused(order)
      assert.equal(error?.Code, code)
      assert.match(error.Message, words)
    }
  })

  test('a call that one holds is refused when the server is about to end', async () => {
    await inject({ Call: 'ListMachines', Effect: { Type: 'slow', For: '2m' } })
    const held = api.call('ListMachines')
    await until(async () => (await api.done('ListFaults')).Items?.[0]?.['Hits'] === 1)
    api.ending.abort()
    const { status, body } = await held
    assert.deepEqual([status, body.ResponseMetadata.Error?.Code], [503, 'ServiceUnavailable'])
  })
})
