import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'
import { parse } from 'yaml'
import { ApiClient, ApiRefusal } from '#kubernetes/client/api-client.ts'
import { signer, type KeyedCertificate } from '#kubernetes/pki/certificate.ts'
import { KubernetesTenantCluster } from '#kubernetes/tenant-cluster/kubernetes-tenant-cluster.ts'
import type { ControlPlaneOrder } from '#ports/control-plane-host.ts'
import type { NodeSeen } from '#ports/tenant-cluster.ts'
import { administrator, clock, missingForControlPlanes, Region, until, untilUsable } from './control-plane-harness.ts'

const skip = missingForControlPlanes() ?? false
const CSRS = '/apis/certificates.k8s.io/v1/certificatesigningrequests'
const base = { serviceCidr: '172.21.0.0/16', podCidr: '172.20.0.0/16', registry: '10.0.0.1:5000' }

/** A kubelet's certificate request, as PEM in base64. */
async function requestText(nodeName: string, names: { type: 'dns' | 'ip'; value: string }[] = []): Promise<string> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [{ O: ['system:nodes'] }, { CN: [`system:node:${nodeName}`] }], keys, signingAlgorithm: algorithm,
    extensions: names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : [],
  })
  return Buffer.from(request.toString('pem')).toString('base64')
}

interface Seen { metadata: { name: string }; status?: { certificate?: string; conditions?: { type: string }[] } }

