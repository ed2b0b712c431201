import type { AddonRecord } from '#model/addon/record.ts'
import type { ClusterRecord } from '#model/cluster/record.ts'
import type { NodePoolRecord } from '#model/node-pool/record.ts'
import { instanceIdOf } from '#model/node/instance.ts'
import type { NodeRecord } from '#model/node/record.ts'
import type { HistoryRow } from '#model/settle.ts'

/** What stands in a row besides JSON columns and what lists filter by. */
export interface BaseRow {
  readonly id: string
  readonly account_id: string
  readonly region: string
  readonly revision: number
  readonly created_at: number
  readonly updated_at: number
  readonly create_client_token: string | null
  readonly update_client_token: string | null
}
export interface ClusterRow extends BaseRow, Pick<ClusterRecord, 'spec' | 'facts' | 'said' | 'counts'> { readonly address: string | null }
export interface NodePoolRow extends BaseRow, Pick<NodePoolRecord, 'spec' | 'facts' | 'said' | 'counts'> { readonly cluster_id: string }
export interface NodeRow extends BaseRow, Pick<NodeRecord, 'spec' | 'facts' | 'said'> { readonly cluster_id: string; readonly node_pool_id: string }

export interface AddonRow extends BaseRow, Pick<AddonRecord, 'spec' | 'facts' | 'said'> { readonly cluster_id: string }

const BASE = 'id, account_id, region, revision, created_at, updated_at, create_client_token, update_client_token, spec, facts, said'
export const CLUSTER_COLUMNS = `${BASE}, counts, address`
export const NODE_POOL_COLUMNS = `${BASE}, counts, cluster_id`
export const ADDON_COLUMNS = `${BASE}, cluster_id`
export const NODE_COLUMNS = `${BASE}, cluster_id, node_pool_id`

export function clusterOf(row: ClusterRow): ClusterRecord {
  return { ...baseOf(row), spec: row.spec, facts: row.facts, said: row.said, counts: row.counts, ...(row.address === null ? {} : { address: row.address }) }
}

export function nodePoolOf(row: NodePoolRow): NodePoolRecord {
  return { ...baseOf(row), clusterId: row.cluster_id, spec: row.spec, facts: row.facts, said: row.said, counts: row.counts }
}

export function nodeOf(row: NodeRow): NodeRecord {
  return { ...baseOf(row), clusterId: row.cluster_id, nodePoolId: row.node_pool_id, spec: row.spec, facts: row.facts, said: row.said }
}

export function addonOf(row: AddonRow): AddonRecord {
  return { ...baseOf(row), clusterId: row.cluster_id, spec: row.spec, facts: row.facts, said: row.said }
}

export function baseOf(row: BaseRow) {
  return {
    id: row.id, accountId: row.account_id, region: row.region, revision: row.revision, createdAt: row.created_at, updatedAt: row.updated_at,
    ...(row.create_client_token === null ? {} : { createClientToken: row.create_client_token }),
    ...(row.update_client_token === null ? {} : { updateClientToken: row.update_client_token }),
  }
}

/** Rows go to the database by their columns (connection/sent-rows.ts): one statement for any number of them. */
export function clusterRow(record: ClusterRecord): object {
  const { spec } = record
  return {
    ...baseRow(record), name: spec.name, delete_protection: spec.deleteProtectionEnabled, pod_network_mode: spec.podNetworkMode, profile: spec.profile,
    tags: spec.tags, address: record.address ?? null, counts: record.counts,
  }
}

export function nodePoolRow(record: NodePoolRecord): object {
  return { ...baseRow(record), cluster_id: record.clusterId, name: record.spec.name, type: record.spec.type, auto_scaling: record.spec.scaling?.enabled ?? false, tags: record.spec.tags ?? [], counts: record.counts }
}

export function nodeRow(record: NodeRecord): object {
  const { spec } = record
  return { ...bareRow(record), cluster_id: record.clusterId, node_pool_id: record.nodePoolId, name: spec.name, address: spec.address ?? null, machine_id: spec.machineId, instance_id: instanceIdOf(spec) }
}

/** What lists of nodes filter by besides ids, parents and what is sent with a call. */
export function nodeStatusRow({ id, accountId, region, createdAt, spec, said: { status } }: NodeRecord): object {
  return { id, account_id: accountId, region, created_at: createdAt, name: spec.name, phase: status.phase, conditions: status.conditions }
}

export function addonRow(record: AddonRecord): object {
  const { spec } = record
  return { ...baseRow(record), cluster_id: record.clusterId, name: spec.name, deploy_mode: spec.deployMode, deploy_node_type: spec.deployNodeType }
}

function baseRow(record: ClusterRecord | NodePoolRecord | AddonRecord) {
  return { ...bareRow(record), phase: record.said.status.phase, conditions: record.said.status.conditions }
}

function bareRow(record: ClusterRecord | NodePoolRecord | NodeRecord | AddonRecord) {
  return {
    id: record.id, account_id: record.accountId, region: record.region, revision: record.revision, created_at: record.createdAt, updated_at: record.updatedAt,
    create_client_token: record.createClientToken ?? null, update_client_token: record.updateClientToken ?? null,
    spec: record.spec, facts: record.facts, said: record.said,
  }
}

/** A row of history hangs on its cluster's id too, so that a cluster's whole story is one look; the cluster's own rows carry their own id. */
export function historyRow(row: HistoryRow, owner: { accountId: string; region: string }): object {
  const { resource } = row
  return {
    at: row.at, account_id: owner.accountId, region: owner.region, kind: resource.kind, id: resource.id, name: resource.name,
    cluster_id: resource.kind === 'Cluster' ? resource.id : (resource.clusterId ?? null), phase: row.status?.phase ?? null, conditions: row.status?.conditions ?? null,
    rule: row.rule, because: row.because, evidence: row.evidence, caused_by: row.causedBy ?? null, operation: row.operation ?? null,
  }
}
