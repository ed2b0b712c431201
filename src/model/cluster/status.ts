import { statusTable, type ConditionSets, type PhaseOf, type StatusOf } from '../status/table.ts'

// oxfmt-ignore
/** Clusters (集群): status-model.md 2. */
export const CLUSTER_STATUS = statusTable([
  // phase       condition                origin     zh            en                       what it means
  ['Creating', 'Progressing',           'seed',    '创建中',     'creating',              'Its control plane, address and network are being made.'],
  ['Running',  'Ok',                    'seed',    '运行中',     'running',               'It works.'],
  ['Running',  'Degraded',              'sibling', '运行中',     'running, degraded',     'Its API works; the scheduler, the controller manager or DNS does not.'],
  ['Updating', 'Progressing',           'seed',    '更新中',     'updating',              'A node pool of it is being created, deleted or scaled, or the cluster itself changes.'],
  ['Deleting', 'Progressing',           'seed',    '删除中',     'deleting',              'It is being deleted.'],
  ['Stopped',  'Balance',               'seed',    '欠费关停',   'shut down for arrears', 'It was shut down because the account is in arrears.'],
  ['Starting', 'Progressing',           'sibling', '启动中',     'starting',              'The debt is paid and the control plane comes back.'],
  ['Failed',   'CreateError',           'seed',    '创建失败',   'creation failed',       'Creation failed for a reason other than quota, arrears or stock.'],
  ['Failed',   'LimitedByQuota',        'sibling', '创建失败',   'creation failed',       'Creation failed: a quota is used up.'],
  ['Failed',   'StockOut',              'sibling', '创建失败',   'creation failed',       'Creation failed: something it needs is sold out.'],
  ['Failed',   'Balance',               'sibling', '失败(欠费)', 'failed for arrears',    'The account is in arrears: creation failed, or what is left could not be removed besides.'],
  ['Failed',   'ResourceCleanupFailed', 'seed',    '删除失败',   'deletion failed',       'A resource of it could not be deleted.'],
  ['Failed',   'Unknown',               'seed',    '异常',       'abnormal',              'Its control plane is down and does not come back, or the cause is unknown.'],
])

export const CLUSTER_CONDITIONS_TOGETHER: ConditionSets = [['Failed', ['Balance', 'ResourceCleanupFailed']]]

export type ClusterPhase = PhaseOf<typeof CLUSTER_STATUS>
export type ClusterStatus = StatusOf<typeof CLUSTER_STATUS>
