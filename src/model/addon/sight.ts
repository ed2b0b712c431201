import type { ClusterStatus } from '../cluster/status.ts'
import type { AddonFacts } from './record.ts'

/** Everything an add-on's status may depend on: its own facts, its cluster's phase, and the region's time. */
export interface AddonSight {
  readonly now: number
  readonly facts: AddonFacts
  readonly clusterPhase: ClusterStatus['phase']
}

export function addonSight(
  addon: { readonly facts: AddonFacts },
  cluster: { readonly phase: ClusterStatus['phase'] } | { readonly said: { readonly status: ClusterStatus } },
  now: number,
): AddonSight {
  return { now, facts: addon.facts, clusterPhase: 'said' in cluster ? cluster.said.status.phase : cluster.phase }
}
