import type { Transitions } from '../status/walk.ts'

/**
 * What may follow each status of a node pool. It follows from the rules and the preconditions, and a test walks both and expects exactly this: a change of either
 * shows here, for a reader to judge.
 */
// oxfmt-ignore
export const NODE_POOL_TRANSITIONS: Transitions = {
  'Creating/Progressing':         ['Running/Ok', 'Deleting/Progressing', 'Failed/Unknown', 'Failed/ClusterNotRunning'],
  'Running/Ok':                   ['Updating/Progressing', 'Deleting/Progressing', 'Failed/ClusterNotRunning', 'Scaling/Progressing'],
  'Running/StockOut':             ['Updating/Progressing', 'Deleting/Progressing', 'Failed/ClusterNotRunning', 'Scaling/Progressing'],
  'Running/LimitedByQuota':       ['Updating/Progressing', 'Deleting/Progressing', 'Failed/ClusterNotRunning', 'Scaling/Progressing'],
  'Running/Balance':              ['Updating/Progressing', 'Deleting/Progressing', 'Failed/ClusterNotRunning', 'Scaling/Progressing'],
  'Running/ScalingFailed':        ['Updating/Progressing', 'Deleting/Progressing', 'Failed/ClusterNotRunning', 'Scaling/Progressing'],
  'Updating/Progressing':         ['Running/Ok', 'Running/StockOut', 'Running/LimitedByQuota', 'Running/Balance', 'Running/ScalingFailed', 'Deleting/Progressing', 'Failed/ClusterNotRunning', 'Scaling/Progressing'],
  'Deleting/Progressing':         ['Failed/ResourceCleanupFailed', 'gone'],
  'Failed/ResourceCleanupFailed': ['Deleting/Progressing', 'gone'],
  'Failed/Unknown':               ['Deleting/Progressing'],
  'Failed/ClusterNotRunning':     ['Creating/Progressing', 'Running/Ok', 'Running/StockOut', 'Running/LimitedByQuota', 'Running/Balance', 'Running/ScalingFailed', 'Updating/Progressing', 'Deleting/Progressing', 'Failed/Unknown', 'Scaling/Progressing'],
  'Scaling/Progressing':          ['Running/Ok', 'Running/StockOut', 'Running/LimitedByQuota', 'Running/Balance', 'Running/ScalingFailed', 'Updating/Progressing', 'Deleting/Progressing', 'Failed/ClusterNotRunning'],
}
