import type { Exits } from '../status/exit.ts'
import type { RowKeyOf } from '../status/table.ts'
import { isMachineRemoved } from './readiness.ts'
import type { NodeRecord } from './record.ts'
import type { NODE_STATUS } from './status.ts'

const DELETE = ['call', 'DeleteEdgeNodes'] as const
const RUNS_AGAIN = 'the same machine runs its script again after the fault is mended (one that a pool ordered begins no second time)'
const PAID = 'the debt is paid', ON_AGAIN = 'its machine is on again, or is not 15 min after the debt was paid'
const AFTER_ALL = 'it becomes a Ready member of the cluster after all'

/** How a node leaves each row (status-model.md 4, status-rules.md). */
// oxfmt-ignore
export const NODE_EXITS: Exits<RowKeyOf<typeof NODE_STATUS>> = {
  'Creating/Progressing':         [['cause', 'it becomes a Ready member of the cluster'], ['cause', 'a step on the machine fails, or it is not Ready 15 min after the machine was there'], DELETE],
  'Running/Ok':                   [['call', 'SetNodeSchedulable (cordon)'], DELETE, ['cause', 'its machine goes off, or its kubelet falls silent or reports a fault'], ['cause', 'labels or taints of its pool are changed']],
  'Running/Unschedulable':        [['cause', 'it is uncordoned with kubectl'], ['call', 'SetNodeSchedulable (uncordon)'], DELETE],
  'Updating/Progressing':         [['cause', 'its Node object carries labels, taints and version of its pool'], DELETE],
  'Deleting/Progressing':         [['cause', 'its pods are evicted and its Node object is gone'], ['cause', 'its machine cannot be removed, or the deadline passes (8 min; 4 min in a pool\'s deletion)']],
  'Starting/Progressing':         [['cause', 'its kubelet is Ready'], ['cause', 'it is not Ready 15 min after the order'], DELETE],
  'Stopping/Progressing':         [['cause', 'its pods are evicted and its machine is off'], ['cause', 'its pool scales out before that'], DELETE],
  'Stopped/Ok':                   [['cause', 'its pool scales out'], DELETE],
  'Failed/InitializeFailed':      [['cause', RUNS_AGAIN], ['cause', AFTER_ALL], DELETE],
  'Failed/NotReady':              [['cause', 'its kubelet reports Ready again, once it has power and network'], DELETE],
  'Failed/Balance':               [['cause', PAID], ['cause', ON_AGAIN], DELETE],
  'Failed/ResourceCleanupFailed': [['call', 'DeleteEdgeNodes once more, when what stood in the way is out of it'], ['cause', 'the deletion of its pool or cluster is asked for once more, and nothing stands in the way']],
  'Failed/Unknown':               [['cause', 'where nobody could look for its machine when it was given up: somebody can again, and it is there after all, or was refused, which its pool tells then'], DELETE],
}

/** Whether a cause of the table can lead this very node out of a failure. */
export function canEndFailure(cause: string, { spec, facts }: Pick<NodeRecord, 'spec' | 'facts'>): boolean {
  // A machine that its provider has no more comes back by nothing: what is left are calls.
  if (isMachineRemoved(facts)) return false
  if (cause === PAID || cause === ON_AGAIN) return (facts.paidAt === undefined) === (cause === PAID)
  // No machine is this node's yet, so that to the next script it is somebody else's name; the password by which it could be tried again is not kept.
  const isLoginOver = spec.login !== undefined && facts.joinedAt === undefined && facts.initialiseFailed !== undefined
  if (cause === RUNS_AGAIN) return spec.machine === undefined && !isLoginOver
  return cause !== AFTER_ALL || !isLoginOver
}
