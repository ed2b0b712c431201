import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { isRefusal, soundsGone } from '../errors/catalogue.ts'
import { checkClusterRanges, nodeRangePrefix } from './ranges.ts'
import { parseCreateCluster, parseDeleteCluster, parseUpdateCluster } from './validate.ts'

const SERVED = ['v1.34.4', 'v1.35.4']
/** The official Terraform example's body. */
const EXAMPLE = {
  Name: 'acc-test-2', Description: 'created by terraform', KubernetesVersion: 'v1.24.15-veecp.1', Profile: 'Edge',
  ClusterConfig: { SubnetIds: ['subnet-1'], ApiServerPublicAccessEnabled: true, ApiServerPublicAccessConfig: { PublicAccessNetworkConfig: { BillingType: 2, Bandwidth: 1 } }, ResourcePublicAccessDefaultEnabled: true },
  PodsConfig: { PodNetworkMode: 'Flannel', FlannelConfig: { PodCidrs: ['172.22.224.0/20'], MaxPodsPerNode: 64 } },
  ServicesConfig: { ServiceCidrsv4: ['172.30.0.0/18'] },
}

/** The example with the value at a dotted path replaced; undefined takes it away. */
function example(path: string, value: unknown): unknown {
  const body = structuredClone(EXAMPLE) as Record<string, unknown>
  const names = path.split('.')
  let at = body
  for (const name of names.slice(0, -1)) at = at[name] as Record<string, unknown>
  if (value === undefined) delete at[names.at(-1) ?? '']
  else at[names.at(-1) ?? ''] = value
  return body
}

function codeOf(work: () => unknown): string {
  try {
    work()
    return 'accepted'
  } catch (error) {
    assert.ok(isRefusal(error), String(error))
    return error.wireCode
  }
}
const create = (path: string, value: unknown) => codeOf(() => parseCreateCluster(example(path, value), SERVED))

