import { canOnlyBeDeleted } from '../cluster/exits.ts'
import type { ClusterRecord } from '../cluster/record.ts'
import type { Exits } from '../status/exit.ts'
import type { RowKeyOf } from '../status/table.ts'
import { API_SILENT, CLUSTER_NOT_RUNNING, type AddonRecord } from './record.ts'
import type { ADDON_STATUS } from './status.ts'

const DELETE = ['call', 'DeleteAddon'] as const
const TRIED = 'what stood in the way is out of it, and its removal is tried again, which is done now and then'
const PAID = 'the debt is paid and its cluster runs again; its removal then goes on'
const RUNS = 'its cluster runs again; its removal then goes on'
const ANSWERS = 'the API of its cluster answers again; its removal then goes on'

/** How an add-on leaves each row (status-model.md 5, status-rules.md). */
// oxfmt-ignore
export const ADDON_EXITS: Exits<RowKeyOf<typeof ADDON_STATUS>> = {
  'Creating/Progressing':         [['cause', 'all its workloads are available'], ['cause', 'its installation fails'], DELETE],
  'Running/Ok':                   [['call', 'UpdateAddonConfig'], ['call', 'UpdateAddonVersion'], DELETE, ['cause', 'a workload of it fails']],
  'Updating/Progressing':         [['cause', 'all its workloads are available in the new form'], ['cause', 'the change fails']],
  'Deleting/Progressing':         [['cause', 'it is gone'], ['cause', 'a resource cannot be removed, or 8 min pass']],
  'Failed/NameConflict':          [['cause', 'the object that has its name is removed'], DELETE],
  'Failed/CrashLoopBackOff':      [['cause', 'its containers have run for 2 min'], ['call', 'UpdateAddonConfig'], DELETE],
  'Failed/ImagePullBackOff':      [['cause', 'the image is there'], ['call', 'UpdateAddonConfig'], DELETE],
  'Failed/ClusterNotRunning':     [['cause', 'its cluster is running again'], DELETE, ['call', 'DeleteCluster']],
  'Failed/Degraded':              [['cause', 'all pods asked for are available'], DELETE],
  'Failed/SchedulingFailed':      [['cause', 'a node that fits joins'], DELETE],
  'Failed/ResourceCleanupFailed': [['call', 'DeleteAddon once more, when what stood in the way is out of it'], ['cause', TRIED], ['cause', PAID], ['cause', RUNS], ['cause', ANSWERS], ['cause', 'its cluster goes, with everything that is in it']],
  'Failed/Unknown':               [['call', 'UpdateAddonConfig'], DELETE],
}

/** Whether a cause of the table leads out of this very one: a removal waits for one thing at a time. */
export function canEnd(cause: string, { facts: { waitsFor } }: Pick<AddonRecord, 'facts'>, cluster: Pick<ClusterRecord, 'facts'> | undefined): boolean {
  switch (cause) {
    case TRIED: return waitsFor === undefined && !cluster?.facts.deletion
    case PAID: return waitsFor === CLUSTER_NOT_RUNNING && cluster?.facts.unpaid === true && !canOnlyBeDeleted(cluster)
    case RUNS: return waitsFor === CLUSTER_NOT_RUNNING && cluster?.facts.unpaid !== true && !(cluster && canOnlyBeDeleted(cluster))
    case ANSWERS: return waitsFor === API_SILENT && !(cluster && canOnlyBeDeleted(cluster))
    default: return true
  }
}
