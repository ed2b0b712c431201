import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { parse } from 'yaml'
import type { ClusterPki } from '#ports/control-plane-host.ts'
import type { KeyedCertificate } from './certificate.ts'
import { makePki } from './cluster-pki.ts'
import { kubeconfigText } from './kubeconfig.ts'
import { makeLeaves, renameApiServer, type LeafName } from './leaves.ts'

let folder: string
let pki: ClusterPki
let leaves: Record<LeafName, KeyedCertificate>

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edgehold-pki-'))
  pki = await makePki(Date.now())
  leaves = await makeLeaves({ pki, address: '10.64.3.7', serviceAddress: '10.96.0.1', advertised: ['203.0.113.9', 'edge.example'], now: Date.now() })
})
after(() => rmSync(folder, { recursive: true }))

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}
const openssl = (...words: string[]): string => execFileSync('openssl', words, { encoding: 'utf8' })

test('openssl accepts every leaf under its own authority and for its own purpose', () => {
  const authorities = { cluster: pki.caCert, etcd: pki.etcdCaCert, frontProxy: pki.frontProxyCaCert }
  const expected: Record<LeafName, [authority: keyof typeof authorities, purpose: string]> = {
    'apiserver': ['cluster', 'sslserver'], 'apiserver-kubelet-client': ['cluster', 'sslclient'], 'apiserver-etcd-client': ['etcd', 'sslclient'],
    'front-proxy-client': ['frontProxy', 'sslclient'], 'etcd': ['etcd', 'sslserver'], 'controller-manager': ['cluster', 'sslclient'],
    'controller-manager-serving': ['cluster', 'sslserver'], 'scheduler': ['cluster', 'sslclient'], 'scheduler-serving': ['cluster', 'sslserver'],
  }
  for (const [name, [authority, purpose]] of Object.entries(expected)) {
    const leaf = file(`${name}.crt`, leaves[name as LeafName].cert)
    assert.match(openssl('verify', '-x509_strict', '-purpose', purpose, '-CAfile', file('ca.crt', authorities[authority]), leaf), /OK/, name)
    const wrong = authority === 'etcd' ? authorities.cluster : authorities.etcd
    assert.notEqual(spawnSync('openssl', ['verify', '-CAfile', file('wrong.crt', wrong), leaf]).status, 0, `${name} under a foreign authority`)
  }
})

test('an API server can be named anew without a new key', async () => {
  const order = { pki, address: '10.64.3.7', serviceAddress: '10.96.0.1', advertised: ['new.example'], now: Date.now() }
  const leaf = new X509Certificate(await renameApiServer(order, leaves.apiserver.key))
  assert.ok(leaf.checkPrivateKey(createPrivateKey(leaves.apiserver.key)) && leaf.verify(new X509Certificate(pki.caCert).publicKey))
  assert.deepEqual([leaf.checkHost('new.example'), leaf.checkHost('edge.example'), leaf.checkIP('10.64.3.7')], ['new.example', undefined, '10.64.3.7'])
})

test('the API server is itself under every name that clients use', () => {
  const leaf = file('names.crt', leaves.apiserver.cert)
  for (const host of ['kubernetes', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local', 'edge.example'])
    assert.match(openssl('x509', '-in', leaf, '-noout', '-checkhost', host), /does match/, host)
  for (const ip of ['10.64.3.7', '10.96.0.1', '127.0.0.1', '203.0.113.9'])
    assert.match(openssl('x509', '-in', leaf, '-noout', '-checkip', ip), /does match/, ip)
  assert.match(openssl('x509', '-in', leaf, '-noout', '-checkip', '10.64.3.8'), /does NOT match/)
})

test('keys belong to their certificates and the service-account pair to itself', () => {
  for (const [name, leaf] of Object.entries(leaves))
    assert.equal(openssl('pkey', '-in', file('k', leaf.key), '-pubout'), openssl('x509', '-in', file('c', leaf.cert), '-noout', '-pubkey'), name)
  assert.equal(openssl('pkey', '-in', file('sa', pki.serviceAccountKey), '-pubout').trim(), pki.serviceAccountPublicKey.trim())
})

test('a kubeconfig holds what it was given, whatever the cluster is called', () => {
  const text = kubeconfigText({ server: 'https://10.64.3.7:6443', caCert: pki.caCert, clusterName: 'shop: "one"', userName: 'edgehold:kubeconfig:k1', credentials: leaves.scheduler })
  const read = parse(text) as { 'current-context': string; users: { user: Record<string, string> }[]; clusters: { cluster: Record<string, string> }[] }
  assert.equal(read['current-context'], 'shop: "one"')
  assert.equal(Buffer.from(read.users[0]!.user['client-key-data']!, 'base64').toString(), leaves.scheduler.key)
  assert.equal(read.clusters[0]!.cluster['server'], 'https://10.64.3.7:6443')
})