describe('CreateCluster', () => {
  test('the official example is taken member for member', () => {
    assert.deepEqual(parseCreateCluster(EXAMPLE, SERVED), {
      name: 'acc-test-2', description: 'created by terraform', profile: 'Edge', kubernetesVersion: 'v1.24.15-veecp.1', servedVersion: 'v1.34.4', deleteProtectionEnabled: false, edgeTunnelEnabled: false,
      subnetIds: ['subnet-1'], apiServerPublicAccessEnabled: true, publicAccess: { billingType: 2, bandwidth: 1 }, resourcePublicAccessDefaultEnabled: true,
      podNetworkMode: 'Flannel', podCidrs: ['172.22.224.0/20'], maxPodsPerNode: 64, vpcCniSubnetIds: [], serviceCidrs: ['172.30.0.0/18'], tags: [],
    })
  })

  test('unknown members are ignored, null counts as absent, defaults are filled in', () => {
    const spec = parseCreateCluster({ ...EXAMPLE, Description: null, Whatever: { deep: true }, LoggingConfig: { LogSetups: [] }, PodsConfig: { PodNetworkMode: 'Flannel', FlannelConfig: { PodCidrs: ['10.1.0.0/16'] } } }, SERVED)
    assert.deepEqual([spec.description, spec.maxPodsPerNode, spec.maxPodsPerNodeIsDefault, spec.logging], ['', 64, true, undefined])
  })

  test('names of 1, 2, 64 and 65 characters, and every forbidden form', () => {
    for (const name of ['ab', 'a'.repeat(64), '集群', '集群-1a', `集${'a'.repeat(63)}`, 'A-9', '𠀀集']) assert.equal(create('Name', name), 'accepted', name)
    for (const name of ['a', 'a'.repeat(65), '1ab', '-ab', 'ab-', 'a_b', 'a b', 'a.b', 'é1', 'ab\n', 'ａｂ', 'vke-default-nodepool', '集'.repeat(65), '', 'a😀b', '2']) assert.equal(create('Name', name), 'InvalidParameter.Name', JSON.stringify(name))
    assert.equal(create('Name', undefined), 'MissingParameter.Name')
    assert.equal(create('Name', 7), 'InvalidParameter.Name')
  })

  test('each member of the wrong type or value is refused by its name', () => {
    const wrong: readonly (readonly [path: string, value: unknown])[] = [
      ['Description', 'a'.repeat(301)], ['Description', 5], ['Profile', 'Cloud'], ['Profile', 'Other'], ['KubernetesVersion', 'latest'], ['KubernetesVersion', '9.99'], ['KubernetesVersion', 1.34], ['DeleteProtectionEnabled', 'true'],
      ['ClusterConfig', []], ['ClusterConfig.SubnetIds', 'subnet-1'], ['ClusterConfig.SubnetIds', [7]], ['ClusterConfig.SubnetIds', ['']], ['ClusterConfig.ApiServerPublicAccessEnabled', 1],
      ['ClusterConfig.ApiServerPublicAccessConfig.PublicAccessNetworkConfig.BillingType', 4], ['ClusterConfig.ApiServerPublicAccessConfig.PublicAccessNetworkConfig.BillingType', 'PostPaid'],
      ['ClusterConfig.ApiServerPublicAccessConfig.PublicAccessNetworkConfig.Bandwidth', 0], ['PodsConfig.PodNetworkMode', 'VpcCniShared'], ['PodsConfig.PodNetworkMode', 'Calico'],
      ['PodsConfig.FlannelConfig.MaxPodsPerNode', 65], ['PodsConfig.FlannelConfig.MaxPodsPerNode', 64.5], ['PodsConfig.FlannelConfig.MaxPodsPerNode', '64'],
      ...['172.22.224.0', '172.22.224.0/33', '172.22.224.1/20', '300.1.1.0/24', '10.0.0.0/08', 'fd00::/64', '172.22.224.0/25', '127.0.0.0/16', '0.0.0.0/0', '224.0.0.0/8', '10.0.0.0/7', '', ' 10.1.0.0/16', '10.1.0.0/16\n'].map(cidr => ['PodsConfig.FlannelConfig.PodCidrs', [cidr]] as const),
      ['PodsConfig.FlannelConfig.PodCidrs', ['10.1.0.0/16', '10.2.0.0/16']], ['PodsConfig.FlannelConfig.PodCidrs', '10.1.0.0/16'],
      ['ServicesConfig.ServiceCidrsv4', ['172.22.228.0/24']], ['ServicesConfig.ServiceCidrsv4', ['10.0.0.0/8']], ['ServicesConfig.ServiceCidrsv4', ['10.0.0.0/29']], ['ServicesConfig.ServiceCidrsv4', ['10.1.0.0/24', '10.2.0.0/24']],
      ['LoggingConfig', 'on'], ['ClientToken', 'ä'], ['ClientToken', 'a'.repeat(65)],
    ]
    for (const [path, value] of wrong) assert.equal(create(path, value), `InvalidParameter.${path}`, `${path} = ${JSON.stringify(value)}`)
    for (const path of ['Profile', 'ClusterConfig', 'ClusterConfig.SubnetIds', 'PodsConfig', 'PodsConfig.PodNetworkMode', 'PodsConfig.FlannelConfig', 'PodsConfig.FlannelConfig.PodCidrs', 'ServicesConfig', 'ServicesConfig.ServiceCidrsv4']) assert.equal(create(path, undefined), `MissingParameter.${path}`)
    for (const path of ['ClusterConfig.SubnetIds', 'PodsConfig.FlannelConfig.PodCidrs', 'ServicesConfig.ServiceCidrsv4']) assert.equal(create(path, []), `MissingParameter.${path}`)
  })

  test('tags and logging follow their own rules', () => {
    assert.deepEqual(parseCreateCluster({ ...EXAMPLE, Tags: [{ Key: ' k ', Value: ' v ' }, { Key: 'empty' }] }, SERVED).tags, [{ key: 'k', value: 'v' }, { key: 'empty', value: '' }])
    assert.equal(create('Tags', [{ Key: 'k' }, { Key: ' k' }]), 'InvalidParameter.Tags')
    assert.equal(create('Tags', [{ Key: 'volc:k' }]), 'InvalidParameter.Tags.Key')
    assert.equal(create('Tags', [{ Value: 'v' }]), 'MissingParameter.Tags.Key')
    assert.equal(create('Tags', Array.from({ length: 51 }, (_, index) => ({ Key: `k${index}` }))), 'InvalidParameter.Tags')
    assert.deepEqual(parseCreateCluster({ ...EXAMPLE, LoggingConfig: { LogSetups: [{ LogType: 'Audit' }] } }, SERVED).logging, { logProjectId: '', logSetups: [{ logType: 'Audit', logTtl: 30, enabled: false }] })
    assert.equal(create('LoggingConfig', { LogSetups: [{ LogType: 'Etcd' }] }), 'InvalidParameter.LoggingConfig.LogSetups.LogType')
    assert.equal(create('LoggingConfig', { LogSetups: [{ LogType: 'Audit', LogTtl: 3651 }] }), 'InvalidParameter.LoggingConfig.LogSetups.LogTtl')
    assert.equal(create('LoggingConfig', { LogSetups: [{ LogType: 'Audit' }, { LogType: 'Audit' }] }), 'InvalidParameter.LoggingConfig.LogSetups')
  })

  test('any JSON value is a spec or a refusal of the catalogue, never another error', () => {
    const paths = ['Name', 'Description', 'KubernetesVersion', 'Tags', 'LoggingConfig', 'ClusterConfig', 'PodsConfig', 'PodsConfig.FlannelConfig', 'PodsConfig.FlannelConfig.PodCidrs', 'ServicesConfig', 'ServicesConfig.ServiceCidrsv4', 'ClientToken', '__proto__']
    fc.assert(fc.property(fc.constantFrom(...paths), fc.jsonValue(), (path, value) => void create(path, value)))
    fc.assert(fc.property(fc.jsonValue(), body => {
      for (const parse of [parseUpdateCluster, parseDeleteCluster, (sent: unknown) => parseCreateCluster(sent, SERVED)]) codeOf(() => parse(body))
    }))
  })
})

