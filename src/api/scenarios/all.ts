import { ADDON_SCENARIOS, ADDON_UNIONS } from './add-ons.ts'
import { CLUSTER_SCENARIOS, CLUSTER_UNIONS } from './clusters.ts'
import { NODE_POOL_SCENARIOS } from './node-pools.ts'
import { NODE_SCENARIOS, NODE_UNIONS } from './nodes.ts'
import type { Scenario } from './scenario.ts'

export const SCENARIOS: readonly Scenario[] = [...CLUSTER_SCENARIOS, ...NODE_POOL_SCENARIOS, ...NODE_SCENARIOS, ...ADDON_SCENARIOS, ...CLUSTER_UNIONS, ...NODE_UNIONS, ...ADDON_UNIONS]
