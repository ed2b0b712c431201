import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ANY_CLUSTER, FreshRegions } from '#test/harness/fresh-regions.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { openSmallWorld } from './small-world.ts'

const HOUR = 3_600_000

test('a balance is unlimited until it is set, to the last decimal, and the limit can be taken away again', async () => {
  const { api } = await openSmallWorld()
  const balance = async () => { const { Amount, ArrearsSince } = await api.done('GetBalance') as { Amount?: number; ArrearsSince?: string }; return { Amount, ArrearsSince } }
  assert.deepEqual(await balance(), { Amount: undefined, ArrearsSince: undefined })
  await api.done('SetBalance', { Amount: 12.345678 })
  assert.equal((await balance()).Amount, 12.345678)
  await api.done('SetBalance', { Amount: -3 })
  assert.equal((await balance()).Amount, -3)
  await api.done('SetBalance', { Unlimited: true })
  assert.equal((await balance()).Amount, undefined)
  for (const Amount of ['12', 1e300, undefined, [], true]) assert.equal((await api.call('SetBalance', { Amount })).status, 400)
  await api.app.close()
})

describe('what is spent', () => {
  const regions = new FreshRegions('spent')

  test('when a balance reaches zero is told as far as its times can be written', async () => {
    await regions.done('CreateCluster', ANY_CLUSTER)
    await regions.step('60s')
    const reaches = async (Amount: number) => {
      await regions.done('SetBalance', { Amount })
      const { PerHour, ReachesZeroAt } = await regions.done('GetBalance') as { PerHour?: number; ReachesZeroAt?: string }
      assert.ok((PerHour ?? 0) > 0)
      return ReachesZeroAt
    }
    assert.match(await reaches(1_000) ?? '', /^20\d\d-/)
    assert.equal(await reaches(1_000_000_000), undefined)
  })
})

test('past the grace time every order is refused with its reason, and every deletion and every look is not', async () => {
  const store = new MemoryStore()
  const world = await openSmallWorld(store)
  const { api } = world
  const [cluster] = (await api.done('ListClusters', world.valid['ListClusters'])).Items ?? []
  const { accountId, region } = (await store.findCluster(String(cluster?.['Id'])))!
  const now = Date.UTC(2026, 10, 25, 12)
  await store.write(now, tx => tx.putAccount({ accountId, region, balance: { amount: -1, at: now - 3 * HOUR, spentBefore: 0n }, arrearsSince: now - 3 * HOUR, stoppedSince: now - HOUR }))
  for (const action of ['CreateCluster', 'UpdateClusterConfig', 'CreateEdgeNodePool', 'CreateBatchEdgeMachine', 'CreateKubeconfig']) {
    const { body } = await api.call(action, world.valid[action])
    assert.equal(body.ResponseMetadata.Error?.Code, 'OperationDenied.Balance', action)
    assert.match(body.ResponseMetadata.Error?.Message ?? '', /in arrears since 2026-11-25T09:00:00Z, and its grace time ended at 2026-11-25T11:00:00Z/)
  }
  for (const action of ['ListClusters', 'ExplainStatus', 'DeleteBatchEdgeMachine', 'DeleteKubeconfigs', 'DeleteEdgeNodes'])
    assert.equal((await api.call(action, world.valid[action])).status, 200, action)
  const named = async () => (await api.done('ExplainStatus', { Id: `${world.clusterId}:ingress-nginx` }) as unknown as { Exits: readonly { readonly By: string; readonly What: string }[] }).Exits.filter(exit => exit.By === 'call').map(exit => exit.What)
  assert.deepEqual(await named(), ['DeleteAddon'], 'what is refused is named as no way out')
  await api.done('SetBalance', { Amount: 10 })
  await store.write(now, tx => tx.putAccount({ accountId, region }))
  assert.deepEqual(await named(), ['UpdateAddonConfig', 'UpdateAddonVersion', 'DeleteAddon'])
  assert.equal((await api.call('CreateKubeconfig', world.valid['CreateKubeconfig'])).status, 200)
  await api.app.close()
})
