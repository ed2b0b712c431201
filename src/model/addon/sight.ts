import type { AddonFacts } from './record.ts'

/** Everything an add-on's status may depend on: its own facts, the rule by which its cluster is what it shows, and the region's time. */
export interface AddonSight {
  readonly now: number
  readonly facts: AddonFacts
  /** Undefined where that one is gone. */
  readonly clusterRule: string | undefined
}

export function addonSight(
  addon: { readonly facts: AddonFacts },
  cluster: { readonly said: { readonly rule: string } } | { readonly rule: string } | undefined,
  now: number,
): AddonSight {
  return { now, facts: addon.facts, clusterRule: cluster && ('said' in cluster ? cluster.said.rule : cluster.rule) }
}