describe('ranges', () => {
  test('a node takes room for twice its pods', () => assert.deepEqual([16, 32, 64, 128, 256].map(nodeRangePrefix), [26, 25, 24, 23, 22]))

  test('a pod range holds a node, and no more nodes than the controller manager can number', () => {
    assert.equal(create('PodsConfig.FlannelConfig.PodCidrs', ['172.22.224.0/24']), 'accepted')
    assert.equal(create('PodsConfig.FlannelConfig', { PodCidrs: ['10.0.0.0/9'], MaxPodsPerNode: 16 }), 'InvalidParameter.PodsConfig.FlannelConfig.PodCidrs')
    assert.equal(create('PodsConfig.FlannelConfig', { PodCidrs: ['10.0.0.0/10'], MaxPodsPerNode: 16 }), 'accepted')
  })

  test('overlaps with other clusters and with the region\'s own are conflicts that say whose', () => {
    const spec = { podCidrs: ['10.1.0.0/16'], serviceCidrs: ['10.2.0.0/16'] }
    const conflict = (others: Parameters<typeof checkClusterRanges>[1], reserved: Parameters<typeof checkClusterRanges>[2]) => codeOf(() => checkClusterRanges(spec, others, reserved))
    assert.equal(conflict([{ name: 'bank', podCidrs: ['10.3.0.0/16'], serviceCidrs: ['10.4.0.0/16'] }], [{ cidr: '10.213.0.0/16', by: 'the bridge' }]), 'accepted')
    assert.equal(conflict([{ name: 'bank', podCidrs: ['10.1.128.0/24'], serviceCidrs: ['10.4.0.0/16'] }], []), 'Conflict.PodCidrs')
    assert.equal(conflict([{ name: 'bank', podCidrs: ['10.0.0.0/15'], serviceCidrs: ['10.4.0.0/16'] }], []), 'Conflict.PodCidrs')
    assert.equal(conflict([{ name: 'bank', podCidrs: ['10.3.0.0/16'], serviceCidrs: ['10.2.0.0/24'] }], []), 'Conflict.ServiceCidrsv4')
    assert.throws(() => checkClusterRanges(spec, [], [{ cidr: '10.2.3.0/24', by: 'the region\'s machines have it' }]), /ServiceCidrsv4 10\.2\.0\.0\/16 is taken: the region's machines have it/)
  })
})

describe('UpdateClusterConfig and DeleteCluster', () => {
  test('only given members change', () => {
    assert.deepEqual(parseUpdateCluster({ Id: 'c1', EdgeTunnelEnabled: true }), { id: 'c1', clientToken: undefined, change: { edgeTunnelEnabled: true } })
    assert.deepEqual(parseUpdateCluster({ Id: 'c1', Name: 'bank', Description: '', DeleteProtectionEnabled: false, ClientToken: 't' }), { id: 'c1', clientToken: 't', change: { name: 'bank', description: '', deleteProtectionEnabled: false } })
    assert.equal(codeOf(() => parseUpdateCluster({ Name: 'bank' })), 'MissingParameter.Id')
  })

  test('a deletion takes All, and refuses what it does not know without sounding gone', () => {
    assert.deepEqual(parseDeleteCluster({ Id: 'c1', CascadingDeleteResources: ['All'] }), { id: 'c1', force: false, cascading: ['All'], retain: [] })
    for (const body of [{ Id: 'c1', CascadingDeleteResources: ['invalid'] }, { Id: 'c1', Force: 'not found' }, [], { Id: 5 }, { Id: 'c1', RetainResources: 'notexist' }]) {
      assert.throws(() => parseDeleteCluster(body), error => isRefusal(error) && !soundsGone(`${error.wireCode}: ${error.message}`))
    }
  })
})
