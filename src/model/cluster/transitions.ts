import type { Transitions } from '../status/walk.ts'

/**
 * What may follow each status of a cluster. It follows from the rules and the preconditions, and a test walks both and expects exactly this: a change of either
 * shows here, for a reader to judge.
 */
// oxfmt-ignore
export const CLUSTER_TRANSITIONS: Transitions = {
  'Creating/Progressing':                 ['Running/Ok', 'Failed/CreateError', 'Failed/LimitedByQuota', 'Failed/StockOut', 'Failed/Balance'],
  'Running/Ok':                           ['Running/Degraded', 'Updating/Progressing', 'Deleting/Progressing', 'Stopped/Balance', 'Starting/Progressing', 'Failed/Unknown'],
  'Running/Degraded':                     ['Running/Ok', 'Updating/Progressing', 'Deleting/Progressing', 'Stopped/Balance'],
  'Updating/Progressing':                 ['Running/Ok', 'Running/Degraded', 'Stopped/Balance', 'Starting/Progressing', 'Failed/Unknown'],
  'Deleting/Progressing':                 ['Failed/ResourceCleanupFailed', 'Failed/Balance+ResourceCleanupFailed', 'gone'],
  'Stopped/Balance':                      ['Deleting/Progressing', 'Starting/Progressing'],
  'Starting/Progressing':                 ['Running/Ok', 'Updating/Progressing', 'Stopped/Balance', 'Failed/Unknown'],
  'Failed/CreateError':                   ['Deleting/Progressing'],
  'Failed/LimitedByQuota':                ['Deleting/Progressing'],
  'Failed/StockOut':                      ['Deleting/Progressing'],
  'Failed/Balance':                       ['Deleting/Progressing'],
  'Failed/ResourceCleanupFailed':         ['Deleting/Progressing', 'Failed/Balance+ResourceCleanupFailed', 'gone'],
  'Failed/Unknown':                       ['Running/Ok', 'Updating/Progressing', 'Deleting/Progressing', 'Stopped/Balance', 'Starting/Progressing'],
  'Failed/Balance+ResourceCleanupFailed': ['Deleting/Progressing', 'Failed/ResourceCleanupFailed', 'gone'],
}
