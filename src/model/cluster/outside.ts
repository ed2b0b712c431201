import type { ClusterFacts, ClusterSpec } from './record.ts'

export type ClusterOutsideKind = 'LoadBalancer' | 'SecurityGroup' | 'Nat'

/** What a cluster has made for it outside, where its region makes such things: the load balancer and security group of its API, and a NAT gateway if its nodes shall reach out. */
export function wantedOutside({ resourcePublicAccessDefaultEnabled }: Pick<ClusterSpec, 'resourcePublicAccessDefaultEnabled'>): readonly ClusterOutsideKind[] {
  return ['LoadBalancer', 'SecurityGroup', ...resourcePublicAccessDefaultEnabled ? ['Nat' as const] : []]
}

/** The words of DeleteCluster's lists that name each kind. */
const WORDS: Readonly<Record<ClusterOutsideKind, readonly string[]>> = { LoadBalancer: ['Clb', 'Alb'], SecurityGroup: ['SecurityGroup'], Nat: ['Nat'] }

/** status-rules.md, Deletion: what was not asked to go stays, and what was asked to stay stays whatever else was asked. */
export function goesInDeletion(kind: ClusterOutsideKind, { cascading, retain }: Pick<NonNullable<ClusterFacts['deletion']>, 'cascading' | 'retain'>): boolean {
  const named = (list: readonly string[]) => list.includes('All') || WORDS[kind].some(word => list.includes(word))
  return named(cascading) && !named(retain)
}

/** TryBest: what cannot be removed is left, and told, instead of standing in the way. */
export function leavesWhatIsHeld({ cascading }: Pick<NonNullable<ClusterFacts['deletion']>, 'cascading'>): boolean {
  return cascading.includes('TryBest')
}

export const OUTSIDE_NAMES: Readonly<Record<ClusterOutsideKind, string>> = { LoadBalancer: 'load balancer', SecurityGroup: 'security group', Nat: 'NAT gateway' }

/** Because of a ledger row that is Retained: no call of ours removes such a thing once its cluster is gone. `why`: a sentence without its full stop. */
export function retainedBecause(why: string): string {
  return `${why}; it is kept, and costs what it cost, until it is removed at its provider or its region is deleted`
}
