import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addonId } from '#model/addon/record.ts'
import type { AddonSeen } from '#ports/addon-installer.ts'
import { TenantClusterUnreachable } from '#ports/tenant-cluster.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { addCluster, becauseOf, NOON, SCOPE } from '#test/harness/sample-records.ts'
import { addonController, type AddonPorts } from './reconcile.ts'

const SECOND = 1_000, DAY = 24 * 60 * 60 * SECOND
const WHOLE = { workloads: [] } as unknown as AddonSeen

/** A cluster with an add-on that was applied and is looked at when the test says so. */
async function opened() {
  const store = new MemoryStore(() => NOON)
  const clusterId = await store.write(NOON, tx => addCluster(tx, 'shop')), id = addonId(clusterId, 'ingress-nginx')
  await store.write(NOON, tx => tx.insertAddon({ id, ...SCOPE, clusterId, spec: { name: 'ingress-nginx', version: 'v1', deployMode: 'Unmanaged', deployNodeType: 'EdgeNode' }, facts: { applied: { version: 'v1', at: NOON }, reasons: {}, obstacles: [] } }, becauseOf('CreateAddon')))
  let now = NOON, isBlind = false
  const addons = {
    look: async () => {
      if (isBlind) throw new TenantClusterUnreachable('listing pods timed out after 5 s')
      return WHOLE
    },
  }
  const controller = addonController({ store, regionOf: () => ({ clock: { now: () => now }, addons }), tenantAddressOf: async () => ({ clusterId }) } as unknown as AddonPorts)
  const pass = () => controller.reconcile(id, new AbortController().signal).then(() => 'seen', () => 'blind')
  return {
    wait(ms: number) { now += ms },
    setBlind(to: boolean) { isBlind = to },
    pass,
    staleSince: async () => (await store.findAddon(id))?.facts.staleSince,
  }
}

test('an add-on that was well for days is stale when looks at it have failed for 30 s, and not at the first one', async () => {
  const addon = await opened()
  assert.equal(await addon.pass(), 'seen')
  for (let times = 0; times < 2; times++) {
    addon.wait(10 * DAY)
    addon.setBlind(true)
    assert.deepEqual([await addon.pass(), await addon.staleSince()], ['blind', undefined])
    addon.wait(29 * SECOND)
    assert.deepEqual([await addon.pass(), await addon.staleSince()], ['blind', undefined])
    addon.wait(SECOND)
    assert.deepEqual([await addon.pass(), await addon.staleSince()], ['blind', NOON + (times + 1) * 10 * DAY + times * 30 * SECOND])
    addon.setBlind(false)
    assert.deepEqual([await addon.pass(), await addon.staleSince()], ['seen', undefined])
  }
})

test('looks that fail now and then, with one between them that does not, make nothing stale', async () => {
  const addon = await opened()
  for (const isBlind of [true, false, true]) {
    addon.setBlind(isBlind)
    assert.equal(await addon.pass(), isBlind ? 'blind' : 'seen')
    addon.wait(DAY)
  }
  assert.equal(await addon.staleSince(), undefined)
})
