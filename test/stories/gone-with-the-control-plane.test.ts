import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ANY_CLUSTER, FreshRegions } from '#test/harness/fresh-regions.ts'

describe('what was in a cluster is gone with its control plane, whatever its record still waits for', () => {
  const regions = new FreshRegions('went')
  const done = (action: string, body: object = {}) => regions.done(action, body)
  const addons = async () => ((await done('ListAddons')).Items ?? []).map(({ Name }) => String(Name)).sort()
  const begin = async (): Promise<string> => {
    const { Id: cluster = '' } = await done('CreateCluster', ANY_CLUSTER)
    await regions.step('60s')
    await done('CreateEdgeNodePool', {
      ClusterId: cluster, Name: 'burst', NodePoolType: 'edge-machine-pool',
      ElasticConfig: { CloudServerIdentity: 'c1', AutoScaleConfig: { Enabled: false, MinReplicas: 0, MaxReplicas: 5, DesiredReplicas: 1, Priority: 10 }, InstanceArea: { AreaName: 'north' } },
    })
    await regions.step('90s')
    await done('CreateAddon', { ClusterId: cluster, Name: 'ingress-nginx' })
    await regions.step('60s')
    assert.deepEqual(await addons(), ['core-dns', 'ingress-nginx'])
    return cluster
  }
  const ends = async () => (await regions.server.history(regions.region)).filter(row => row.Kind === 'Addon' && row.Name === 'core-dns' && !row.Status).map(({ Because }) => Because)

  for (const [what, port] of [['a machine', 'machines'], ['a load balancer', 'outside']] as const) {
    test(`its add-ons, while ${what} that cannot be removed keeps the cluster listed`, async () => {
      const cluster = await begin()
      const { Id: fault } = await done('InjectFault', { Port: port, Call: 'ensureGone', Effect: { Type: 'protected', Message: 'locked by audit' } })
      await done('DeleteCluster', { Id: cluster, CascadingDeleteResources: ['All'] })
      await regions.step('5m')
      assert.deepEqual(await addons(), [], 'gone with the control plane')
      await regions.step('10m')
      assert.equal(await regions.server.shows('ListClusters', cluster, regions.region), 'Failed/ResourceCleanupFailed')
      assert.deepEqual(await ends(), ['It went with the control plane of its cluster'])
      await done('ClearFault', { Id: fault })
      await done('DeleteCluster', { Id: cluster, CascadingDeleteResources: ['All'] })
      await regions.step('5m')
      assert.equal(await regions.server.shows('ListClusters', cluster, regions.region), 'absent')
    })
  }

  test('but not before: while the control plane itself cannot be removed, its add-ons are still in it', async () => {
    const cluster = await begin()
    await done('SetBalance', { Amount: 0 })
    await regions.step('3h')
    assert.equal(await regions.server.shows('ListClusters', cluster, regions.region), 'Stopped/Balance')
    await done('InjectFault', { Port: 'control-plane-host', Call: 'ensureGone', Effect: { Type: 'protected' } })
    await done('DeleteCluster', { Id: cluster, CascadingDeleteResources: ['All'] })
    await regions.step('10m')
    assert.deepEqual(await addons(), ['core-dns', 'ingress-nginx'])
  })
})
