import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ANY_CLUSTER, FreshRegions } from '#test/harness/fresh-regions.ts'

describe('servers of the default pool have labels and taints of their own', () => {
  const regions = new FreshRegions('default-pool')
  const done = (action: string, body: object = {}) => regions.done(action, body)
  const OWN = { Labels: [{ Key: 'side', Value: 'south' }, { Key: 'till', Value: '3' }], Taints: [{ Key: 'only', Value: 'tills', Effect: 'NoExecute' }], Cordon: true }
  const TAINTS = [{ Key: 'only', Value: 'tills', Effect: 'NoExecute' }]

  async function begin(): Promise<{ readonly ClusterId: string; readonly pool: string }> {
    const ClusterId = (await done('CreateCluster', ANY_CLUSTER)).Id ?? ''
    await regions.step('60s')
    const pool = (await done('CreateDefaultNodePool', { ClusterId, KubernetesConfig: { Labels: [{ Key: 'side', Value: 'north' }, { Key: 'floor', Value: '1' }] } })).Id ?? ''
    await regions.step('1m')
    return { ClusterId, pool }
  }
  const nodes = async () => ((await done('ListNodes')).Items ?? []).map(({ InstanceId, KubernetesConfig, Status }) => [String(InstanceId), KubernetesConfig, Status] as const).toSorted(([one], [other]) => (one < other ? -1 : 1))
  const shows = (Phase: string, condition: string) => ({ Phase, Conditions: [{ Type: condition }] })
  const labels = (...pairs: readonly (readonly [string, string])[]) => pairs.map(([Key, Value]) => ({ Key, Value }))
  const withOwn = (floor: string) => ({ Labels: labels(['floor', floor], ['side', 'south'], ['till', '3']), Taints: TAINTS, Cordon: true })

  test('besides those of the pool, which they go before and which go on changing', async () => {
    const { ClusterId, pool } = await begin()
    await done('CreateNodes', { ClusterId, InstanceIds: ['i-own'], KubernetesConfig: OWN })
    await done('CreateNodes', { ClusterId, InstanceIds: ['i-plain'] })
    await regions.step('5m')
    const plain = (floor: string, side: string) => ({ Labels: labels(['floor', floor], ['side', side]), Taints: [], Cordon: false })
    assert.deepEqual(await nodes(), [['i-own', withOwn('1'), shows('Running', 'Unschedulable')], ['i-plain', plain('1', 'north'), shows('Running', 'Ok')]])
    await done('UpdateNodePoolConfig', { ClusterId, Id: pool, KubernetesConfig: { Labels: labels(['side', 'west'], ['floor', '2']) } })
    await regions.step('1m')
    assert.deepEqual(await nodes(), [['i-own', withOwn('2'), shows('Running', 'Unschedulable')], ['i-plain', plain('2', 'west'), shows('Running', 'Ok')]])
    assert.equal(await regions.server.shows('ListNodePools', pool, regions.region), 'Running/Ok')
  })
})
