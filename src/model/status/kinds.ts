import { ADDON_CONDITIONS_TOGETHER, ADDON_STATUS } from '../addon/status.ts'
import { CLUSTER_CONDITIONS_TOGETHER, CLUSTER_STATUS } from '../cluster/status.ts'
import type { ResourceKind } from '../evidence.ts'
import { NODE_CONDITIONS_TOGETHER, NODE_STATUS } from '../node/status.ts'
import { NODE_POOL_CONDITIONS_TOGETHER, NODE_POOL_STATUS } from '../node-pool/status.ts'
import { ONBOARDING_CONDITIONS_TOGETHER, ONBOARDING_STATUS } from '../onboarding/status.ts'
import type { ConditionSets, StatusRow } from './table.ts'

/** All status tables by kind of resource, for what treats them alike: filters, SQL checks, documents, labels. */
export const STATUS_TABLES: Readonly<Record<ResourceKind, { readonly zh: string; readonly rows: readonly StatusRow[]; readonly together: ConditionSets }>> = {
  Cluster: { zh: '集群', rows: CLUSTER_STATUS, together: CLUSTER_CONDITIONS_TOGETHER },
  NodePool: { zh: '节点池', rows: NODE_POOL_STATUS, together: NODE_POOL_CONDITIONS_TOGETHER },
  Node: { zh: '节点', rows: NODE_STATUS, together: NODE_CONDITIONS_TOGETHER },
  Addon: { zh: '组件', rows: ADDON_STATUS, together: ADDON_CONDITIONS_TOGETHER },
  Onboarding: { zh: '纳管脚本', rows: ONBOARDING_STATUS, together: ONBOARDING_CONDITIONS_TOGETHER },
}
