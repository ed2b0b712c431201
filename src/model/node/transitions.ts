import type { Transitions } from '../status/walk.ts'

/**
 * What may follow each status of a node. It follows from the rules and the preconditions, and a test walks both and expects exactly this: a change of either
 * shows here, for a reader to judge.
 */
// oxfmt-ignore
export const NODE_TRANSITIONS: Transitions = {
  'Creating/Progressing':                 ['Running/Ok', 'Deleting/Progressing', 'Failed/InitializeFailed', 'Failed/Unknown', 'gone'],
  'Running/Ok':                           ['Running/Unschedulable', 'Updating/Progressing', 'Deleting/Progressing', 'Stopping/Progressing', 'Failed/NotReady', 'Failed/Balance'],
  'Running/Unschedulable':                ['Running/Ok', 'Updating/Progressing', 'Deleting/Progressing', 'Stopping/Progressing', 'Failed/NotReady', 'Failed/Balance'],
  'Updating/Progressing':                 ['Running/Ok', 'Running/Unschedulable', 'Deleting/Progressing', 'Failed/NotReady', 'Failed/Balance'],
  'Deleting/Progressing':                 ['Failed/ResourceCleanupFailed', 'Failed/Balance+ResourceCleanupFailed', 'gone'],
  'Starting/Progressing':                 ['Running/Ok', 'Running/Unschedulable', 'Updating/Progressing', 'Deleting/Progressing', 'Failed/NotReady', 'Failed/Balance'],
  'Stopping/Progressing':                 ['Running/Ok', 'Running/Unschedulable', 'Updating/Progressing', 'Deleting/Progressing', 'Starting/Progressing', 'Stopped/Ok', 'Failed/NotReady', 'Failed/Balance'],
  'Stopped/Ok':                           ['Deleting/Progressing', 'Starting/Progressing', 'Stopping/Progressing', 'Failed/NotReady', 'Failed/Balance'],
  'Failed/InitializeFailed':              ['Creating/Progressing', 'Running/Ok', 'Deleting/Progressing'],
  'Failed/NotReady':                      ['Running/Ok', 'Running/Unschedulable', 'Updating/Progressing', 'Deleting/Progressing', 'Failed/Balance'],
  'Failed/Balance':                       ['Deleting/Progressing', 'Starting/Progressing', 'Stopped/Ok', 'Failed/NotReady'],
  'Failed/ResourceCleanupFailed':         ['Deleting/Progressing', 'Failed/Balance+ResourceCleanupFailed', 'gone'],
  'Failed/Unknown':                       ['Creating/Progressing', 'Deleting/Progressing', 'gone'],
  'Failed/Balance+ResourceCleanupFailed': ['Deleting/Progressing', 'Failed/ResourceCleanupFailed', 'gone'],
}
