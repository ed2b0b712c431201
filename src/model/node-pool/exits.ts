import type { Exits } from '../status/exit.ts'
import type { RowKeyOf } from '../status/table.ts'
import type { NODE_POOL_STATUS } from './status.ts'

const DELETE = ['call', 'DeleteNodePool'] as const
const FEWER = ['call', 'ScaleUpEdgeNodePool to what it has'] as const
/** The pool needs nobody for it once the cause is gone. */
const cured = (what: string) => ['cause', `${what}, and it tries again by itself`] as const

/** How a node pool leaves each row (status-model.md 3, status-rules.md). */
// oxfmt-ignore
export const NODE_POOL_EXITS: Exits<RowKeyOf<typeof NODE_POOL_STATUS>> = {
  'Creating/Progressing':         [['cause', 'the cluster admits members of it'], ['cause', 'its creation fails for good']],
  'Running/Ok':                   [['cause', 'a machine runs its onboarding script, or a node of it is removed'], ['call', 'UpdateEdgeNodePoolConfig'], DELETE, ['cause', 'its cluster stops']],
  'Running/StockOut':             [cured('there is stock again (SetStock)'), FEWER, DELETE],
  'Running/LimitedByQuota':       [cured('the quota is raised (SetQuota) or a machine that counts is given back'), FEWER, DELETE],
  'Running/Balance':              [cured('the debt is paid (SetBalance)'), FEWER, DELETE],
  'Running/ScalingFailed':        [cured('what refused them is mended'), FEWER, DELETE],
  'Updating/Progressing':         [['cause', 'every node that can be reached carries the labels and taints']],
  'Deleting/Progressing':         [['cause', 'it and its nodes are gone'], ['cause', 'a thing of it cannot be removed, or 4 min pass']],
  'Failed/ResourceCleanupFailed': [['call', 'DeleteNodePool once more, when what stood in the way is out of it'], ['cause', 'the deletion of its cluster is asked for once more, and nothing stands in the way']],
  'Failed/Unknown':               [DELETE],
  'Failed/ClusterNotRunning':     [['cause', 'its cluster is running again'], DELETE, ['call', 'DeleteCluster']],
  'Scaling/Progressing':          [['cause', 'no node of it is Creating or Deleting any more'], DELETE],
}
