import { countsToWire, statusToWire } from '../status/wire.ts'
import { rfc3339Seconds } from '../time.ts'
import type { NodePoolRecord } from './record.ts'

/** An item of ListEdgeNodePools (terraform-needs.md 5): never NodePoolType, no ElasticConfig on static pools, VpcId and BillingConfigs only if sent. */
export function nodePoolToWire(pool: NodePoolRecord) {
  const { spec } = pool
  return {
    Id: pool.id, Name: spec.name, ClusterId: pool.clusterId, Status: statusToWire(pool.said.status),
    CreateTime: rfc3339Seconds(pool.createdAt), UpdateTime: rfc3339Seconds(pool.updatedAt),
    CreateClientToken: pool.createClientToken ?? '', UpdateClientToken: pool.updateClientToken ?? '',
    // Central pools are told by an empty profile.
    Type: spec.type, Profile: spec.type === 'machine-set' ? '' : 'Edge',
    ...(spec.vpcId === undefined ? {} : { VpcId: spec.vpcId }),
    NodeAddMethods: spec.type === 'edge-machine-set' ? ['script'] : ['auto'],
    KubernetesConfig: {
      Labels: spec.labels.map(label => ({ Key: label.key, Value: label.value })),
      Taints: spec.taints.map(taint => ({ Key: taint.key, Value: taint.value, Effect: taint.effect })),
    },
    NodeStatistics: countsToWire(pool.counts),
    ...(spec.billingConfigs ? { BillingConfigs: billingToWire(spec.billingConfigs) } : {}),
  }
}

function billingToWire(billing: NonNullable<NodePoolRecord['spec']['billingConfigs']>) {
  return {
    ...(billing.prePaidPeriod === undefined ? {} : { PrePaidPeriod: billing.prePaidPeriod }),
    ...(billing.prePaidPeriodNumber === undefined ? {} : { PrePaidPeriodNumber: billing.prePaidPeriodNumber }),
    ...(billing.autoRenew === undefined ? {} : { AutoRenew: billing.autoRenew }),
  }
}
