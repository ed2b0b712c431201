import assert from 'node:assert/strict'
import { test } from 'node:test'
import { componentArguments, nodeCidrMaskSize } from './arguments.ts'

const order = { clusterId: 'c1', name: 'shop', version: 'v1.34.4', address: '10.64.3.7', podCidr: '10.32.0.0/14', serviceCidr: '10.96.0.0/16', maxPodsPerNode: 110 }
const places = { pki: '/run/x/pki', etcdData: '/var/x/etcd' }

for (const version of ['v1.34.4', 'v1.35.4']) {
  test(`the API server of ${version} reaches pods and kubelets, and answers to nobody it should not`, () => {
    const words = componentArguments('kube-apiserver', { ...order, version }, places)
    for (const word of [
      '--enable-aggregator-routing=true', '--kubelet-preferred-address-types=InternalIP', '--kubelet-certificate-authority=/run/x/pki/ca.crt', '--enable-bootstrap-token-auth=true',
      '--authorization-mode=Node,RBAC', '--enable-admission-plugins=NodeRestriction', '--advertise-address=10.64.3.7', '--requestheader-allowed-names=front-proxy-client',
    ]) assert.ok(words.includes(word), word)
  })
  test(`the controller manager of ${version} notices many silent nodes and gives each node its range`, () => {
    const words = componentArguments('kube-controller-manager', { ...order, version }, places)
    for (const word of ['--kube-api-qps=500', '--allocate-node-cidrs=true', '--cluster-cidr=10.32.0.0/14', '--node-cidr-mask-size=24', '--leader-elect=false', '--cluster-signing-key-file=/run/x/pki/ca.key'])
      assert.ok(words.includes(word), word)
  })
}

test('no component is told something twice', () => {
  for (const component of ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const) {
    const names = componentArguments(component, order, places).map(word => word.split('=')[0])
    assert.equal(new Set(names).size, names.length, component)
  }
})

const masks: [podCidr: string, maxPods: number, mask: number][] = [
  ['10.32.0.0/14', 110, 24],
  ['10.32.0.0/14', 64, 25],
  ['10.32.0.0/14', 128, 24],
  ['10.32.0.0/14', 256, 23],
  ['10.0.0.0/8', 64, 24], // 25 would be more than 16 bits longer than the cluster's range
  ['10.1.2.0/24', 256, 24], // never wider than the cluster's range
]
for (const [podCidr, maxPods, mask] of masks)
  test(`a node of ${maxPods} pods in ${podCidr} gets a /${mask}`, () => assert.equal(nodeCidrMaskSize(podCidr, maxPods), mask))
