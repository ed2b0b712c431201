import type { RecordBase } from '../cluster/record.ts'

/** An onboarding script (纳管脚本): a template with a lifetime, listed as {Creating,[Ok]}; each machine that runs it becomes a node. */
export interface OnboardingRecord extends RecordBase {
  readonly clusterId: string
  readonly nodePoolId: string
  readonly name: string
  /** Unix seconds, region's time; `TTLTime` on the wire. */
  readonly expiresAt: number
  /** ExpirationDate as sent, for the echo. */
  readonly expirationDate?: number
  /** SHA-256 of the onboarding token, lower-case hex; the token itself is stored encrypted and shown in the script only. */
  readonly tokenHash: string
  readonly deletedAt?: number
}