suite('the inside of a tenant cluster', { skip, timeout: 240_000 }, () => {
  let region: Region
  let order: ControlPlaneOrder
  let admin: ApiClient
  const tenant = new KubernetesTenantCluster(clock)
  const members = new Set<string>()
  /** By which members reached us, where that is known. */
  const addresses = new Map<string, string>()
  const stop = new AbortController()
  const story: string[] = []
  const nodes = new Map<string, NodeSeen>()
  let watching: Promise<void>

  before(async () => {
    region = await Region.make()
    order = await region.order('ctenant0000000000001', 'v1.35.4')
    await region.host.ensure(order)
    await untilUsable(order)
    admin = await administrator(order)
    await tenant.ensureBase(order, base)
    watching = tenant.watch(order, {
      async onSync(list) { story.push('sync'); nodes.clear(); for (const node of list) nodes.set(node.name, node) },
      async onChange(node) { nodes.set(node.name, node) },
      async onGone(name) { nodes.delete(name) },
      async onLost() { story.push('lost') },
      isMember: async name => {
        const address = addresses.get(name)
        return members.has(name) && (address === undefined || { address })
      },
    }, stop.signal)
  })
  after(async () => {
    stop.abort()
    await watching
    await admin?.close()
    await region?.[Symbol.asyncDispose]()
  })

  const makeNode = (name: string): Promise<unknown> => admin.json('POST', '/api/v1/nodes', { body: { apiVersion: 'v1', kind: 'Node', metadata: { name } } })
  async function join(...names: string[]): Promise<void> {
    for (const name of names) members.add(name)
    await tenant.ensureMembers(order, [...members])
  }

  test('the probe sees everything that makes it usable', async () => {
    const probe = await until('all parts are healthy', 30_000, async () => {
      const seen = await tenant.probe(order)
      return seen.ready && seen.scheduler && seen.controllerManager && seen.defaultServiceAccount && seen.baseApplied && seen
    })
    assert.deepEqual(probe.dns, { available: 0, wanted: 0, schedulableNodes: 0 })
  })

  test('the default ServiceAccount is told as soon as it is there', async () => {
    const account = '/api/v1/namespaces/default/serviceaccounts/default'
    await tenant.awaitDefaultServiceAccount(order, 10_000)
    const uid = (await admin.find<{ metadata: { uid: string } }>(account))?.metadata.uid
    await admin.remove(account)
    await until('another one is told', 30_000, async () => {
      await tenant.awaitDefaultServiceAccount(order, 10_000)
      const now = (await admin.find<{ metadata: { uid: string } }>(account))?.metadata.uid
      return now !== undefined && now !== uid
    })
  })

  test('a base whose DNS somebody deleted does not count as applied, and comes back', async () => {
    await admin.remove('/apis/apps/v1/namespaces/kube-system/deployments/coredns')
    assert.equal((await tenant.probe(order)).baseApplied, false)
    await tenant.ensureBase(order, base)
    assert.equal((await tenant.probe(order)).baseApplied, true)
  })

  test('only members get a Node object, and strangers are told why', async () => {
    await until('a stranger is refused with our sentence', 20_000, async () => {
      try {
        await makeNode('stranger')
        await admin.remove('/api/v1/nodes/stranger')
        return false
      } catch (error) {
        return error instanceof ApiRefusal && error.httpStatus === 403 && error.message.includes('The machine stranger is no member of this cluster')
      }
    })
    await join('shop-1')
    await until('a member is let in', 20_000, async () => makeNode('shop-1').then(() => true))
    await until('the watch shows it', 5_000, async () => nodes.has('shop-1'))
    await tenant.ensureNodeGone(order, 'shop-1')
    await tenant.ensureNodeGone(order, 'shop-1')
    await until('the watch shows that it went', 5_000, async () => !nodes.has('shop-1'))
    members.delete('shop-1')
    await tenant.ensureMembers(order, [])
    await until('the removed one is refused', 20_000, async () => makeNode('shop-1').then(async () => { await tenant.ensureNodeGone(order, 'shop-1'); return false }, (error: unknown) => error instanceof ApiRefusal && error.httpStatus === 403))
  })

  test('a bootstrap token gets a certificate for its own name and for no other', async () => {
    await join('shop-2', 'shop-3')
    const token = await tenant.issueBootstrapToken(order, 'shop-2', 600)
    assert.match(token, /^[a-z0-9]{6}\.[a-z0-9]{16}$/)
    const submit = async (name: string, nodeName: string): Promise<void> => {
      const answer = await fetchAs(order, token, CSRS, {
        metadata: { name }, spec: { signerName: 'kubernetes.io/kube-apiserver-client-kubelet', request: await requestText(nodeName), usages: ['digital signature', 'client auth'] },
      })
      assert.equal(answer, 201)
    }
    await submit('for-another', 'shop-3')
    await submit('for-itself', 'shop-2')
    await until('the right one is approved and signed', 15_000, async () => (await admin.json<Seen>('GET', `${CSRS}/for-itself`)).status?.certificate !== undefined)
    assert.equal((await admin.json<Seen>('GET', `${CSRS}/for-another`)).status?.conditions, undefined)

    const next = await tenant.issueBootstrapToken(order, 'shop-2', 600)
    // The API server remembers a good token for ten seconds.
    await until('the earlier token is dead', 20_000, async () => await fetchAs(order, token, CSRS, {}) === 401)
    assert.notEqual(next, token)
  })

  test('a kubelet’s serving certificate is approved for the addresses that Node and machine have, by its own word', async () => {
    await join('shop-4')
    await until('the node is let in', 20_000, async () => makeNode('shop-4').then(() => true))
    await admin.json('PATCH', '/api/v1/nodes/shop-4/status', { contentType: 'application/merge-patch+json', body: { status: { addresses: ['10.9.8.7', '10.9.8.6'].map(address => ({ type: 'InternalIP', address })) } } })
    const kubelet = await kubeletOf(order, 'shop-4')
    const submit = async (name: string, address: string): Promise<void> => {
      await kubelet.json('POST', CSRS, {
        body: { metadata: { name }, spec: { signerName: 'kubernetes.io/kubelet-serving', usages: ['digital signature', 'server auth'], request: await requestText('shop-4', [{ type: 'dns', value: 'shop-4' }, { type: 'ip', value: address }]) } },
      })
    }
    await submit('foreign-address', '10.9.8.8')
    // A kubelet writes the addresses of its Node itself, so one that its machine never had proves nothing.
    addresses.set('shop-4', '10.9.8.7')
    await submit('claimed-address', '10.9.8.6')
    await submit('own-address', '10.9.8.7')
    await until('its own address is approved', 15_000, async () => (await admin.json<Seen>('GET', `${CSRS}/own-address`)).status?.certificate !== undefined)
    for (const name of ['foreign-address', 'claimed-address']) assert.equal((await admin.json<Seen>('GET', `${CSRS}/${name}`)).status?.conditions, undefined, name)

    // Its other rights: what flanneld and kube-proxy need with the same certificate, and nothing of other nodes.
    await kubelet.json('GET', '/api/v1/nodes')
    await kubelet.json('GET', '/api/v1/services')
    await kubelet.json('GET', '/apis/discovery.k8s.io/v1/endpointslices')
    await kubelet.json('PATCH', '/api/v1/nodes/shop-4/status', { contentType: 'application/strategic-merge-patch+json', body: { metadata: { annotations: { 'flannel.alpha.coreos.com/public-ip': '10.9.8.7' } } } })
    await join('shop-5')
    await until('the other node is let in', 20_000, async () => makeNode('shop-5').then(() => true))
    await assert.rejects(kubelet.json('PATCH', '/api/v1/nodes/shop-5/status', { contentType: 'application/merge-patch+json', body: { metadata: { annotations: { x: 'y' } } } }), { kind: 'ApiRefusal', httpStatus: 403 })
    await kubelet.close()
  })

  test('labels and taints follow the pool, and what others put there stays', async () => {
    assert.equal(await tenant.ensureNodeConfig(order, 'nowhere', { labels: [], taints: [] }), 'pending')
    await admin.json('PATCH', '/api/v1/nodes/shop-5', { contentType: 'application/merge-patch+json', body: { metadata: { labels: { theirs: 'yes' } } } })
    await tenant.ensureNodeConfig(order, 'shop-5', { labels: [{ key: 'tier', value: 'a' }, { key: 'old', value: '1' }], taints: [{ key: 'edge', value: 'x', effect: 'NoExecute' }] })
    assert.equal(await tenant.ensureNodeConfig(order, 'shop-5', { labels: [{ key: 'tier', value: 'b' }], taints: [] }), 'done')
    const node = await tenant.getNode(order, 'shop-5')
    assert.equal(node?.labels['tier'], 'b')
    assert.equal(node?.labels['theirs'], 'yes')
    assert.equal(node?.labels['old'], undefined)
    assert.ok(!node?.taints.some(taint => taint.key === 'edge'))
  })

  test('cordon, evict and uncordon', async () => {
    const pod = (name: string, more: object = {}): Promise<unknown> => admin.json('POST', '/api/v1/namespaces/default/pods', {
      body: { metadata: { name, ...more }, spec: { nodeName: 'shop-5', terminationGracePeriodSeconds: 0, containers: [{ name: 'a', image: 'x' }] } },
    })
    await pod('leaves')
    await pod('stays', { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'd', uid: 'u', controller: true }] })
    await tenant.setSchedulable(order, 'shop-5', false)
    assert.equal((await tenant.getNode(order, 'shop-5'))?.unschedulable, true)
    await until('the pod that can leave has left', 30_000, async () => await tenant.evict(order, 'shop-5') === 0)
    assert.equal(await admin.find('/api/v1/namespaces/default/pods/leaves'), undefined)
    await tenant.setSchedulable(order, 'shop-5', true)
    assert.equal((await tenant.getNode(order, 'shop-5'))?.unschedulable, false)
    await tenant.setSchedulable(order, 'nowhere', false)
  })

  test('a kubeconfig works until it is revoked', async () => {
    const text = await tenant.issueKubeconfig(order, { id: 'k1', clusterName: 'shop', validHours: 1 })
    const user = clientOf(text, order)
    await until('it works', 10_000, async () => user.json('GET', '/api/v1/nodes').then(() => true))
    await tenant.revokeKubeconfig(order, 'k1')
    await tenant.revokeKubeconfig(order, 'k1')
    await until('it is refused', 10_000, async () => user.json('GET', '/api/v1/nodes').then(() => false, (error: unknown) => error instanceof ApiRefusal && error.httpStatus === 403))
    await user.close()
  })

  test('a lost watch is told, and a whole list follows when it is back', async () => {
    const before = story.length
    const { components } = await region.host.look(order.clusterId)
    process.kill(components.find(component => component.name === 'kube-apiserver')?.pid ?? Number.NaN, 'SIGKILL')
    await until('lost, then whole again', 60_000, async () => story.slice(before).join(' ').startsWith('lost sync'))
    await tenant.setSchedulable(order, 'shop-5', false)
    await until('and events flow again', 10_000, async () => nodes.get('shop-5')?.unschedulable === true)
  })

  test('a cluster that is not there cannot be looked at, and is not ready', async () => {
    const nobody = { ...order, clusterId: 'cnobody', address: '127.0.0.1' }
    await assert.rejects(tenant.getNode(nobody, 'x'), { kind: 'TenantClusterUnreachable' })
    assert.equal((await tenant.probe(nobody)).ready, false)
  })
})

