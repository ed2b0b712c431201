/** Every deadline and dwell of status-rules.md, in one place; ms of the region's time. */
const SECOND = 1000
const MINUTE = 60 * SECOND

export const DEADLINES = {
  /** First start attempt → usable; then {Failed,[CreateError]}. */
  clusterCreation: 15 * MINUTE,
  /** Payment → usable again; then {Failed,[Unknown]}. */
  clusterStart: 15 * MINUTE,
  /** Inside the ten minutes for which clients poll a deleted cluster. */
  clusterDeletion: 8 * MINUTE,
  /** Clients wait five minutes for a pool. */
  nodePoolDeletion: 4 * MINUTE,
  nodeDeletion: 8 * MINUTE,
  /** In a pool's deletion, so that the node's failure shows before the pool's own deadline ends the client's wait. */
  nodeDeletionInPool: 4 * MINUTE,
  /** The machine exists → Ready member; stands still while the cluster is not running. */
  nodeInitialisation: 15 * MINUTE,
  /** A pool's update → its labels and taints on a node that is heard; then it is waited for no longer. */
  nodePoolUpdate: 10 * MINUTE,
  /** A custom resource whose finalizer nobody serves is waited for so long. */
  addonDeletion: 8 * MINUTE,
  /** Kubernetes' own progress deadline of a Deployment. */
  addonRollout: 10 * MINUTE,
  /** Ordered start of a stopped machine → Ready. */
  nodeStart: 15 * MINUTE,
  /** Ordered stop of a member, with the two minutes for its pods → its machine is off; where it still is not, the member can be had again as it is. */
  nodeStop: 3 * MINUTE,
  /** A provider's errors that fit no refusal, before any machine existed → {Failed,[Unknown]}. */
  machineCreation: 5 * MINUTE,
} as const

/** How long a cause must have held before it shows, or must have been gone before its condition goes. Causes that are not listed show at once and go when cured. */
export const DWELL = {
  /** Scheduler, controller manager or DNS down → {Running,[Degraded]}. */
  clusterDegraded: MINUTE,
  nodeNotReady: 0,
  /** A node that carries nothing that would be missed → given back, or switched off, by the autoscaler. */
  nodeIdle: 10 * MINUTE,
  /** A reason seen while an add-on is still being installed. */
  addonReasonWhileCreating: 3 * SECOND,
  /** No pod is available and nobody says why; a restart of its node passes meanwhile. */
  addonUnavailable: MINUTE,
  /** The container must have run this long before CrashLoopBackOff goes. */
  addonCrashLoopGone: 2 * MINUTE,
} as const

/** What nobody could look at for so long is stale: its pair is kept, and said to be so. */
export const STALE_AFTER_MS = 30 * SECOND

/** An admitted machine that its pool ordered without a Node object: from then on its name is put on the members' list again. */
export const MEMBER_AWAITED_MS = 30 * SECOND

/** How long is waited before a refused claim is tried again: doubling from the first to the longest (status-rules.md, node pool 8). */
export const REFUSED_CLAIM = { first: 30 * SECOND, longest: 60 * MINUTE } as const

/**
 * How long a member must have been lost, and how long is waited after the one before it, until it gives way to a machine that pods wait for: doubling from the first to the longest, as the next one may be lost for the same
 * reason.
 */
export const GIVES_WAY = { first: 10 * MINUTE, longest: 60 * MINUTE } as const

/**
 * How long a pod that waits has the place that it has by all that is known, whatever else comes there: not at all, and from the first time on that others took it after the dwell of an idle node ever longer, since a node that is made
 * for such a pod may never be any use to it.
 */
export function keepsPlaceFor(lost: number): number {
  return lost === 0 ? 0 : DWELL.nodeIdle * KEEPS_PLACE.times ** Math.min(lost, KEEPS_PLACE.most)
}

const KEEPS_PLACE = { times: 6, most: 6 } as const

/** The soonest of the instants that lie after `now`; undefined if there is none. */
export function soonestAfter(now: number, instants: readonly (number | undefined)[]): number | undefined {
  const ahead = instants.filter(instant => instant !== undefined && instant > now) as number[]
  return ahead.length === 0 ? undefined : Math.min(...ahead)
}
