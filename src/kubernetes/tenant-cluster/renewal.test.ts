import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:https'
import { test } from 'node:test'
import type { Clock } from '#ports/clock.ts'
import { signer } from '../pki/certificate.ts'
import { makePki } from '../pki/cluster-pki.ts'
import { KubernetesTenantCluster } from './kubernetes-tenant-cluster.ts'

/** A loopback address of its own for each run, since an API server's port is always the same. */
const ADDRESS = `127.${randomInt(16, 250)}.${randomInt(250)}.${randomInt(2, 250)}`
const DAY_MS = 24 * 60 * 60_000

test('a watch goes on when the certificate it began with is renewed', { timeout: 20_000 }, async () => {
  let now = Date.now()
  const clock: Clock = { now: () => now, sleep: () => new Promise(resolve => setImmediate(resolve)) }
  const pki = await makePki(now)
  const sign = await signer({ cert: pki.caCert, key: pki.caKey })
  const { cert, key } = await sign({ commonName: 'kube-apiserver', use: 'server', ipAddresses: [ADDRESS], now, validMs: DAY_MS })
  let nodes: string[] = ['before']
  let breakWatches = (): void => {}
  const server = createServer({ cert, key }, (request, response) => {
    if (request.url?.includes('watch=1')) {
      response.writeHead(200).flushHeaders()
      const former = breakWatches
      breakWatches = () => { former(); response.destroy() }
      return
    }
    const items = request.url?.startsWith('/api/v1/nodes?') ? nodes.map(name => ({ metadata: { name, resourceVersion: '1' } })) : []
    response.end(JSON.stringify({ metadata: { resourceVersion: '1' }, items }))
  }).listen(6443, ADDRESS)
  await once(server, 'listening')
  const stop = new AbortController()
  try {
    const tenant = new KubernetesTenantCluster(clock)
    const cluster = { clusterId: 'c1', address: ADDRESS, pki }
    const seen: string[] = []
    const heard = (name: string): Promise<void> => new Promise((resolve, reject) => {
      const look = (): void => { if (seen.includes(name)) resolve() }
      listeners.push(look)
      look()
      stop.signal.addEventListener('abort', () => reject(new Error(`never heard of ${name}; heard ${seen.join(', ')}`)))
    })
    const listeners: (() => void)[] = []
    const hear = (name: string): void => {
      seen.push(name)
      for (const look of listeners) look()
    }
    const watching = tenant.watch(cluster, {
      onSync: async list => { for (const node of list) hear(node.name) },
      onChange: async () => {}, onGone: async () => {}, isMember: async () => true,
      onLost: async why => hear(`lost: ${why}`),
    }, stop.signal)
    await heard('before')

    // Half of the certificate's life goes by; whoever asks next gets a session with a new one.
    now += 20 * DAY_MS
    await tenant.getNode(cluster, 'before')
    nodes = ['after']
    breakWatches() // the server ends each watch every few minutes
    const late = setTimeout(() => stop.abort(), 5_000)
    await heard('after')
    clearTimeout(late)
    assert.deepEqual(seen.filter(word => word.startsWith('lost')), [])
    stop.abort()
    await watching
  } finally {
    stop.abort()
    server.closeAllConnections()
    server.close()
  }
})