async function kubeletOf(order: ControlPlaneOrder, nodeName: string): Promise<ApiClient> {
  const sign = await signer({ cert: order.pki.caCert, key: order.pki.caKey })
  const credentials = await sign({ commonName: `system:node:${nodeName}`, organizations: ['system:nodes'], use: 'client', now: Date.now(), validMs: 3_600_000 })
  return new ApiClient({ server: `https://${order.address}:6443`, caCert: order.pki.caCert, credentials })
}

function clientOf(kubeconfig: string, order: ControlPlaneOrder): ApiClient {
  const { users } = parse(kubeconfig) as { users: { user: Record<string, string> }[] }
  const text = (key: string): string => Buffer.from(users[0]?.user[key] ?? '', 'base64').toString()
  const credentials: KeyedCertificate = { cert: text('client-certificate-data'), key: text('client-key-data') }
  return new ApiClient({ server: `https://${order.address}:6443`, caCert: order.pki.caCert, credentials })
}

/** The HTTP status of a POST with a bearer token. */
async function fetchAs(order: ControlPlaneOrder, token: string, path: string, body: object): Promise<number> {
  const { request, Agent } = await import('undici')
  const dispatcher = new Agent({ connect: { ca: order.pki.caCert } })
  const answer = await request(`https://${order.address}:6443${path}`, { method: 'POST', dispatcher, headers: { 'authorization': `Bearer ${token}`, 'content-type': 'application/json' }, body: JSON.stringify(body) })
  await answer.body.dump()
  await dispatcher.close()
  return answer.statusCode
}
