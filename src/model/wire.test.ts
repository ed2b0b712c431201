import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ClusterRecord } from './cluster/record.ts'
import { clusterToWire } from './cluster/wire.ts'
import { parseCreateCluster } from './cluster/validate.ts'
import { NO_NODES } from './counts.ts'
import { kubeconfigToWire } from './kubeconfig/wire.ts'
import type { NodeRecord } from './node/record.ts'
import type { NodePoolRecord } from './node-pool/record.ts'
import { parseCreateEdgeNodePool } from './node-pool/validate.ts'
import { configText } from './node-pool/node-config.ts'
import { nodePoolToWire } from './node-pool/wire.ts'
import { centralNodeToWire, nodeToWire } from './node/wire.ts'
import { onboardingToWire } from './onboarding/wire.ts'

const base = { accountId: 'a', region: 'local-1', revision: 1, createdAt: 1_651_805_359_123, updatedAt: 1_651_805_360_000, createClientToken: 'token' }
const said = { since: 0, rule: 'works', because: 'It works', evidence: [] }
const spec = parseCreateCluster({
  Name: 'shop', Profile: 'Edge', KubernetesVersion: 'v1.24.15-veecp.1', ClusterConfig: { SubnetIds: ['subnet-2', 'subnet-1'], ApiServerPublicAccessEnabled: true },
  PodsConfig: { PodNetworkMode: 'Flannel', FlannelConfig: { PodCidrs: ['172.22.224.0/20'] } }, ServicesConfig: { ServiceCidrsv4: ['172.30.0.0/18'] }, Tags: [{ Key: 'k', Value: 'v' }],
}, ['v1.35.4'])
const cluster: ClusterRecord = { ...base, id: 'c1', spec, facts: { obstacles: [], unpaid: false, controlPlane: 'usable' }, said: { ...said, status: { phase: 'Running', conditions: ['Ok'] } }, counts: NO_NODES, address: '10.213.0.5' }
const pool: NodePoolRecord = { ...base, id: 'p1', clusterId: 'c1', spec: parseCreateEdgeNodePool({ ClusterId: 'c1', Name: 'counters' }).spec, facts: { ready: true, obstacles: [], openClaims: 0 }, said: { ...said, status: { phase: 'Running', conditions: ['Ok'] } }, counts: { ...NO_NODES, total: 2, running: 2 } }
const NINE = ['TotalCount', 'CreatingCount', 'RunningCount', 'UpdatingCount', 'DeletingCount', 'FailedCount', 'StoppedCount', 'StoppingCount', 'StartingCount']

function everyMember(value: unknown, path = ''): readonly (readonly [string, unknown])[] {
  if (typeof value !== 'object' || value === null) return [[path, value]]
  return [[path, value], ...Object.entries(value).flatMap(([name, member]) => everyMember(member, `${path}.${name}`))]
}

