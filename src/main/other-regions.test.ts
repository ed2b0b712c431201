import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RegionPorts } from '#api/regions.ts'
import { BaseAddons } from '#kubernetes/tenant-cluster/base-addons.ts'
import type { KubernetesTenantCluster } from '#kubernetes/tenant-cluster/kubernetes-tenant-cluster.ts'
import type { Components } from '#ports/components.ts'
import type { Log } from '#ports/log.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { findOtherRegions } from './other-regions.ts'

const COMPONENTS = { kubernetesVersions: () => ['v1.34.4', 'v1.35.4'] } as unknown as Components

async function shownElsewhere(settings: Record<string, unknown>): Promise<RegionPorts> {
  const store = new MemoryStore(() => 0), regions = new Map<string, RegionPorts>()
  await store.write(0, tx => tx.putRegion({ region: 'local-1', kind: 'Local', ready: true, text: '', settings }))
  await findOtherRegions({ store, own: 'local-2', regions, components: COMPONENTS, log: {} as Log })
  return regions.get('local-1') ?? assert.fail('it is not known here')
}

test('a region of another host has the add-ons that it has there, so that clusters which are ordered here get those that every cluster has', async () => {
  const there = new BaseAddons({} as KubernetesTenantCluster, () => ['1.34', '1.35'])
  assert.deepEqual((await shownElsewhere({})).addons?.catalogue(), there.catalogue())
})

test('its quotas are set and shown here, too', async () => {
  const region = await shownElsewhere({})
  await region.quotas?.setQuota('Machine', '2100000001', 2)
  assert.deepEqual(await region.quotas?.quotas('2100000001'), [{ kind: 'Machine', limit: 2, held: 0 }])
})

test('its clusters are shown by the address that is advertised there, and its scripts by the whole line', async () => {
  const join = { url: 'https://192.0.2.7:7443', pin: 'p', note: '  # a remark' }
  const region = await shownElsewhere({ join, advertise: '192.0.2.7' })
  assert.equal(region.publicAddress?.(), '192.0.2.7')
  assert.match(region.bootstrapLine?.('token-1') ?? '', /https:\/\/192\.0\.2\.7:7443\/join\/script\/token-1 .* {2}# a remark$/)
  assert.equal((await shownElsewhere({ join: { url: join.url, pin: join.pin }, advertise: null })).publicAddress?.(), undefined)
})
