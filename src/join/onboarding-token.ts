import { createHash } from 'node:crypto'
import type { OnboardingRecord } from '#model/onboarding/record.ts'
import { rfc3339Seconds } from '#model/time.ts'
import type { Store } from '#ports/store.ts'
import { JoinRefused } from './refused.ts'

/** How tokens and machine secrets are kept: lower-case hex of their SHA-256. */
export const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex')

/** The onboarding script that a token belongs to, if it may still be used; else refuses with a sentence that says since when not. */
export async function findUsableOnboarding(store: Store, region: string, token: string, now: number): Promise<OnboardingRecord> {
  const onboarding = token ? await store.findOnboardingByTokenHash(hashOf(token)) : undefined
  if (!onboarding || onboarding.region !== region) throw new JoinRefused(403, 'The token of this onboarding script is unknown here.')
  if (onboarding.deletedAt !== undefined) throw new JoinRefused(403, `The onboarding script ${onboarding.name} was deleted at ${rfc3339Seconds(onboarding.deletedAt)}.`)
  if (onboarding.expiresAt * 1000 <= now) throw new JoinRefused(403, `The onboarding script ${onboarding.name} expired at ${rfc3339Seconds(onboarding.expiresAt * 1000)}.`)
  return onboarding
}
