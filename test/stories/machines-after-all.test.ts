import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { ANY_CLUSTER } from '#test/harness/fresh-regions.ts'
import { RegionUnderTest } from '#test/model-based/region-under-test.ts'

const ELASTIC = { CloudServerIdentity: 'c1', AutoScaleConfig: { Enabled: false, MinReplicas: 0, MaxReplicas: 5, DesiredReplicas: 2, Priority: 10 }, InstanceArea: { AreaName: 'north' } }

/** A pool of two machines of which a provider goes on saying that they are not there, as when they were sold out; one of them is scaled down, and its provider says that it is gone. */
async function begun(t: TestContext, look: object = {}) {
  const region = await RegionUnderTest.open(7)
  t.after(() => region.close())
  const done = async (action: string, body: object = {}) => {
    const { status, code, message, result } = await region.call(action, body)
    assert.equal(status, 200, `${action} ${code} ${message}`)
    return result
  }
  const step = (Step: string) => done('SetClock', { Step })
  const machines = async () => (await region.world()).flatMap(({ kind, id }) => (kind === 'machine' ? id : [])).toSorted()
  const ledger = async () => ((await done('ListLedger', { Filter: { Kinds: ['Machine'] } })).Items ?? []).map(({ ProviderId, State }) => `${String(ProviderId)} ${String(State)}`).toSorted()
  const { Id: ClusterId } = await done('CreateCluster', ANY_CLUSTER)
  await step('90s')
  await done('SetStock', { Kind: 'Machine', Count: 0 })
  await done('InjectFault', { Port: 'machines', Call: 'look', Effect: { Type: 'lie' }, ...look })
  const { Id: NodePoolId } = await done('CreateEdgeNodePool', { ClusterId, Name: 'burst', NodePoolType: 'edge-machine-pool', ElasticConfig: ELASTIC })
  await step('10m')
  await done('SetStock', { Kind: 'Machine', Unlimited: true })
  await step('10m')
  const [first, second] = (await done('ListEdgeNodes')).Items ?? []
  assert.ok(first && second)
  const { Id: removal } = await done('InjectFault', { Port: 'machines', Call: 'ensureGone', Effect: { Type: 'lie' } })
  await done('ScaleDownEdgeNodePool', { ClusterId, NodePoolId, NodeIds: [first['Id']] })
  await step('10m')
  assert.equal((await done('ListEdgeNodes')).TotalCount, 1)
  const lost = `m${String(first['Id']).slice(1)}`, kept = `m${String(second['Id']).slice(1)}`
  return { region, done, step, machines, ledger, lost, kept, removal }
}

for (const how of ['both are cleared', 'the time of the one about looks is over, and the other one is cleared', 'they are cleared and its server dies of it']) {
  test(`a machine that its provider said was gone, and did not show, is somebody's and goes once it is shown again, where ${how}`, async t => {
    const { region, done, step, machines, ledger, lost, kept, removal } = await begun(t, how.startsWith('the time') ? { Until: '2026-12-01T01:00:00Z' } : {})
    assert.deepEqual([(await machines()).includes(lost), (await ledger()).some(row => row.startsWith(lost))], [true, false])
    if (how.startsWith('the time')) await done('ClearFault', { Id: removal })
    else {
      if (how.endsWith('dies of it')) region.dieAt(0, 'after')
      // Who had no answer asks once more.
      for (let times = 0; times < 2; times++) await region.call('ClearFault', { All: true })
      region.spare()
    }
    await step('1h')
    assert.deepEqual([await machines(), await ledger(), region.deaths > 0, region.errors], [[kept], [`${kept} Held`], how.endsWith('dies of it'), []])
  })
}

test('it is named while its provider still says that it is gone', async t => {
  const { done, step, ledger, lost, kept } = await begun(t)
  const { Items: faults = [] } = await done('ListFaults')
  await done('ClearFault', { Id: faults.find(({ Call }) => Call === 'look')?.['Id'] })
  await step('1h')
  assert.deepEqual(await ledger(), [`${kept} Held`, `${lost} Releasing`].toSorted())
  await done('ClearFault', { All: true })
  await step('1h')
  assert.deepEqual(await ledger(), [`${kept} Held`])
})
