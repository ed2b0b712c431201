import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCreateNodePool, parseUpdateNodePoolConfig } from './validate-central.ts'

test('a pool that was let be paid in advance and scaled at once is refused only by who says something of either', () => {
  const security = { SecurityGroupIds: [], Login: { SshKeyPairName: 'key' } }
  const { spec } = parseCreateNodePool({ ClusterId: 'c', Name: 'pool', NodeConfig: { InstanceTypeIds: ['a'], SubnetIds: ['s'], Security: security, InstanceChargeType: 'PrePaid' }, AutoScaling: { Enabled: false }, KubernetesConfig: {} })
  const before = { ...spec, scaling: { ...spec.scaling, enabled: true } as NonNullable<typeof spec.scaling> }
  const update = (change: object) => parseUpdateNodePoolConfig({ ClusterId: 'c', Id: 'p', ...change }).changed(before)
  assert.equal(update({ Name: 'renamed' }).name, 'renamed')
  assert.equal(update({ AutoScaling: { Enabled: false } }).scaling?.enabled, false)
  assert.throws(() => update({ AutoScaling: { Enabled: true } }), /paid in advance/)
  assert.throws(() => update({ NodeConfig: { InstanceChargeType: 'PrePaid' } }), /paid in advance/)
})
