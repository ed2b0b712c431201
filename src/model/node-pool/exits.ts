import type { Exits } from '../status/exit.ts'
import type { RowKeyOf } from '../status/table.ts'
import type { NODE_POOL_STATUS } from './status.ts'

const DELETE = ['call', 'DeleteNodePool'] as const
const FEWER = ['call', 'ScaleUpEdgeNodePool to what it has'] as const
const WISH_GRANTED = ['cause', 'the machines are had at a later try, which goes on by itself'] as const

/** How a node pool leaves each row (status-model.md 3, status-rules.md). */
// oxfmt-ignore
export const NODE_POOL_EXITS: Exits<RowKeyOf<typeof NODE_POOL_STATUS>> = {
  'Creating/Progressing':         [['cause', 'the cluster admits members of it'], ['cause', 'its creation fails for good']],
  'Running/Ok':                   [['cause', 'a machine runs its onboarding script, or a node of it is removed'], ['call', 'UpdateEdgeNodePoolConfig'], DELETE, ['cause', 'its cluster stops']],
  'Running/StockOut':             [WISH_GRANTED, FEWER, DELETE],
  'Running/LimitedByQuota':       [WISH_GRANTED, FEWER, DELETE],
  'Running/Balance':              [WISH_GRANTED, FEWER, DELETE],
  'Running/ScalingFailed':        [WISH_GRANTED, FEWER, DELETE],
  'Updating/Progressing':         [['cause', 'every node that can be reached carries the labels and taints']],
  'Deleting/Progressing':         [['cause', 'it and its nodes are gone'], ['cause', 'a thing of it cannot be removed, or 4 min pass']],
  'Failed/ResourceCleanupFailed': [['call', 'DeleteNodePool once more, when what stood in the way is out of it'], ['cause', 'the deletion of its cluster is asked for once more, and nothing stands in the way']],
  'Failed/Unknown':               [DELETE],
  'Failed/ClusterNotRunning':     [['cause', 'its cluster is running again'], DELETE],
  'Scaling/Progressing':          [['cause', 'no node of it is Creating or Deleting any more'], DELETE],
}
