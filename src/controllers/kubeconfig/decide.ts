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

/** Made once the API is usable; revoked before it is forgotten, unless its cluster goes and takes the binding with it. */
export function decideKubeconfig({ now, record, cluster }: KubeconfigSeen): KubeconfigDecision {
  const clusterGoes = !cluster || cluster.facts.deletion !== undefined
  if (clusterGoes) return rest(record.deletionRequestedAt === undefined && cluster ? undefined : 'forget')
  const usable = cluster.facts.controlPlane === 'usable'
  if (record.deletionRequestedAt !== undefined) return usable ? rest('revoke') : wait(now + 2 * SECOND)
  if (record.text !== undefined) return rest(undefined)
  return usable ? rest('issue') : wait(now + SECOND)
}

function rest(step: KubeconfigDecision['step']): KubeconfigDecision {
  return { step, lookAgainAt: undefined }
}

function wait(lookAgainAt: number): KubeconfigDecision {
  return { step: undefined, lookAgainAt }
}
