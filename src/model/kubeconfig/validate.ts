import { membersOf, missing, optionalTexts, optionalWhole, optionalWord, refuseMember, requiredText } from '../request.ts'

export interface KubeconfigCreation {
  readonly clusterId: string
  readonly type: 'Public' | 'Private'
  readonly validHours: number
}

/** CreateKubeconfig: ValidDuration in hours, 1 to 867240, by default 26280 (api.md 2). */
export function parseCreateKubeconfig(body: unknown): KubeconfigCreation {
  const request = membersOf('CreateKubeconfig', body)
  const clusterId = requiredText(request, 'ClusterId')
  const type = optionalWord(request, 'Type', ['Public', 'Private', 'TargetCluster']) ?? missing(request, 'Type')
  if (type === 'TargetCluster') refuseMember(request, 'Type', 'TargetCluster is for registered clusters, which are not served here; send Public or Private')
  return { clusterId, type, validHours: optionalWhole(request, 'ValidDuration', { min: 1, max: 867_240 }) ?? 26_280 }
}

export interface KubeconfigDeletionRequest {
  readonly clusterId: string
  readonly ids: readonly string[]
}

export function parseDeleteKubeconfigs(body: unknown): KubeconfigDeletionRequest {
  const request = membersOf('DeleteKubeconfigs', body)
  const ids = optionalTexts(request, 'Ids') ?? missing(request, 'Ids')
  if (ids.length === 0) missing(request, 'Ids')
  return { clusterId: requiredText(request, 'ClusterId'), ids: [...new Set(ids)] }
}
