import { statusTable, type ConditionSets, type PhaseOf, type StatusOf } from '../status/table.ts'

// oxfmt-ignore
/** Node pools (节点池): status-model.md 3. */
export const NODE_POOL_STATUS = statusTable([
  // phase       condition                origin     zh          en                           what it means
  ['Creating', 'Progressing',           'seed',    '创建中',   'creating',                  'It is being made; the cluster does not admit members of it yet.'],
  ['Running',  'Ok',                    'seed',    '运行中',   'running',                   'It works; a static pool without nodes does too.'],
  ['Running',  'StockOut',              'sibling', '运行中',   'running, sold out',         'It works; machines that it wants are sold out.'],
  ['Running',  'LimitedByQuota',        'sibling', '运行中',   'running, quota used up',    'It works; a quota refuses machines that it wants.'],
  ['Running',  'Balance',               'sibling', '运行中',   'running, in arrears',       'It works; machines that it wants are refused because the account is in arrears.'],
  ['Running',  'ScalingFailed',         'sibling', '运行中',   'running, scaling failed',   'It works; machines that it wants are refused for another reason.'],
  ['Updating', 'Progressing',           'seed',    '更新中',   'updating',                  'Labels, taints or version are on their way to its nodes.'],
  ['Deleting', 'Progressing',           'seed',    '删除中',   'deleting',                  'It and its nodes are being removed.'],
  ['Failed',   'ResourceCleanupFailed', 'seed',    '删除失败', 'deletion failed',           'A machine or another thing of it could not be removed.'],
  ['Failed',   'Unknown',               'seed',    '创建失败', 'creation failed',           'Creation failed for an unknown cause.'],
  ['Failed',   'ClusterNotRunning',     'seed',    '异常',     'abnormal',                  'Its cluster is stopped, or has not been seen working since it was.'],
  ['Scaling',  'Progressing',           'seed',    '伸缩中',   'scaling',                   'Nodes of it are being added or removed.'],
])

export const NODE_POOL_CONDITIONS_TOGETHER: ConditionSets = []

export type NodePoolPhase = PhaseOf<typeof NODE_POOL_STATUS>
export type NodePoolStatus = StatusOf<typeof NODE_POOL_STATUS>
