import { ARREARS, call, cause, elasticPool, ELASTIC_NODE, fault, of, pass, row, RUNNING_CLUSTER, RUN_SCRIPT, SCRIPT, SCRIPT_NODE, slowed, STATIC_POOL } from './building.ts'
import type { Scenario } from './scenario.ts'

const DELETE = call('DeleteNodePool', { ClusterId: '<cluster>', Id: '<pool>', CascadingDeleteResources: ['Ecs'] })

/** One for each row of the node-pool table (status-model.md 3), and its siblings. */
export const NODE_POOL_SCENARIOS: readonly Scenario[] = [
  of(row('NodePool', 'Creating', 'Progressing'), '创建中', 'a pool is being made, and the API of its cluster is down', RUNNING_CLUSTER,
    call('InjectFault', { Port: 'control-plane-host', Call: 'kube-apiserver', Effect: { Type: 'fail', Message: 'bind: address already in use' } }), pass('2s'), call('CreateEdgeNodePool', { ClusterId: '<cluster>', Name: 'counters' }, 'pool'), pass('10s')),
  of(row('NodePool', 'Running', 'Ok'), '运行中', 'a pool without nodes works', STATIC_POOL),
  of(row('NodePool', 'Updating', 'Progressing'), '更新中', 'labels are on their way to a node', SCRIPT_NODE, slowed('tenant-cluster', 'ensureNodeConfig', '40s'), cause('UpdateEdgeNodePoolConfig', { ClusterId: '<cluster>', Id: '<pool>', KubernetesConfig: { Labels: [{ Key: 'zone', Value: 'north' }] } }), pass('2m')),
  of(row('NodePool', 'Scaling', 'Progressing'), '伸缩中', 'a machine runs the script of a pool and joins', SCRIPT, { ...RUN_SCRIPT, Cause: true }, pass('90s')),
  of(row('NodePool', 'Deleting', 'Progressing'), '删除中', 'a pool with its node is being deleted', SCRIPT_NODE, slowed('tenant-cluster', 'evict', '40s'), { ...DELETE, Cause: true }, pass('4m')),
  of(row('NodePool', 'Failed', 'ResourceCleanupFailed'), '删除失败', 'the machine of a pool is protected when the pool shall go with it', ELASTIC_NODE, fault('machines', 'ensureGone', { Type: 'protected' }), DELETE, pass('6m')),
  of(row('NodePool', 'Failed', 'Unknown'), '创建失败', 'the API of the cluster goes down as a pool is made, and stays down', RUNNING_CLUSTER,
    fault('control-plane-host', 'kube-apiserver', { Type: 'fail', Message: 'bind: address already in use' }), pass('2s'), call('CreateEdgeNodePool', { ClusterId: '<cluster>', Name: 'counters' }, 'pool'), pass('6m')),
  of(row('NodePool', 'Failed', 'ClusterNotRunning'), '异常', 'the cluster is stopped for arrears, and its pool with it', STATIC_POOL, ARREARS, pass('1m')),
  of(row('NodePool', 'Running', 'StockOut'), '售罄', 'machines are sold out; the pool works on and asks again', RUNNING_CLUSTER, cause('SetStock', { Kind: 'Machine', Count: 0 }), elasticPool(), pass('2m')),
  of(row('NodePool', 'Running', 'LimitedByQuota'), '配额不足', 'the quota of machines is used up', RUNNING_CLUSTER, cause('SetQuota', { Kind: 'Machine', Limit: 0 }), elasticPool(), pass('2m')),
  of(row('NodePool', 'Running', 'Balance'), '欠费', 'an account in arrears gets no new machines', RUNNING_CLUSTER, cause('SetBalance', { Amount: 0 }), pass('10s'), elasticPool(), pass('2m')),
  of(row('NodePool', 'Running', 'ScalingFailed'), '伸缩失败', 'the provider refuses machines for a reason of its own', RUNNING_CLUSTER, fault('machines', 'ensure', { Type: 'fail', Code: 'ScalingFailed', Message: 'the image of the machines is being replaced' }), elasticPool(), pass('2m')),
]
