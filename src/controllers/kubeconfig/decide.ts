import type { ClusterRecord } from '#model/cluster/record.ts'
import type { KubeconfigRecord } from '#model/kubeconfig/record.ts'

export interface KubeconfigSeen {
  readonly now: number
  readonly record: Pick<KubeconfigRecord, 'text' | 'deletionRequestedAt'>
  /** `undefined` where the cluster's record is gone. */
  readonly cluster: Pick<ClusterRecord, 'facts'> | undefined
}

export interface KubeconfigDecision {
  readonly step: 'issue' | 'revoke' | 'forget' | undefined
  readonly lookAgainAt: number | undefined
}

const SECOND = 1_000

/**
 * Made once the API is usable; revoked before it is forgotten, for as long as there may be an API that obeys it: a cluster that is being deleted may keep its own
 * for minutes, and one whose deletion does not succeed for days. Those that nobody deleted stay listed, and end with the cluster's record.
 */
export function decideKubeconfig({ now, record, cluster }: KubeconfigSeen): KubeconfigDecision {
  if (!cluster) return rest('forget')
  const { deletion, controlPlane } = cluster.facts
  const usable = controlPlane === 'usable'
  if (record.deletionRequestedAt !== undefined) {
    if (deletion && (controlPlane === 'absent' || deletion.controlPlaneGone)) return rest('forget') // there is nobody who could obey it
    return usable ? rest('revoke') : wait(now + 2 * SECOND)
  }
  if (deletion || record.text !== undefined) return rest(undefined)
  return usable ? rest('issue') : wait(now + SECOND)
}

function rest(step: KubeconfigDecision['step']): KubeconfigDecision {
  return { step, lookAgainAt: undefined }
}

function wait(lookAgainAt: number): KubeconfigDecision {
  return { step: undefined, lookAgainAt }
}
