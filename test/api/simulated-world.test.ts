import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ApiUnderTest } from './api-under-test.ts'
import { openSmallWorld, type SmallWorld } from './small-world.ts'

const codeOf = async (call: ReturnType<ApiUnderTest['call']>) => (await call).body.ResponseMetadata.Error?.Code

describe('what is arranged in a simulated region', () => {
  let world: SmallWorld, api: ApiUnderTest
  before(async () => {
    world = await openSmallWorld()
    api = world.api
  })
  after(() => api.app.close())

  test('a fault is injected, listed as it was ordered, and cleared; one that is not there is refused', async () => {
    const { Id } = await api.done('InjectFault', world.valid['InjectFault'])
    const [fault] = (await api.done('ListFaults')).Items ?? []
    const { InjectedAt, ...rest } = fault ?? {}
    assert.match(String(InjectedAt), /^\d{4}-.*\.\d{3}Z$/)
    assert.deepEqual(rest, { Id, Port: 'machines', Call: 'ensure', Hits: 0, Times: 2, Target: { Kind: 'Machine', Nth: 3 }, Effect: { Type: 'hang', For: '90000ms' }, Until: '2099-01-01T00:00:00.000Z' })
    assert.equal(await codeOf(api.call('ClearFault', { Id: 'f-never' })), 'NotFound.Fault')
    await api.done('ClearFault', { Id })
    assert.equal((await api.done('ListFaults')).TotalCount, 0)
  })

  // oxfmt-ignore
  const refused: [what: string, body: object, code: string][] = [
    ['a port that there is not',                 { Port: 'engine', Effect: { Type: 'fail' } },                                          'InvalidParameter.Port'],
    ['a call that the port has not',             { Port: 'machines', Call: 'explode', Effect: { Type: 'fail' } },                       'InvalidParameter.Call'],
    ['an action that there is not',              { Port: 'api', Call: 'CreateMoon', Effect: { Type: 'fail', Code: 429 } },              'InvalidParameter.Call'],
    ['an effect that there is not',              { Port: 'machines', Effect: { Type: 'melt' } },                                        'InvalidParameter.Effect.Type'],
    ['a span that is none',                      { Port: 'machines', Effect: { Type: 'hang', For: 'soon' } },                           'InvalidParameter.Effect.For'],
    ['a target that names nothing',              { Port: 'machines', Target: {}, Effect: { Type: 'fail' } },                            'InvalidParameter.Target'],
    ['a kind that there is not',                 { Port: 'machines', Target: { Kind: 'Planet' }, Effect: { Type: 'fail' } },            'InvalidParameter.Target.Kind'],
    ['an end before its beginning',              { Port: 'machines', Effect: { Type: 'fail' }, Until: '2020-01-01T00:00:00Z' },         'InvalidParameter.Until'],
    ['a time that is none',                      { Port: 'machines', Effect: { Type: 'fail' }, From: 'noon' },                          'InvalidParameter.From'],
  ]
  for (const [what, body, code] of refused) test(`${what} is refused`, async () => assert.equal(await codeOf(api.call('InjectFault', body)), code))

  test('faults of our own answers may name an action', async () => {
    const { Id } = await api.done('InjectFault', { Port: 'api', Call: 'ListClusters', Effect: { Type: 'fail', Code: 429 }, Times: 1 })
    await api.done('ClearFault', { Id })
  })

  test('objects, workloads and images are put as a user would, in clusters of one\'s own that answer', async () => {
    await api.done('PutObject', world.valid['PutObject'])
    await api.done('DeleteObject', { ClusterId: world.clusterId, Kind: 'Widget', Namespace: 'default', Name: 'second' })
    assert.equal(await codeOf(api.call('DeleteObject', { ClusterId: world.clusterId, Kind: 'Widget', Name: 'never' })), 'NotFound.Widget')
    assert.equal(await codeOf(api.call('PutObject', { ClusterId: world.theirClusterId, Kind: 'Widget', Name: 'w' })), 'NotFound.Cluster')
    assert.equal(await codeOf(api.call('SetWorkload', { ClusterId: world.plantId, Name: 'batch', Pods: 1 })), 'OperationDenied.ClusterStatus', 'that cluster has no API in the world')
    await api.done('SetWorkload', world.valid['SetWorkload'])
    for (const Cpu of ['lots', '-1', '1.2345', 1e9]) assert.match(String(await codeOf(api.call('SetWorkload', { ClusterId: world.clusterId, Name: 'batch', Pods: 1, Cpu }))), /^InvalidParameter\.Cpu/)
    assert.equal(await codeOf(api.call('SetWorkload', { ClusterId: world.clusterId, Name: 'batch', Pods: 1e6 })), 'InvalidParameter.Pods')
    await api.done('SetImage', world.valid['SetImage'])
  })

  test('stock and quota are set for kinds that there are, and taken away again', async () => {
    for (const [action, member, listed] of [['SetStock', 'Count', 'ListStock'], ['SetQuota', 'Limit', 'ListQuotas']] as const) {
      await api.done(action, { Kind: 'Machine', [member]: 0 })
      assert.deepEqual((await api.done(listed)).Items, [{ Kind: 'Machine', [member]: 0, ...action === 'SetQuota' && { Held: 0 } }])
      await api.done(action, { Kind: 'Machine', Unlimited: true })
      assert.deepEqual((await api.done(listed)).Items, [])
      assert.match(String(await codeOf(api.call(action, { Kind: 'Machine' }))), new RegExp(`^InvalidParameter\\.${member}`))
      assert.match(String(await codeOf(api.call(action, { Kind: 'Moon', [member]: 1 }))), /^InvalidParameter\.Kind/)
      assert.match(String(await codeOf(api.call(action, { Kind: 'Machine', [member]: -1 }))), new RegExp(`^InvalidParameter\\.${member}`))
    }
  })
})

test('a region that is real refuses to be arranged, and says so', async () => {
  const { valid } = await openSmallWorld()
  const api = await ApiUnderTest.open()
  for (const action of ['InjectFault', 'ListFaults', 'ClearFault', 'SetStock', 'ListStock', 'SetQuota', 'ListQuotas', 'PutObject', 'DeleteObject', 'SetWorkload', 'SetImage', 'GetClock', 'SetClock', 'ListScenarios', 'RunScenario']) {
    const { body, status } = await api.call(action, valid[action])
    assert.deepEqual([body.ResponseMetadata.Error?.Code, status], ['OperationDenied.RegionNotSimulated', 400], action)
    assert.match(body.ResponseMetadata.Error?.Message ?? '', /The region local-1 is real/)
  }
  await api.app.close()
})
