import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isRefusal, soundsGone } from '../errors/catalogue.ts'
import { fateOfMachines, parseDeleteNodes } from '../node/validate.ts'
import type { NodePoolSpec } from './record.ts'
import { parseCreateEdgeNodePool, parseDeleteNodePool, parseUpdateEdgeNodePoolConfig } from './validate.ts'

function codeOf(work: () => unknown): string {
  try {
    work()
    return 'accepted'
  } catch (error) {
    assert.ok(isRefusal(error), String(error))
    return error.wireCode
  }
}
const create = (config: unknown, rest: object = {}) => codeOf(() => parseCreateEdgeNodePool({ ClusterId: 'c1', Name: 'counters', ...(config === undefined ? {} : { KubernetesConfig: config }), ...rest }))

describe('CreateEdgeNodePool', () => {
  test('the static example, and one with everything', () => {
    assert.deepEqual(parseCreateEdgeNodePool({ ClusterId: 'c1', Name: 'counters' }), { clusterId: 'c1', clientToken: undefined, spec: { name: 'counters', type: 'edge-machine-set', labels: [], taints: [], kubernetesConfigSent: false } })
    assert.deepEqual(parseCreateEdgeNodePool({
      ClusterId: 'c1', Name: 'counters', NodePoolType: 'edge-machine-set', VpcId: 'vpc-1', CreateClientToken: 't', BillingConfigs: { PrePaidPeriod: 'Month', PrePaidPeriodNumber: 1, AutoRenew: false },
      KubernetesConfig: { Labels: [{ Key: 'side', Value: 'north' }], Taints: [{ Key: 'only/counters', Value: 'yes', Effect: 'NoExecute' }] },
    }), {
      clusterId: 'c1', clientToken: 't', spec: {
        name: 'counters', type: 'edge-machine-set', labels: [{ key: 'side', value: 'north' }], taints: [{ key: 'only/counters', value: 'yes', effect: 'NoExecute' }], vpcId: 'vpc-1',
        billingConfigs: { prePaidPeriod: 'Month', prePaidPeriodNumber: 1, autoRenew: false }, kubernetesConfigSent: true,
      },
    })
  })

  test('labels and taints follow Kubernetes\' syntax', () => {
    for (const label of [{ Key: 'a' }, { Key: 'a.b/c_d', Value: 'A-1.x_y' }, { Key: 'node-role.kubernetes.io/shop', Value: '' }, { Key: 'x'.repeat(63), Value: 'y'.repeat(63) }]) assert.equal(create({ Labels: [label] }), 'accepted', JSON.stringify(label))
    for (const key of ['-a', 'a-', 'a/b/c', '/a', 'a/', 'A.b/c', 'x'.repeat(64), 'a b', `${'a.'.repeat(130)}b/c`, 'ä']) assert.equal(create({ Labels: [{ Key: key }] }), 'InvalidParameter.KubernetesConfig.Labels.Key', key)
    for (const value of ['-a', 'a b', 'y'.repeat(64), 'ä', 'a/b']) assert.equal(create({ Labels: [{ Key: 'a', Value: value }] }), 'InvalidParameter.KubernetesConfig.Labels.Value', value)
    assert.equal(create({ Labels: [{ Key: 'a', Value: 'x' }, { Key: 'a', Value: 'y' }] }), 'InvalidParameter.KubernetesConfig.Labels')
    assert.equal(create({ Taints: [{ Key: 'a', Effect: 'NoSchedule' }, { Key: 'a', Effect: 'NoExecute' }] }), 'accepted')
    assert.equal(create({ Taints: [{ Key: 'a', Effect: 'NoSchedule' }, { Key: 'a', Value: 'b', Effect: 'NoSchedule' }] }), 'InvalidParameter.KubernetesConfig.Taints')
    assert.equal(create({ Taints: [{ Key: 'a' }] }), 'MissingParameter.KubernetesConfig.Taints.Effect')
    assert.equal(create({ Taints: [{ Key: 'a', Effect: 'Never' }] }), 'InvalidParameter.KubernetesConfig.Taints.Effect')
    assert.equal(create({ Labels: {} }), 'InvalidParameter.KubernetesConfig.Labels')
  })

  test('keys that begin with edgehold/ are nobody else\'s, and a pool that has one from before is changed in other things', () => {
    for (const key of ['edgehold/begins-cordoned', 'edgehold/being-stopped', 'edgehold/mine']) {
      assert.equal(create({ Labels: [{ Key: 'a' }, { Key: key }] }), 'InvalidParameter.KubernetesConfig.Labels', key)
      for (const Effect of ['NoSchedule', 'NoExecute']) assert.equal(create({ Taints: [{ Key: key, Effect }] }), 'InvalidParameter.KubernetesConfig.Taints', key)
      const update = { ClusterId: 'c1', Id: 'p1' }, taints = [{ key, value: '', effect: 'NoSchedule' as const }]
      assert.throws(() => parseUpdateEdgeNodePoolConfig({ ...update, KubernetesConfig: { Taints: [{ Key: key, Effect: 'NoSchedule' }] } }), (error: Error) => error.message.includes(`the key ${key} begins with edgehold/`))
      const before: NodePoolSpec = { name: 'counters', type: 'edge-machine-set', labels: [], taints, kubernetesConfigSent: true }
      assert.deepEqual(parseUpdateEdgeNodePoolConfig({ ...update, Name: 'tills', KubernetesConfig: { Labels: [{ Key: 'a' }] } }).changed(before), { ...before, name: 'tills', labels: [{ key: 'a', value: '' }] })
    }
    for (const key of ['edgehold', 'edgehold.example/x', 'my-edgehold/x']) assert.equal(create({ Labels: [{ Key: key }] }), 'accepted', key)
  })

  test('a pool wishes no labels that kubelets set themselves; topology and roles are free', () => {
    for (const key of ['kubernetes.io/hostname', 'kubernetes.io/os', 'kubernetes.io/arch', 'beta.kubernetes.io/os', 'beta.kubernetes.io/arch', 'node.kubernetes.io/windows-build']) {
      assert.equal(create({ Labels: [{ Key: 'a' }, { Key: key, Value: 'x' }] }), 'InvalidParameter.KubernetesConfig.Labels', key)
      assert.throws(() => parseUpdateEdgeNodePoolConfig({ ClusterId: 'c1', Id: 'p1', KubernetesConfig: { Labels: [{ Key: key, Value: 'x' }] } }), (error: Error) => error.message.includes(key))
    }
    for (const key of ['topology.kubernetes.io/zone', 'node-role.kubernetes.io/till', 'node.kubernetes.io/instance-type', 'hostname']) assert.equal(create({ Labels: [{ Key: key }] }), 'accepted', key)
  })

  test('what is not served is refused in a sentence', () => {
    assert.equal(create(undefined, { NodePoolType: 'edge-machine-pool' }), 'MissingParameter.ElasticConfig')
    assert.equal(create(undefined, { NodePoolType: 'edge-machine-pool', ElasticConfig: {} }), 'MissingParameter.ElasticConfig.CloudServerIdentity')
    assert.equal(create(undefined, { NodePoolType: 'machine-set' }), 'InvalidParameter.NodePoolType')
    assert.equal(create(undefined, { ElasticConfig: { CloudServerIdentity: 'cloudserver-1' } }), 'InvalidParameter.ElasticConfig')
    assert.equal(create(undefined, { NodePoolType: 'nope' }), 'InvalidParameter.NodePoolType')
    assert.equal(create(undefined, { Name: 'vke-default-nodepool' }), 'InvalidParameter.Name')
    assert.equal(codeOf(() => parseCreateEdgeNodePool({ Name: 'counters' })), 'MissingParameter.ClusterId')
    assert.equal(codeOf(() => parseCreateEdgeNodePool({ ClusterId: 'c1' })), 'MissingParameter.Name')
  })
})

