import { rowOf, statusTable, type ConditionSets, type PhaseOf, type StatusOf } from '../status/table.ts'

// oxfmt-ignore
/** Nodes (节点): status-model.md 4. */
export const NODE_STATUS = statusTable([
  // phase       condition                origin  zh                en                              pods   what it means
  ['Creating', 'Progressing',           'seed', '创建中',         'creating',                     false, 'The machine is being prepared and joins the cluster.'],
  ['Running',  'Ok',                    'seed', '运行中',         'running',                      true,  'Ready, and pods may be scheduled on it.'],
  ['Running',  'Unschedulable',         'seed', '运行中',         'running',                      false, 'Ready, but cordoned: no new pods are scheduled on it.'],
  ['Updating', 'Progressing',           'seed', '更新中',         'updating',                     false, 'Labels, taints or version of the pool are on their way to it.'],
  ['Deleting', 'Progressing',           'seed', '移除中',         'removing',                     false, 'It is being removed.'],
  ['Starting', 'Progressing',           'seed', '启动中',         'starting',                     false, 'Its stopped machine was ordered to start.'],
  ['Stopping', 'Progressing',           'seed', '停止中',         'stopping',                     false, 'Its machine was ordered to stop.'],
  ['Stopped',  'Ok',                    'seed', '已停止',         'stopped',                      false, 'Its machine was stopped by its pool.'],
  ['Failed',   'InitializeFailed',      'seed', '创建失败',       'creation failed',              false, 'A step of making a node of the machine failed, or took too long.'],
  ['Failed',   'NotReady',              'seed', '异常',           'abnormal',                     false, 'Its machine is off, or its kubelet is silent or reports a fault.'],
  ['Failed',   'Balance',               'seed', '异常(欠费关停)', 'abnormal, shut down for arrears', false, 'Its machine was shut down because the account is in arrears.'],
  ['Failed',   'ResourceCleanupFailed', 'seed', '移除失败',       'removal failed',               false, 'Its machine could not be removed.'],
  ['Failed',   'Unknown',               'seed', '创建失败',       'creation failed',              false, 'Creation failed for an unknown cause.'],
])

/** The seed's own example: its removal failed and, besides, its machine was shut down for arrears. */
export const NODE_CONDITIONS_TOGETHER: ConditionSets = [['Failed', ['Balance', 'ResourceCleanupFailed']]]

export type NodePhase = PhaseOf<typeof NODE_STATUS>
export type NodeStatus = StatusOf<typeof NODE_STATUS>

/** May new pods be scheduled on a node that shows this? */
export function isSchedulable(status: NodeStatus): boolean {
  return rowOf(NODE_STATUS, status)[5] === true
}
