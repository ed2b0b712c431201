import assert from 'node:assert/strict'
import { test } from 'node:test'
import { becauseOf, addCluster, SCOPE } from '#test/harness/sample-records.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import type { TenantCluster, TenantClusterAddress } from '#ports/tenant-cluster.ts'
import { kubeconfigController, type KubeconfigPorts } from './reconcile.ts'

const clock = { now: () => 1_000, sleep: async () => {} }

/** The `server` that a kubeconfig of the type is made with. */
async function serverOf(type: 'Public' | 'Private', outsideUrl?: (address: string) => string | undefined): Promise<string | undefined> {
  const store = new MemoryStore(clock.now)
  await store.write(0, async tx => {
    await addCluster(tx, 'shop')
    const cluster = await tx.lockCluster('c-shop')
    assert.ok(cluster)
    await tx.changeCluster('c-shop', { address: '10.213.4.7', facts: { ...cluster.facts, controlPlane: 'usable', firstReadyAt: 0 } }, becauseOf('test'))
    await tx.insertKubeconfig({ id: 'k1', ...SCOPE, clusterId: 'c-shop', type, userId: 1, roleId: 0, createdAt: 0, expiresAt: 3_600_000 })
  })
  const asked: (string | undefined)[] = []
  const tenant: Pick<TenantCluster, 'issueKubeconfig'> = { issueKubeconfig: async (_cluster, { server }) => { asked.push(server); return 'text' } }
  const ports: KubeconfigPorts = {
    store,
    regionOf: () => ({ clock, tenant: tenant as TenantCluster, ...(outsideUrl && { outsideUrl }) }),
    tenantAddressOf: async ({ id, address }) => ({ clusterId: id, address: address ?? '', pki: {} as TenantClusterAddress['pki'] }),
  }
  await kubeconfigController(ports).reconcile('k1', new AbortController().signal)
  assert.equal((await store.findKubeconfig('k1'))?.text, Buffer.from('text').toString('base64'))
  assert.equal(asked.length, 1)
  return asked[0]
}

test('a public kubeconfig names the outside address where there is one, a private one never', async () => {
  const outside = (address: string): string => `https://edge.example:26002/?${address}`
  assert.equal(await serverOf('Public', outside), 'https://edge.example:26002/?10.213.4.7')
  assert.equal(await serverOf('Private', outside), undefined)
  assert.equal(await serverOf('Public', () => undefined), undefined)
  assert.equal(await serverOf('Public'), undefined)
})
