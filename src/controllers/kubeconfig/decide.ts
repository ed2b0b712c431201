import type { ClusterRecord } from '#model/cluster/record.ts'
import type { KubeconfigRecord } from '#model/kubeconfig/record.ts'

export interface KubeconfigSeen {
  readonly now: number
  readonly record: Pick<KubeconfigRecord, 'text' | 'createdAt' | 'deletionRequestedAt'>
  /** `undefined` where the cluster's record is gone. */
  readonly cluster: Pick<ClusterRecord, 'facts'> | undefined
  /** The region tells every change of a control plane. */
  readonly tellsAll?: boolean | undefined
}

export interface KubeconfigDecision {
  readonly step: 'issue' | 'revoke' | 'forget' | undefined
  readonly lookAgainAt: number | undefined
}

const SECOND = 1_000, HOUR = 3_600 * SECOND

/**
 * Made once the API is usable; revoked before it is forgotten, for as long as there may be an API that obeys it: a cluster that is being deleted may keep its own
 * for minutes, and one whose deletion does not succeed for days. Those that nobody deleted stay listed, and end with the cluster's record.
 * Who makes the cluster's API usable, or takes it away for good, wakes those that wait; they look by themselves ever more seldom.
 */
export function decideKubeconfig(seen: KubeconfigSeen): KubeconfigDecision {
  const { record, cluster } = seen
  if (!cluster) return rest('forget')
  const { deletion, controlPlane } = cluster.facts
  const usable = controlPlane === 'usable'
  if (record.deletionRequestedAt !== undefined) {
    if (deletion && (controlPlane === 'absent' || deletion.controlPlaneGone)) return rest('forget') // there is nobody who could obey it
    return usable ? rest('revoke') : wait(seen, record.deletionRequestedAt, 2 * SECOND)
  }
  if (deletion || record.text !== undefined) return rest(undefined)
  return usable ? rest('issue') : wait(seen, record.createdAt, SECOND)
}

function rest(step: KubeconfigDecision['step']): KubeconfigDecision {
  return { step, lookAgainAt: undefined }
}

/** Half as long as it has waited; where everything is told, without a bound: a wait of years is no work. */
function wait({ now, tellsAll }: KubeconfigSeen, since: number, leastMs: number): KubeconfigDecision {
  return { step: undefined, lookAgainAt: now + Math.min(Math.max((now - since) / 2, leastMs), tellsAll ? Infinity : HOUR) }
}
