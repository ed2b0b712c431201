import type { Exits } from '../status/exit.ts'
import type { RowKeyOf } from '../status/table.ts'
import { ITS_COPY, THE_DATA, type ClusterRecord } from './record.ts'
import type { CLUSTER_STATUS } from './status.ts'

const DELETE = ['call', 'DeleteCluster'] as const
const BECOMES_USABLE = 'its control plane becomes usable'
const COMES_BACK = 'its control plane comes back, which is tried again and again'
const COPIED = 'a copy of its data, which is lost, is put back where it was'

/** How a cluster leaves each row (status-model.md 2, status-rules.md). */
// oxfmt-ignore
export const CLUSTER_EXITS: Exits<RowKeyOf<typeof CLUSTER_STATUS>> = {
  'Creating/Progressing':         [['cause', 'its control plane becomes usable: API, scheduler, controller manager, network and DNS'], ['cause', 'its creation fails, or is not done 15 min after the first start']],
  'Running/Ok':                   [['cause', 'a node pool of it is created, deleted or scaled'], ['call', 'UpdateClusterConfig'], DELETE, ['cause', 'its control plane fails, or the account goes into arrears']],
  'Running/Degraded':             [['cause', 'what is down behind its API comes back'], DELETE],
  'Updating/Progressing':         [['cause', 'its node pools come to rest and its own change is done']],
  'Deleting/Progressing':         [['cause', 'everything of it is gone, and the cluster with it'], ['cause', 'a resource cannot be removed, or 8 min pass']],
  'Stopped/Balance':              [['cause', 'the debt is paid'], DELETE],
  'Starting/Progressing':         [['cause', BECOMES_USABLE], ['cause', COPIED], ['cause', 'it is not usable 15 min after the payment']],
  'Failed/CreateError':           [DELETE],
  'Failed/LimitedByQuota':        [DELETE],
  'Failed/StockOut':              [DELETE],
  'Failed/Balance':               [DELETE],
  'Failed/ResourceCleanupFailed': [['call', 'DeleteCluster once more, when what stood in the way is out of it']],
  'Failed/Unknown':               [['cause', COMES_BACK], ['cause', COPIED], DELETE],
}

/** Whether a cause of the table leads out of this very one: what it was is gone with its data, unless that is put back. */
export function canEndCluster(cause: string, { facts: { downBy } }: Pick<ClusterRecord, 'facts'>): boolean {
  if (cause === COPIED) return downBy === ITS_COPY
  return (downBy !== THE_DATA && downBy !== ITS_COPY) || (cause !== COMES_BACK && cause !== BECOMES_USABLE)
}

/** Nothing but its deletion leads on: nothing in it comes to work any more. */
export function canOnlyBeDeleted({ facts: { creationEnded, downBy, deletion } }: Pick<ClusterRecord, 'facts'>): boolean {
  return deletion === undefined && (creationEnded !== undefined || downBy === THE_DATA)
}
