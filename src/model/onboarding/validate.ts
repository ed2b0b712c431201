import { optionalClientToken } from '../naming.ts'
import { membersOf, missing, optionalText, optionalTexts, optionalWhole, refuseMember, requiredText, type Members } from '../request.ts'

/** The year 2100, as far as a region's clock may go. */
const LATEST_UNIX_SECONDS = 4_102_444_800
/** Ten years; longer ones are asked for by ExpirationDate. */
const MAX_TTL_HOURS = 87_600

export interface OnboardingCreation {
  readonly clusterId: string
  readonly nodePoolId: string
  readonly name: string | undefined
  readonly clientToken: string | undefined
  /** Unix seconds, region's time. */
  readonly expiresAt: number
  /** As sent, for the echo. */
  readonly expirationDate: number | undefined
}

/** CreateBatchEdgeMachine: TTLHours (whole, at least 1), or ExpirationDate (unix seconds, in the future), which wins. `now`: the region's time in ms. */
export function parseCreateBatchEdgeMachine(body: unknown, now: number): OnboardingCreation {
  const request = membersOf('CreateBatchEdgeMachine', body)
  const [clusterId, nodePoolId] = [requiredText(request, 'ClusterId'), requiredText(request, 'NodePoolId')]
  const name = optionalText(request, 'Name', 64)
  const expirationDate = optionalExpiration(request, now)
  const ttlHours = optionalWhole(request, 'TTLHours', { min: 1, max: MAX_TTL_HOURS })
  if (ttlHours === undefined && expirationDate === undefined) missing(request, 'TTLHours')
  const expiresAt = expirationDate ?? Math.floor(now / 1000) + (ttlHours ?? 0) * 3600
  return { clusterId, nodePoolId, name: name || undefined, clientToken: optionalClientToken(request), expiresAt, expirationDate }
}

export interface OnboardingUpdate {
  readonly id: string
  readonly clientToken: string | undefined
  readonly expirationDate: number
}

/** UpdateBatchEdgeMachine: NodeId is the script's id. */
export function parseUpdateBatchEdgeMachine(body: unknown, now: number): OnboardingUpdate {
  const request = membersOf('UpdateBatchEdgeMachine', body)
  return { id: requiredText(request, 'NodeId'), clientToken: optionalClientToken(request), expirationDate: optionalExpiration(request, now) ?? missing(request, 'ExpirationDate') }
}

export interface OnboardingDeletionRequest {
  readonly clusterId: string
  readonly nodePoolId: string
  readonly ids: readonly string[]
}

export function parseDeleteBatchEdgeMachine(body: unknown): OnboardingDeletionRequest {
  const request = membersOf('DeleteBatchEdgeMachine', body)
  const ids = optionalTexts(request, 'Ids') ?? missing(request, 'Ids')
  if (ids.length === 0) missing(request, 'Ids')
  return { clusterId: requiredText(request, 'ClusterId'), nodePoolId: requiredText(request, 'NodePoolId'), ids: [...new Set(ids)] }
}

function optionalExpiration(request: Members, now: number): number | undefined {
  const date = optionalWhole(request, 'ExpirationDate', { min: 0, max: LATEST_UNIX_SECONDS })
  // Clients that leave it out of their configuration may send the zero of their language.
  if (date === undefined || date === 0) return undefined
  if (date * 1000 <= now) refuseMember(request, 'ExpirationDate', 'it lies in the past; unix seconds are expected')
  return date
}
