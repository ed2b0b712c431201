import type { ClusterFacts } from '#model/cluster/record.ts'
import { creationEnd } from '#model/cluster/rules.ts'
import type { Evidence } from '#model/evidence.ts'
import { DEADLINES, STALE_AFTER_MS } from '#model/status/deadlines.ts'
import { rfc3339Seconds, spanText } from '#model/time.ts'
import type { FactsChange } from '#model/with-facts.ts'
import { hostEvidence } from './evidence.ts'

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
 * to ask again; so a creation, and a start after payment, which no call could end otherwise; and a change that needs nothing of the control plane is done. Before that
 * the record is marked stale. Undefined where nothing changes.
 */
export function decideBlind(pass: BlindPass): { readonly change: FactsChange<ClusterFacts>; readonly evidence: readonly Evidence[] } | undefined {
  const { now, facts, since, why } = pass
  const isBlind = now - since >= STALE_AFTER_MS
  const change = facts.deletion ? ofDeletion(pass) : facts.firstReadyAt === undefined ? ofCreation(pass, isBlind) : ofUpkeep(pass, isBlind)
  // What has ended is looked at no more, so it is as it is shown.
  const stale = change?.creationEnded ? { staleSince: undefined } : isBlind && { staleSince: since }
  if (change) return { change: { ...change, ...stale }, evidence: [hostEvidence(`It could not be looked at since ${rfc3339Seconds(since)}: ${why}`, now)] }
  return isBlind && facts.staleSince === undefined ? { change: { staleSince: since }, evidence: [] } : undefined
}

function ofDeletion(pass: BlindPass): FactsChange<ClusterFacts> | undefined {
  const { now, facts: { deletion, obstacles } } = pass
  return deletion && now - deletion.requestedAt >= DEADLINES.clusterDeletion && obstacles.length === 0 ? { obstacles: [words(pass)] } : undefined
}

/** One look that failed after this process was away is no reason yet: the next may see a cluster that is usable. */
function ofCreation(pass: BlindPass, isBlind: boolean): FactsChange<ClusterFacts> | undefined {
  const { now, facts, facts: { creationEnded, attemptStartedAt, unpaid }, since } = pass
  if (creationEnded) return undefined
  // Arrears end it whatever is seen of it, and the record remembers that: they may be paid, and it does not go on.
  if (unpaid) return { creationEnded: creationEnd({ now, facts, movingPools: [], stuckPools: [] }), waitsFor: undefined }
  // Where it was never begun, nobody knows whether it could have been.
  if (!isBlind || now - (attemptStartedAt ?? since) < DEADLINES.clusterCreation) return undefined
  const span = spanText(DEADLINES.clusterCreation)
  const late = attemptStartedAt === undefined ? `Its control plane could not be begun for ${span}` : `Its control plane was not seen usable ${span} after its first start`
  return { creationEnded: { as: 'CreateError', because: `${late}. ${words(pass)}` }, waitsFor: undefined }
}

function ofUpkeep(pass: BlindPass, isBlind: boolean): FactsChange<ClusterFacts> | undefined {
  const { now, facts: { updating, startingSince, startUnseen, controlPlane } } = pass
  const isLate = isBlind && startingSince !== undefined && controlPlane !== 'usable' && now - startingSince >= DEADLINES.clusterStart && startUnseen === undefined
  if (!updating && !isLate) return undefined
  return { ...updating && { updating: undefined }, ...isLate && { startUnseen: words(pass) } }
}

function words({ what, since, why }: BlindPass): string {
  return `${what} could not be looked at since ${rfc3339Seconds(since)}: ${why}`
}
