import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:https'
import { test } from 'node:test'
import { TenantClusterUnreachable } from '#ports/tenant-cluster.ts'
import { signer } from '../pki/certificate.ts'
import { makePki } from '../pki/cluster-pki.ts'
import { KubernetesTenantCluster } from './kubernetes-tenant-cluster.ts'

/** A loopback address of its own for each run, since an API server's port is always the same. */
const ADDRESS = `127.${randomInt(16, 250)}.${randomInt(250)}.${randomInt(2, 250)}`
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases'

test('the last heartbeat of a node is the last renewal of its Lease', async () => {
  const now = Date.now()
  const pki = await makePki(now)
  const sign = await signer({ cert: pki.caCert, key: pki.caKey })
  const { cert, key } = await sign({ commonName: 'kube-apiserver', use: 'server', ipAddresses: [ADDRESS], now, validMs: 86_400_000 })
  const answers: Readonly<Record<string, readonly [status: number, body: object]>> = {
    [`${LEASES}/till-1`]: [200, { metadata: { name: 'till-1' }, spec: { renewTime: '2026-11-25T20:12:57.000250Z' } }],
    [`${LEASES}/till-2`]: [200, { metadata: { name: 'till-2' }, spec: {} }],
    [`${LEASES}/till-4`]: [500, { message: 'etcd is away' }],
  }
  const server = createServer({ cert, key }, (request, response) => {
    const [status, body] = answers[request.url ?? ''] ?? [404, { message: 'not there', reason: 'NotFound' }]
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }).listen(6443, ADDRESS)
  await once(server, 'listening')
  try {
    const tenant = new KubernetesTenantCluster({ now: () => Date.now(), sleep: () => Promise.resolve() })
    const ask = (name: string) => tenant.leaseRenewedAt({ clusterId: 'c1', address: ADDRESS, pki }, name)
    assert.equal(await ask('till-1'), Date.UTC(2026, 10, 25, 20, 12, 57))
    assert.deepEqual([await ask('till-2'), await ask('till-3')], [undefined, undefined])
    await assert.rejects(ask('till-4'), TenantClusterUnreachable)
  } finally {
    server.closeAllConnections()
    server.close()
  }
})
