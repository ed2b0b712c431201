import assert from 'node:assert/strict'
import { test } from 'node:test'
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'
import type { CertificateRequestObject } from '../client/objects.ts'
import { CLIENT_SIGNER, judgeRequest, SERVING_SIGNER } from './judge-request.ts'

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const TOKEN = { username: 'system:bootstrap:abcdef', groups: ['system:bootstrappers', 'system:bootstrappers:edgehold', 'system:authenticated'] }
const SELF = { username: 'system:node:shop-1', groups: ['system:nodes', 'system:authenticated'] }
const CLIENT = ['digital signature', 'client auth']
const SERVING = ['digital signature', 'server auth']

type Name = { type: 'dns' | 'ip' | 'email'; value: string }

async function request(options: { signer: string; usages: string[]; who: { username: string; groups: string[] }; commonName?: string; organizations?: string[]; names?: Name[] }): Promise<CertificateRequestObject> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const pkcs10 = await x509.Pkcs10CertificateRequestGenerator.create({
    keys, signingAlgorithm: ALGORITHM,
    name: [...(options.organizations ?? ['system:nodes']).map(O => ({ O: [O] })), { CN: [options.commonName ?? 'system:node:shop-1'] }],
    extensions: options.names ? [new x509.SubjectAlternativeNameExtension(options.names)] : [],
  })
  return { metadata: { name: 'r' }, spec: { signerName: options.signer, usages: options.usages, ...options.who, request: Buffer.from(pkcs10.toString('pem')).toString('base64') } }
}

const good: [what: string, options: Parameters<typeof request>[0], judged: object][] = [
  ['a first request with a token', { signer: CLIENT_SIGNER, usages: CLIENT, who: TOKEN }, { nodeName: 'shop-1', tokenId: 'abcdef', ipAddresses: [] }],
  ['a renewal by the node itself', { signer: CLIENT_SIGNER, usages: ['key encipherment', ...CLIENT], who: SELF }, { nodeName: 'shop-1', ipAddresses: [] }],
  ['a serving request', { signer: SERVING_SIGNER, usages: SERVING, who: SELF, names: [{ type: 'dns', value: 'shop-1' }, { type: 'ip', value: '10.1.2.3' }] }, { nodeName: 'shop-1', ipAddresses: ['10.1.2.3'] }],
]
for (const [what, options, judged] of good)
  test(`${what} is judged good`, async () => assert.deepEqual(judgeRequest(await request(options)), judged))

const bad: [what: string, options: Parameters<typeof request>[0]][] = [
  ['an administrator’s group', { signer: CLIENT_SIGNER, usages: CLIENT, who: TOKEN, organizations: ['system:nodes', 'system:masters'] }],
  ['no group at all', { signer: CLIENT_SIGNER, usages: CLIENT, who: TOKEN, organizations: [] }],
  ['a user who is no node', { signer: CLIENT_SIGNER, usages: CLIENT, who: TOKEN, commonName: 'admin' }],
  ['a node without a name', { signer: CLIENT_SIGNER, usages: CLIENT, who: TOKEN, commonName: 'system:node:' }],
  ['another node', { signer: CLIENT_SIGNER, usages: CLIENT, who: { ...SELF, username: 'system:node:shop-2' } }],
  ['a node’s name without a node’s group', { signer: CLIENT_SIGNER, usages: CLIENT, who: { ...SELF, groups: [] } }],
  ['a person', { signer: CLIENT_SIGNER, usages: CLIENT, who: { username: 'edgehold:kubeconfig:k1', groups: ['system:authenticated'] } }],
  ['a serving certificate with a token', { signer: SERVING_SIGNER, usages: SERVING, who: TOKEN, names: [{ type: 'dns', value: 'shop-1' }] }],
  ['a serving certificate for a foreign name', { signer: SERVING_SIGNER, usages: SERVING, who: SELF, names: [{ type: 'dns', value: 'kubernetes' }] }],
  ['a serving certificate for nobody', { signer: SERVING_SIGNER, usages: SERVING, who: SELF }],
  ['a client certificate with names', { signer: CLIENT_SIGNER, usages: CLIENT, who: SELF, names: [{ type: 'dns', value: 'shop-1' }] }],
  ['a client certificate that serves', { signer: CLIENT_SIGNER, usages: [...CLIENT, 'server auth'], who: SELF }],
  ['a client certificate that does not say so', { signer: CLIENT_SIGNER, usages: ['digital signature'], who: SELF }],
  ['another signer', { signer: 'kubernetes.io/kube-apiserver-client', usages: CLIENT, who: SELF }],
]
for (const [what, options] of bad)
  test(`${what} is refused`, async () => assert.ok('refused' in judgeRequest(await request(options))))

test('what is no request is refused', () => {
  assert.ok('refused' in judgeRequest({ metadata: { name: 'r' }, spec: { signerName: CLIENT_SIGNER, request: 'AAAA', usages: CLIENT, ...TOKEN } }))
})
