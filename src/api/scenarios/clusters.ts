import { ARREARS, call, cause, createCluster, elasticPool, fault, of, pass, row, RUNNING_CLUSTER, slowed } from './building.ts'
import type { Scenario } from './scenario.ts'

const DELETE = call('DeleteCluster', { Id: '<cluster>', CascadingDeleteResources: ['All'] })

/** One for each row of the cluster table (status-model.md 2), and its siblings. */
export const CLUSTER_SCENARIOS: readonly Scenario[] = [
  of(row('Cluster', 'Creating', 'Progressing'), '创建中', 'a cluster is being made', createCluster()),
  of(row('Cluster', 'Running', 'Ok'), '运行中', 'a cluster is usable', RUNNING_CLUSTER),
  of(row('Cluster', 'Updating', 'Progressing'), '更新中', 'a cluster is updating while a pool of it gets its first machine', RUNNING_CLUSTER, { ...elasticPool(), Cause: true }, pass('60s')),
  of(row('Cluster', 'Deleting', 'Progressing'), '删除中', 'a cluster is being deleted, and its load balancer takes a minute to go', RUNNING_CLUSTER, slowed('outside', 'ensureGone', '60s'), { ...DELETE, Cause: true }, pass('3m')),
  of(row('Cluster', 'Stopped', 'Balance'), '欠费关停', 'the money is gone for two hours, and the cluster is shut down', RUNNING_CLUSTER, ARREARS, pass('1m')),
  of(row('Cluster', 'Starting', 'Progressing'), '启动中', 'a debt is paid, and the cluster comes back', RUNNING_CLUSTER, ARREARS, cause('SetBalance', { Amount: 1000 }), pass('60s')),
  of(row('Cluster', 'Failed', 'CreateError'), '创建失败', 'etcd ends at its start and again at its retry', fault('control-plane-host', 'etcd', { Type: 'fail', Message: 'open /var/lib/etcd: read-only file system' }), createCluster(), pass('60s')),
  of(row('Cluster', 'Failed', 'LimitedByQuota'), '配额不足', 'the quota of load balancers is used up when the cluster needs one', cause('SetQuota', { Kind: 'LoadBalancer', Limit: 0 }), createCluster(), pass('60s')),
  of(row('Cluster', 'Failed', 'StockOut'), '资源售罄', 'load balancers are sold out when the cluster needs one', cause('SetStock', { Kind: 'LoadBalancer', Count: 0 }), createCluster(), pass('60s')),
  of(row('Cluster', 'Failed', 'Balance'), '欠费', 'the grace time of an account in arrears ends while a cluster of it is being made',
    cause('SetBalance', { Amount: 0 }), pass('115m'), fault('outside', 'ensure', { Type: 'slow', For: '10m' }), createCluster(), pass('10m')),
  of(row('Cluster', 'Failed', 'ResourceCleanupFailed'), '删除失败', 'the load balancer is protected when everything of the cluster shall go',
    RUNNING_CLUSTER, fault('outside', 'ensureGone', { Type: 'protected' }, { Target: { Kind: 'LoadBalancer' } }), DELETE, pass('9m')),
  of(row('Cluster', 'Failed', 'Unknown'), '异常', 'the API server ends again and again, and restarts do not help', RUNNING_CLUSTER, fault('control-plane-host', 'kube-apiserver', { Type: 'fail', Message: 'panic: runtime error: invalid memory address' }), pass('11m')),
  of(row('Cluster', 'Running', 'Degraded'), '功能受限', 'the scheduler is down for more than a minute', RUNNING_CLUSTER, fault('control-plane-host', 'kube-scheduler', { Type: 'fail', Message: 'exec format error' }), pass('3m')),
]

/** Several conditions at once. */
export const CLUSTER_UNIONS: readonly Scenario[] = [
  of(row('Cluster', 'Failed', 'Balance', 'ResourceCleanupFailed'), '欠费且删除失败', 'the load balancer of a cluster that is stopped for arrears is protected when everything of it shall go',
    RUNNING_CLUSTER, ARREARS, pass('1m'), fault('outside', 'ensureGone', { Type: 'protected' }, { Target: { Kind: 'LoadBalancer' } }), DELETE, pass('9m')),
]
