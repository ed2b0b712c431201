import type { ResourceKind } from '../evidence.ts'
import { ADDON_EXITS } from '../addon/exits.ts'
import { CLUSTER_EXITS } from '../cluster/exits.ts'
import { NODE_EXITS } from '../node/exits.ts'
import { NODE_POOL_EXITS } from '../node-pool/exits.ts'
import { ONBOARDING_EXITS } from '../onboarding/exits.ts'
import type { Exit } from './exit.ts'
import type { AnyStatus } from './table.ts'

const EXITS: Readonly<Record<ResourceKind, Readonly<Record<string, readonly Exit[]>>>> = {
  Cluster: CLUSTER_EXITS, NodePool: NODE_POOL_EXITS, Node: NODE_EXITS, Addon: ADDON_EXITS, Onboarding: ONBOARDING_EXITS,
}

/** `Exits` of ExplainStatus: every way out of the status, those of its several conditions together. */
export function exitsOf(kind: ResourceKind, status: AnyStatus): readonly { readonly By: 'call' | 'cause'; readonly What: string }[] {
  const exits = status.conditions.flatMap(condition => EXITS[kind][`${status.phase}/${condition}`] ?? [])
  const unlike = exits.filter((exit, index) => exits.findIndex(other => other[0] === exit[0] && other[1] === exit[1]) === index)
  return unlike.map(([by, what]) => ({ By: by, What: what }))
}
