import { ARREARS, call, cause, elasticPool, ELASTIC_NODE, fault, of, pass, row, RUNNING_CLUSTER, RUN_SCRIPT, SCRIPT, SCRIPT_NODE, slowed } from './building.ts'
import type { Scenario, Step } from './scenario.ts'

const NODE = { ClusterId: '<cluster>', NodePoolId: '<pool>', Ids: ['<node>'], CascadingDeleteResources: ['Ecs'] }
const NODES = call('ListEdgeNodes', { Filter: { ClusterIds: ['<cluster>'] } }, 'node')

/** A pool that switches machines off and on: load came, a second machine was made for it, and the load went. */
const LOAD_CAME_AND_WENT: readonly Step[] = [
  ...RUNNING_CLUSTER, elasticPool({ Enabled: true, MinReplicas: 1, MaxReplicas: 3, DesiredReplicas: 1, Mode: 'Recycle' }), pass('120s'),
  call('SetWorkload', { ClusterId: '<cluster>', Name: 'checkout', Pods: 3, Cpu: '2', MemoryMiB: 512 }), pass('5m'),
]
const LOAD_GOES = cause('SetWorkload', { ClusterId: '<cluster>', Name: 'checkout', Pods: 0 })

/** One for each row of the node table (status-model.md 4). */
export const NODE_SCENARIOS: readonly Scenario[] = [
  of(row('Node', 'Creating', 'Progressing'), '创建中', 'a machine runs its script', SCRIPT, { ...RUN_SCRIPT, Cause: true }, pass('30s')),
  of(row('Node', 'Running', 'Ok'), '运行中', 'a node is Ready', SCRIPT_NODE),
  of(row('Node', 'Running', 'Unschedulable'), '运行中', 'a node is cordoned', SCRIPT_NODE, cause('SetNodeSchedulable', { Id: '<node>', Schedulable: false }), pass('10s')),
  of(row('Node', 'Updating', 'Progressing'), '更新中', 'labels of its pool are on their way to it', SCRIPT_NODE, slowed('tenant-cluster', 'ensureNodeConfig', '40s'), cause('UpdateEdgeNodePoolConfig', { ClusterId: '<cluster>', Id: '<pool>', KubernetesConfig: { Labels: [{ Key: 'zone', Value: 'north' }] } }), pass('2m')),
  of(row('Node', 'Deleting', 'Progressing'), '移除中', 'a node leaves its cluster, and its pods take a while to go', SCRIPT_NODE, slowed('tenant-cluster', 'evict', '40s'), cause('DeleteEdgeNodes', NODE), pass('3m')),
  of(row('Node', 'Stopping', 'Progressing'), '停止中', 'a pool switches off a machine that it needs no more', LOAD_CAME_AND_WENT, slowed('machines', 'ensure', '40s'), LOAD_GOES, pass('20m')),
  of(row('Node', 'Stopped', 'Ok'), '已停止', 'a machine that its pool switched off is kept', LOAD_CAME_AND_WENT, LOAD_GOES, pass('20m')),
  of(row('Node', 'Starting', 'Progressing'), '启动中', 'a pool switches a stopped machine on again', LOAD_CAME_AND_WENT, call('SetWorkload', { ClusterId: '<cluster>', Name: 'checkout', Pods: 0 }), pass('20m'), cause('SetWorkload', { ClusterId: '<cluster>', Name: 'checkout', Pods: 3, Cpu: '2', MemoryMiB: 512 }), pass('5m')),
  of(row('Node', 'Failed', 'InitializeFailed'), '创建失败', 'a step of the script fails on the machine', SCRIPT, fault('machines', 'download', { Type: 'fail', Message: 'The disk of this machine is full: containerd could not be written.' }), RUN_SCRIPT, pass('90s'), NODES),
  of(row('Node', 'Failed', 'NotReady'), '异常', 'the machine of a node is switched off', SCRIPT_NODE, cause('SetMachine', { Id: '<machine>', Power: 'off' }), pass('60s')),
  of(row('Node', 'Failed', 'Balance'), '异常(欠费关停)', 'the machine of a node is shut down for arrears', ELASTIC_NODE, ARREARS, pass('2m')),
  of(row('Node', 'Failed', 'ResourceCleanupFailed'), '移除失败', 'the machine of a node is protected when it shall go with it', ELASTIC_NODE, fault('machines', 'ensureGone', { Type: 'protected' }), call('DeleteEdgeNodes', NODE), pass('9m')),
  of(row('Node', 'Failed', 'Unknown'), '创建失败', 'the provider answers with an error that fits nothing, for as long as it is asked', RUNNING_CLUSTER, fault('machines', 'ensure', { Type: 'fail', Message: 'internal error 0x80070057' }), elasticPool(), pass('12m')),
]

/** Several conditions at once, as the seed's own example. */
export const NODE_UNIONS: readonly Scenario[] = [
  of(row('Node', 'Failed', 'Balance', 'ResourceCleanupFailed'), '欠费关停且移除失败', 'a machine that was shut down for arrears is protected when its node shall go with it',
    ELASTIC_NODE, ARREARS, pass('2m'), fault('machines', 'ensureGone', { Type: 'protected' }), call('DeleteCluster', { Id: '<cluster>', CascadingDeleteResources: ['All'] }), pass('9m')),
]
