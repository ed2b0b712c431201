import { createHash } from 'node:crypto'
import type { OnboardingRecord } from '#model/onboarding/record.ts'
import { rfc3339Seconds } from '#model/time.ts'
import type { NodeToken, Store } from '#ports/store.ts'
import { JoinRefused } from './refused.ts'

/** How tokens and machine secrets are kept: lower-case hex of their SHA-256. */
export const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex')

/** What a token lets a machine become: some node of a pool, by an onboarding script, or exactly the one for which its pool ordered it. */
export type Invitation =
  | { readonly kind: 'script'; readonly clusterId: string; readonly name: string; readonly onboarding: OnboardingRecord }
  | { readonly kind: 'node'; readonly clusterId: string; readonly name: string; readonly nodeToken: NodeToken }

/** The invitation that a token is; else refuses with a sentence that says since when not. */
export async function findInvitation(store: Store, region: string, token: string, now: number): Promise<Invitation> {
  const nodeToken = token ? await store.findNodeToken(hashOf(token)) : undefined
  if (!nodeToken) {
    const onboarding = await findUsableOnboarding(store, region, token, now)
    return { kind: 'script', clusterId: onboarding.clusterId, name: onboarding.name, onboarding }
  }
  const node = await store.findNode(nodeToken.nodeId)
  if (!node || node.region !== region) throw new JoinRefused(403, 'The node for which this machine was ordered is gone.')
  return { kind: 'node', clusterId: node.clusterId, name: node.spec.name, nodeToken }
}

/** The onboarding script that a token belongs to, if it may still be used; else refuses with a sentence that says since when not. */
export async function findUsableOnboarding(store: Store, region: string, token: string, now: number): Promise<OnboardingRecord> {
  const onboarding = token ? await store.findOnboardingByTokenHash(hashOf(token)) : undefined
  if (!onboarding || onboarding.region !== region) throw new JoinRefused(403, 'The token of this onboarding script is unknown here.')
  if (onboarding.deletedAt !== undefined) throw new JoinRefused(403, `The onboarding script ${onboarding.name} was deleted at ${rfc3339Seconds(onboarding.deletedAt)}.`)
  if (onboarding.expiresAt * 1000 <= now) throw new JoinRefused(403, `The onboarding script ${onboarding.name} expired at ${rfc3339Seconds(onboarding.expiresAt * 1000)}; it is ${rfc3339Seconds(now)} now.`)
  return onboarding
}
