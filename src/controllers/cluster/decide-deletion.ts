import { goesInDeletion, leavesWhatIsHeld } from '#model/cluster/outside.ts'
import { DEADLINES } from '#model/status/deadlines.ts'
import type { Course } from './decide.ts'
import { isGone, lookEvidence } from './evidence.ts'
import type { ClusterSeen } from './seen.ts'

const SECOND = 1_000, MINUTE = 60 * SECOND, DAY = 24 * 60 * MINUTE
/** Nodes and pools go first while the API can still be asked; a stuck one does not hold the control plane longer than this. */
export const CHILDREN_FIRST_MS = 2 * MINUTE

/** The mirror image of creation: nodes and pools, then the control plane, then everything that was kept of it, then the record. */
export function decideDeletion(seen: ClusterSeen): Course {
  const next = nextOfDeletion(seen)
  return { evidence: [lookEvidence(seen.host, seen.now)], ...next, change: { ...next.change, ...next.step !== 'finishDeletion' && whatWent(seen) } }
}

/** What keeps the record (a machine, a load balancer) keeps nothing in the cluster: that went with its control plane. */
function whatWent({ host, record: { facts: { deletion } } }: ClusterSeen): Course['change'] {
  return deletion && isGone(host) ? { deletion: { ...deletion, controlPlaneGone: true } } : {}
}

function nextOfDeletion(seen: ClusterSeen): Course {
  const { now, record: { facts }, host, children } = seen
  const isEmpty = isGone(host) && leavingOutside(seen).length === 0
  const since = facts.deletion?.requestedAt ?? now
  const waitsForChildren = children.pools + children.nodes > 0
  const deadline = since + DEADLINES.clusterDeletion

  if (isEmpty) {
    if (!waitsForChildren) return { change: { controlPlane: 'absent' }, step: 'finishDeletion' }
    // What keeps them is said by them, and their cluster's status follows from theirs.
    return { change: { controlPlane: 'absent' }, lookAgainAt: now < deadline ? Math.min(now + whileChildrenGo(now - since), deadline) : now + untilNextLook(seen) }
  }
  // Given up until somebody asks again; it is still looked at, so that what cleared by itself shows. What cannot be removed works for nobody in arrears all the same.
  if (facts.obstacles.length > 0) return { change: {}, ...facts.unpaid && runs(seen) && { step: 'ensureControlPlaneStopped' as const }, lookAgainAt: now + untilNextLook(seen) }
  if (waitsForChildren && now - since < CHILDREN_FIRST_MS) return { change: {}, lookAgainAt: Math.min(now + whileChildrenGo(now - since), since + CHILDREN_FIRST_MS) }
  return { change: { degraded: undefined, updating: undefined }, step: 'ensureControlPlaneGone', lookAgainAt: now }
}

function runs({ host }: ClusterSeen): boolean {
  return host.components.some(component => component.state === 'running')
}

/** A node and a pool call their cluster as they go, so this is only for what went otherwise. */
function whileChildrenGo(waited: number): number {
  return Math.max(SECOND, waited / 8)
}

/** Less and less often; where everything is told, without a bound: somebody who is stuck for years is no work. */
function untilNextLook({ now, shownSince, tellsAll }: ClusterSeen): number {
  return Math.min(Math.max((now - shownSince) / 2, 10 * SECOND), tellsAll ? Infinity : DAY)
}

/** Those that were asked to go and are still there. */
export function leavingOutside({ record: { facts }, outside }: Pick<ClusterSeen, 'record' | 'outside'>): ClusterSeen['outside'] {
  const { deletion } = facts
  return deletion ? outside.filter(({ kind, seen }) => seen !== undefined && goesInDeletion(kind, deletion) && !(seen.deleteProtected && leavesWhatIsHeld(deletion))) : []
}
