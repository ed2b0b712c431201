import { countsToWire, statusToWire } from '../status/wire.ts'
import { rfc3339Seconds } from '../time.ts'
import { ADD_METHODS } from './add-methods.ts'
import type { NodePoolRecord, NodePoolSpec } from './record.ts'
import { DEFAULT_SCALING, scalingToWire } from './scaling.ts'

/** An item of ListEdgeNodePools, which shows central pools too (terraform-needs.md 5): NodePoolType, always sent for them, and ElasticConfig on elastic pools alone, VpcId and BillingConfigs only if sent. */
export function nodePoolToWire(pool: NodePoolRecord) {
  const { spec } = pool
  return {
    ...baseToWire(pool),
    // Central pools are told by an empty profile.
    Type: spec.type, Profile: spec.type === 'machine-set' ? '' : 'Edge',
    ...(spec.vpcId === undefined ? {} : { VpcId: spec.vpcId }),
    NodeAddMethods: ADD_METHODS[spec.type],
    KubernetesConfig: labelsToWire(spec),
    ...(spec.billingConfigs ? { BillingConfigs: billingToWire(spec.billingConfigs) } : {}),
    ...(spec.type === 'edge-machine-pool' ? { NodePoolType: spec.type, ElasticConfig: elasticToWire(spec) } : {}),
  }
}

/** An item of ListNodePools (terraform-needs.md 4); clients crash without Security, Login, SystemVolume and the nine counters. */
export function centralNodePoolToWire(pool: NodePoolRecord) {
  const { spec } = pool
  return {
    ...baseToWire(pool),
    AutoScaling: { ...scalingToWire(spec.scaling ?? DEFAULT_SCALING), SubnetPolicy: spec.subnetPolicy ?? 'ZoneBalance' },
    NodeConfig: spec.template?.nodeConfig ?? {},
    KubernetesConfig: {
      ...labelsToWire(spec), Cordon: spec.cordon ?? false, AutoSyncDisabled: spec.autoSyncDisabled ?? false, ...(spec.namePrefix === undefined ? {} : { NamePrefix: spec.namePrefix }),
    },
    Tags: (spec.tags ?? []).map(tag => ({ Key: tag.key, Value: tag.value, Type: 'Custom' })),
  }
}

function baseToWire(pool: NodePoolRecord) {
  return {
    Id: pool.id, Name: pool.spec.name, ClusterId: pool.clusterId, Status: statusToWire(pool.said.status),
    CreateTime: rfc3339Seconds(pool.createdAt), UpdateTime: rfc3339Seconds(pool.updatedAt),
    CreateClientToken: pool.createClientToken ?? '', UpdateClientToken: pool.updateClientToken ?? '',
    NodeStatistics: countsToWire(pool.counts),
  }
}

export function labelsToWire(spec: Pick<NodePoolSpec, 'labels' | 'taints'>) {
  return {
    Labels: spec.labels.map(label => ({ Key: label.key, Value: label.value })),
    Taints: spec.taints.map(taint => ({ Key: taint.key, Value: taint.value, Effect: taint.effect })),
  }
}

function elasticToWire({ scaling, template }: NodePoolSpec) {
  return {
    CloudServerIdentity: template?.cloudServerIdentity ?? '', AutoScaleConfig: scalingToWire(scaling ?? DEFAULT_SCALING), InstanceArea: template?.instanceArea ?? {},
    ...(template?.cloudServerConfig === undefined ? {} : { CloudServerConfig: template.cloudServerConfig }),
  }
}

function billingToWire(billing: NonNullable<NodePoolRecord['spec']['billingConfigs']>) {
  return {
    ...(billing.prePaidPeriod === undefined ? {} : { PrePaidPeriod: billing.prePaidPeriod }),
    ...(billing.prePaidPeriodNumber === undefined ? {} : { PrePaidPeriodNumber: billing.prePaidPeriodNumber }),
    ...(billing.autoRenew === undefined ? {} : { AutoRenew: billing.autoRenew }),
  }
}
