/** Typed off status-model.md and status-rules.md by hand: nothing of the controllers or the model is used here, so that it can say that they are wrong. */
export type Kind = 'Cluster' | 'NodePool' | 'Node' | 'Addon'

/** Phase and conditions as people write them: `Failed/Balance+ResourceCleanupFailed`. */
// oxfmt-ignore
const SETS: Readonly<Record<Kind, readonly string[]>> = {
  Cluster: [
    'Creating/Progressing', 'Running/Ok', 'Running/Degraded', 'Updating/Progressing', 'Deleting/Progressing', 'Stopped/Balance', 'Starting/Progressing',
    'Failed/CreateError', 'Failed/LimitedByQuota', 'Failed/StockOut', 'Failed/Balance', 'Failed/ResourceCleanupFailed', 'Failed/Balance+ResourceCleanupFailed', 'Failed/Unknown',
  ],
  NodePool: [
    'Creating/Progressing', 'Running/Ok', 'Running/StockOut', 'Running/LimitedByQuota', 'Running/Balance', 'Running/ScalingFailed', 'Updating/Progressing', 'Deleting/Progressing', 'Scaling/Progressing',
    'Failed/ResourceCleanupFailed', 'Failed/Unknown', 'Failed/ClusterNotRunning',
  ],
  Node: [
    'Creating/Progressing', 'Running/Ok', 'Running/Unschedulable', 'Updating/Progressing', 'Deleting/Progressing', 'Starting/Progressing', 'Stopping/Progressing', 'Stopped/Ok',
    'Failed/InitializeFailed', 'Failed/NotReady', 'Failed/Balance', 'Failed/ResourceCleanupFailed', 'Failed/Balance+ResourceCleanupFailed', 'Failed/Unknown',
  ],
  Addon: [
    'Creating/Progressing', 'Running/Ok', 'Updating/Progressing', 'Deleting/Progressing',
    'Failed/NameConflict', 'Failed/CrashLoopBackOff', 'Failed/ImagePullBackOff', 'Failed/ClusterNotRunning', 'Failed/Degraded', 'Failed/SchedulingFailed', 'Failed/ResourceCleanupFailed', 'Failed/Unknown',
    'Failed/CrashLoopBackOff+ImagePullBackOff', 'Failed/CrashLoopBackOff+SchedulingFailed', 'Failed/ImagePullBackOff+SchedulingFailed', 'Failed/CrashLoopBackOff+ImagePullBackOff+SchedulingFailed',
  ],
}

/** The nine counters of NodeStatistics, but for the total, by the phase that each counts. */
export const COUNTERS: Readonly<Record<string, string>> = {
  CreatingCount: 'Creating', RunningCount: 'Running', UpdatingCount: 'Updating', DeletingCount: 'Deleting', FailedCount: 'Failed', StoppedCount: 'Stopped', StoppingCount: 'Stopping', StartingCount: 'Starting',
}

/** What work has ended on is left by deletion alone (node: or by the same machine's running its script again, or its coming to the end of it; or by a machine that is had, or refused, after all). `gone`: the record goes. */
const REMOVAL = ['Deleting/Progressing', 'Failed/ResourceCleanupFailed', 'Failed/Balance+ResourceCleanupFailed', 'gone']
/** One that was too slow and is a Ready member after all. */
const READY = ['Running/Ok', 'Running/Unschedulable', 'Updating/Progressing']
const ENDED: Readonly<Partial<Record<Kind, Readonly<Record<string, readonly string[]>>>>> = {
  Cluster: { 'Failed/CreateError': REMOVAL, 'Failed/LimitedByQuota': REMOVAL, 'Failed/StockOut': REMOVAL, 'Failed/Balance': REMOVAL },
  Node: { 'Failed/InitializeFailed': [...REMOVAL, 'Creating/Progressing', ...READY], 'Failed/Unknown': [...REMOVAL, 'Creating/Progressing'] },
}
/** Nothing that was asked to go comes back. */
const GOING = ['Deleting/Progressing', 'Failed/ResourceCleanupFailed', 'Failed/Balance+ResourceCleanupFailed']
/** Gone at once: a refused machine leaves no node, whether that was refused soon or only after nobody could say for long. */
const GOES_FROM: Readonly<Record<Kind, readonly string[]>> = { Cluster: GOING, NodePool: GOING, Node: [...GOING, 'Creating/Progressing', 'Failed/Unknown'], Addon: GOING }

/** What stands above ClusterNotRunning, and what a pool shows for as long as its cluster stands still. */
export const POOL_WHILE_CLUSTER_STANDS = ['Deleting/Progressing', 'Failed/ResourceCleanupFailed', 'Failed/Unknown', 'Failed/ClusterNotRunning']
export const ADDON_WHILE_CLUSTER_STANDS = ['Deleting/Progressing', 'Failed/ResourceCleanupFailed', 'Failed/ClusterNotRunning']

export function isSet(kind: Kind, pair: string): boolean {
  return SETS[kind].includes(pair)
}

/** What is wrong with one pair after another, as a clause; undefined: nothing. `before` undefined: it is new. */
export function wrongTurn(kind: Kind, before: string | undefined, after: string): string | undefined {
  if (before === undefined) return after === 'Creating/Progressing' ? undefined : `began as ${after}`
  if (before === 'gone') return `came back as ${after}`
  const only = ENDED[kind]?.[before]
  if (only && after !== before && !only.includes(after)) return `went from ${before} to ${after}, which only a deletion may end`
  if (after === 'gone') return GOES_FROM[kind].includes(before) ? undefined : `was gone from ${before}`
  if (GOING.includes(before) && !GOING.includes(after)) return `was being deleted (${before}) and became ${after}`
  return undefined
}

/** What is seen otherwise than is said: a status that tells of pods that are available beside what was seen of fewer. */
export function seenOtherwise(because: string, evidence: readonly { readonly Fact: string }[]): string | undefined {
  if (!because.startsWith('All its workloads are available')) return undefined
  return evidence.find(({ Fact }) => [...Fact.matchAll(/(\d+) of (\d+) pods available/g)].some(([, available, desired]) => Number(available) < Number(desired)))?.Fact
}