describe('what clients crash or drift on (terraform-needs.md)', () => {
  const items = [clusterToWire(cluster), nodePoolToWire(pool), clusterToWire({ ...cluster, spec: { ...spec, apiServerPublicAccessEnabled: false } })]

  test('no null, no undefined, no ClientToken anywhere', () => {
    for (const item of items) {
      for (const [path, value] of everyMember(item)) {
        assert.ok(value !== null && value !== undefined, path)
        assert.doesNotMatch(path, /\.ClientToken$/)
      }
      assert.deepEqual(JSON.parse(JSON.stringify(item)), item)
    }
  })

  test('BillingType and Bandwidth are numbers and the public address a string, with public access on or off', () => {
    for (const item of [items[0], items[2]] as ReturnType<typeof clusterToWire>[]) {
      assert.deepEqual(item.ClusterConfig.ApiServerPublicAccessConfig.PublicAccessNetworkConfig, { BillingType: 3, Bandwidth: 10 })
      assert.equal(item.ClusterConfig.ApiServerEndpoints.PublicIp.Ipv4, '')
      assert.equal(item.ClusterConfig.ApiServerEndpoints.PrivateIp.Ipv4, '10.213.0.5')
    }
  })

  test('the public address is the advertised one if it is an IPv4 address, public access is on and the cluster has an address', () => {
    const shown = (record: ClusterRecord, advertised?: string): string => clusterToWire(record, advertised).ClusterConfig.ApiServerEndpoints.PublicIp.Ipv4
    const { address: _, ...young } = cluster
    assert.equal(shown(cluster, '192.0.2.7'), '192.0.2.7')
    for (const other of [shown(cluster, 'edge.example'), shown(young, '192.0.2.7'), shown({ ...cluster, spec: { ...spec, apiServerPublicAccessEnabled: false } }, '192.0.2.7')]) assert.equal(other, '')
  })

  test('nine numbers on clusters and pools', () => {
    assert.deepEqual(Object.keys(clusterToWire(cluster).NodeStatistics).toSorted(), NINE.toSorted())
    assert.deepEqual(nodePoolToWire(pool).NodeStatistics, { ...Object.fromEntries(NINE.map(name => [name, 0])), TotalCount: 2, RunningCount: 2 })
  })

  test('a cluster echoes what was sent, and omits what was not', () => {
    const item = clusterToWire(cluster)
    assert.deepEqual([item.KubernetesVersion, item.Profile, item.Description, item.ClusterConfig.SubnetIds, item.CreateTime], ['v1.24.15-veecp.1', 'Edge', '', ['subnet-2', 'subnet-1'], '2022-05-06T02:49:19Z'])
    assert.deepEqual(item.PodsConfig, { PodNetworkMode: 'Flannel', FlannelConfig: { PodCidrs: ['172.22.224.0/20'] } }, 'a size that nobody sent would show as a change')
    assert.deepEqual(item.ServicesConfig, { ServiceCidrsv4: ['172.30.0.0/18'] })
    assert.deepEqual(item.Tags, [{ Key: 'k', Value: 'v', Type: 'Custom' }])
    assert.ok(!('LoggingConfig' in item))
    assert.deepEqual(item.Status, { Phase: 'Running', Conditions: [{ Type: 'Ok' }] })
    assert.deepEqual(clusterToWire({ ...cluster, spec: { ...spec, logging: { logProjectId: 'l', logSetups: [{ logType: 'Audit', logTtl: 30, enabled: true }] } } }).LoggingConfig, { LogProjectId: 'l', LogSetups: [{ LogType: 'Audit', LogTtl: 30, Enabled: true }] })
  })

  test('a static pool has no ElasticConfig, NodePoolType, VpcId or BillingConfigs unless sent', () => {
    const item = nodePoolToWire(pool)
    for (const name of ['ElasticConfig', 'NodePoolType', 'VpcId', 'BillingConfigs']) assert.ok(!(name in item), name)
    assert.deepEqual([item.Type, item.Profile, item.KubernetesConfig], ['edge-machine-set', 'Edge', { Labels: [], Taints: [] }])
    const sent = parseCreateEdgeNodePool({ ClusterId: 'c1', Name: 'counters', VpcId: 'vpc-1', BillingConfigs: { PrePaidPeriod: 1, AutoRenew: false }, KubernetesConfig: { Labels: [{ Key: 'a', Value: 'b' }], Taints: [{ Key: 't', Effect: 'NoSchedule' }] } })
    const echoed = nodePoolToWire({ ...pool, spec: sent.spec })
    assert.deepEqual([echoed.VpcId, echoed.BillingConfigs, echoed.KubernetesConfig], ['vpc-1', { PrePaidPeriod: 1, AutoRenew: false }, { Labels: [{ Key: 'a', Value: 'b' }], Taints: [{ Key: 't', Value: '', Effect: 'NoSchedule' }] }])
  })

  test('an elastic pool has the NodePoolType that was sent, by which one that was imported is known', () => {
    const { spec: elastic } = parseCreateEdgeNodePool({ ClusterId: 'c1', Name: 'burst', NodePoolType: 'edge-machine-pool', ElasticConfig: { CloudServerIdentity: 'cs', AutoScaleConfig: { Enabled: true, MinReplicas: 0, MaxReplicas: 2, DesiredReplicas: 0, Priority: 10 }, InstanceArea: { ClusterName: 'bdcdn-zzcu02', VpcIdentity: 'vpc-1' } } })
    const { Type, NodePoolType } = nodePoolToWire({ ...pool, spec: elastic })
    assert.deepEqual([Type, NodePoolType], ['edge-machine-pool', 'edge-machine-pool'])
  })

  test('nodes, onboarding scripts and kubeconfigs', () => {
    const record: NodeRecord = { ...base, id: 'n1', clusterId: 'c1', nodePoolId: 'p1', spec: { name: 'shop-1', architecture: 'amd64', machineId: 'abc' }, facts: { claimedAt: 0, pausedMs: 0, obstacles: [], unschedulable: false, outOfSync: false, unpaid: false }, said: { ...said, status: { phase: 'Failed', conditions: ['Balance', 'ResourceCleanupFailed'] } } }, node = nodeToWire(record)
    assert.deepEqual([node.Status, node.InstanceId, node.Name, node.BootstrapScript], [{ Phase: 'Failed', Conditions: [{ Type: 'Balance' }, { Type: 'ResourceCleanupFailed' }] }, 'abc', 'shop-1', ''])
    assert.deepEqual(centralNodeToWire(record).KubernetesConfig, { Labels: [], Taints: [], Cordon: false })
    const configured = configText({ labels: [{ key: 'side', value: 'north' }], taints: [{ key: 'only', value: 'yes', effect: 'NoExecute' }] })
    assert.deepEqual(centralNodeToWire({ ...record, facts: { ...record.facts, configured, unschedulable: true } }).KubernetesConfig, { Labels: [{ Key: 'side', Value: 'north' }], Taints: [{ Key: 'only', Value: 'yes', Effect: 'NoExecute' }], Cordon: true })
    const script = { ...base, id: 'n2', clusterId: 'c1', nodePoolId: 'p1', name: 'script', expiresAt: 1_893_456_000, tokenHash: 'secret' }
    assert.ok(!('BootstrapScript' in onboardingToWire(script)) && !('ExpirationDate' in onboardingToWire(script)))
    assert.deepEqual({ ...onboardingToWire({ ...script, expirationDate: 1_893_456_000 }, 'curl …') }, {
      Id: 'n2', Name: 'script', ClusterId: 'c1', NodePoolId: 'p1', Status: { Phase: 'Creating', Conditions: [{ Type: 'Ok' }] }, CreateTime: '2022-05-06T02:49:19Z', UpdateTime: '2022-05-06T02:49:20Z',
      CreateClientToken: 'token', Profile: 'Edge', EdgeNodeType: 'batch-edge-machine', TTLTime: 1_893_456_000, ExpirationDate: 1_893_456_000, BootstrapScript: 'curl …',
    })
    const kubeconfig = kubeconfigToWire({ id: 'k1', accountId: 'a', region: 'r', clusterId: 'c1', type: 'Private', userId: 1, roleId: 0, createdAt: base.createdAt, expiresAt: base.updatedAt })
    assert.deepEqual(kubeconfig, { Id: 'k1', ClusterId: 'c1', UserId: 1, RoleId: 0, Type: 'Private', Kubeconfig: '', CreateTime: '2022-05-06T02:49:19Z', ExpireTime: '2022-05-06T02:49:20Z' })
  })
})
