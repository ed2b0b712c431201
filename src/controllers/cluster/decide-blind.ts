import type { ClusterFacts } from '#model/cluster/record.ts'
import type { Evidence } from '#model/evidence.ts'
import { DEADLINES } from '#model/status/deadlines.ts'
import { rfc3339Seconds, spanText } from '#model/time.ts'
import type { FactsChange } from '#model/with-facts.ts'
import { hostEvidence } from './evidence.ts'

/** A look that fails this long makes the record stale; its pair is kept. */
const BLIND_AFTER_MS = 30_000

/** A pass that could not look at the cluster. Times are the region's, epoch ms. */
export interface BlindPass {
  readonly now: number
  readonly facts: ClusterFacts
  /** Nobody has seen it since then. */
  readonly since: number
  /** The thing that nobody could look at, as a sentence begins. */
  readonly what: string
  /** What stood in the way of the look: the call and its words. */
  readonly why: string
}

/**
 * What follows from not seeing, by time alone: nothing about the cluster is concluded, but deadlines go on. A deletion whose deadline has passed waits for somebody
 * to ask again, and so a creation, which no call could end otherwise; before that the record is marked stale. Undefined where nothing changes.
 */
export function decideBlind({ now, facts, since, what, why }: BlindPass): { readonly change: FactsChange<ClusterFacts>; readonly evidence: readonly Evidence[] } | undefined {
  const isBlind = now - since >= BLIND_AFTER_MS
  const says = `${what} could not be looked at since ${rfc3339Seconds(since)}: ${why}`
  const evidence = [hostEvidence(`It could not be looked at since ${rfc3339Seconds(since)}: ${why}`, now)]
  if (facts.deletion) {
    if (now - facts.deletion.requestedAt >= DEADLINES.clusterDeletion && facts.obstacles.length === 0) return { change: { obstacles: [says], staleSince: since }, evidence }
  } else if (facts.firstReadyAt === undefined && facts.creationEnded === undefined && facts.attemptStartedAt !== undefined) {
    // One look that failed after this process was away is no reason yet: the next may see a cluster that is usable.
    const isLate = isBlind && now - facts.attemptStartedAt >= DEADLINES.clusterCreation
    const because = `Its control plane was not seen usable ${spanText(DEADLINES.clusterCreation)} after its first start. ${says}`
    if (isLate) return { change: { creationEnded: { as: 'CreateError', because }, waitsFor: undefined, staleSince: since }, evidence }
  }
  return isBlind && facts.staleSince === undefined ? { change: { staleSince: since }, evidence: [] } : undefined
}