test('UpdateEdgeNodePoolConfig changes what is given; an empty list clears', () => {
  const before: NodePoolSpec = { name: 'counters', type: 'edge-machine-set', labels: [{ key: 'a', value: 'b' }], taints: [], kubernetesConfigSent: false }
  const changed = (body: object) => parseUpdateEdgeNodePoolConfig({ ClusterId: 'c1', Id: 'p1', ...body }).changed(before)
  assert.deepEqual(changed({ KubernetesConfig: { Labels: [], Taints: [] } }), { ...before, labels: [], kubernetesConfigSent: true })
  assert.deepEqual(changed({ KubernetesConfig: { Taints: [] } }), { ...before, kubernetesConfigSent: true })
  assert.deepEqual(changed({ Name: 'tills' }), { ...before, name: 'tills' })
  assert.equal(codeOf(() => changed({ ElasticConfig: { AutoScaleConfig: { MaxReplicas: 3 } } })), 'InvalidParameter.ElasticConfig')
})

test('deletions name what they take, once each, and their refusals do not sound gone', () => {
  assert.deepEqual(parseDeleteNodePool({ Id: 'p1', ClusterId: 'c1', RetainResources: [], CascadingDeleteResources: ['Ecs'] }), { clusterId: 'c1', id: 'p1', cascading: ['Ecs'], retain: [] })
  assert.deepEqual(parseDeleteNodes('DeleteEdgeNodes', { ClusterId: 'c1', NodePoolId: 'p1', Ids: ['n1', 'n2', 'n1'] }).ids, ['n1', 'n2'])
  for (const body of [{}, { ClusterId: 'c1', NodePoolId: 'p1', Ids: [] }, { ClusterId: 'c1', NodePoolId: 'p1', Ids: ['n1'], CascadingDeleteResources: ['invalid'] }, { Ids: 'not found' }, 'invalid']) {
    for (const action of ['DeleteEdgeNodes', 'DeleteNodes'] as const) assert.throws(() => parseDeleteNodes(action, body), error => isRefusal(error) && !soundsGone(`${error.wireCode}: ${error.message}`))
  }
})

test('machines go with their nodes only if they are named to go, and not to stay', () => {
  const fate = (cascading: string[], retain: string[], words = ['Ecs']) => fateOfMachines({ cascading, retain }, words)
  assert.deepEqual([fate(['Ecs'], []), fate([], []), fate([], ['Ecs']), fate(['Ecs'], ['Ecs'])], ['Destroy', 'Retain', 'Retain', 'Retain'])
  assert.deepEqual([fate(['All'], [], ['NodePoolResource', 'All']), fate(['Clb'], [], ['NodePoolResource', 'All']), fate(['All'], ['NodePoolResource'], ['NodePoolResource', 'All'])], ['Destroy', 'Retain', 'Retain'])
})
