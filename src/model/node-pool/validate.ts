import { resourceWords } from '../cluster/validate.ts'
import { optionalClientToken, optionalName, requiredName } from '../naming.ts'
import { member, membersOf, missing, optionalFlag, optionalObject, optionalText, optionalWhole, optionalWord, refuseMember, requiredText, type Members } from '../request.ts'
import { parseElasticConfig } from './elastic-config.ts'
import { optionalLabels, optionalTaints } from './labels.ts'
import type { NodePoolSpec } from './record.ts'
import { MOST_DESIRED_REPLICAS } from './scaling.ts'

export interface NodePoolCreation {
  readonly clusterId: string
  readonly clientToken: string | undefined
  readonly spec: NodePoolSpec
}

/** CreateEdgeNodePool (api.md 4): static pools, whose nodes run an onboarding script, and elastic ones, which order their machines. Throws Refusal. */
export function parseCreateEdgeNodePool(body: unknown): NodePoolCreation {
  const request = membersOf('CreateEdgeNodePool', body)
  const clusterId = requiredText(request, 'ClusterId')
  const name = requiredName(request)
  const type = optionalWord(request, 'NodePoolType', ['edge-machine-set', 'edge-machine-pool', 'machine-set']) ?? 'edge-machine-set'
  if (type === 'machine-set') refuseMember(request, 'NodePoolType', 'central pools are made by CreateNodePool; send edge-machine-set or edge-machine-pool')
  const vpcId = optionalText(request, 'VpcId', 128)
  const billingConfigs = optionalBilling(request)
  const elastic = optionalObject(request, 'ElasticConfig')
  if (type === 'edge-machine-set' && elastic) refuseMember(request, 'ElasticConfig', 'static pools have none; send NodePoolType edge-machine-pool for an elastic one')
  return {
    clusterId, clientToken: optionalClientToken(request),
    spec: {
      name, type, labels: [], taints: [], ...parseKubernetesConfig(request),
      ...(vpcId ? { vpcId } : {}), ...(billingConfigs ? { billingConfigs } : {}),
      ...(type === 'edge-machine-pool' ? parseElasticConfig(elastic ?? missing(request, 'ElasticConfig')) : {}),
    },
  }
}

/** What a call changes of a pool; only what was given, and of nested objects only the members given. An empty list takes all away. */
export interface NodePoolUpdate {
  readonly clusterId: string
  readonly id: string
  readonly clientToken: string | undefined
  /** The spec after the change. Throws Refusal where that pool cannot have it. */
  readonly changed: (before: NodePoolSpec) => NodePoolSpec
}

export function parseUpdateEdgeNodePoolConfig(body: unknown): NodePoolUpdate {
  const request = membersOf('UpdateEdgeNodePoolConfig', body)
  const name = optionalName(request)
  const kubernetes = parseKubernetesConfig(request)
  const billingConfigs = optionalBilling(request)
  const elastic = optionalObject(request, 'ElasticConfig')
  return {
    clusterId: requiredText(request, 'ClusterId'), id: requiredText(request, 'Id'), clientToken: optionalClientToken(request),
    changed: before => {
      if (before.type === 'machine-set') refuseMember(request, 'Id', 'it is a central pool; change it with UpdateNodePoolConfig')
      if (elastic && before.type !== 'edge-machine-pool') refuseMember(request, 'ElasticConfig', 'the pool is static; only elastic pools have it')
      return {
        ...before, ...(name === undefined ? {} : { name }), ...kubernetes, kubernetesConfigSent: before.kubernetesConfigSent || kubernetes.kubernetesConfigSent,
        ...(billingConfigs ? { billingConfigs } : {}), ...(elastic ? parseElasticConfig(elastic, before) : {}),
      }
    },
  }
}

/** `KubernetesConfig`: only what was given of it. Names of nodes begin with NamePrefix; Cordon keeps pods off nodes to come; AutoSyncDisabled leaves the nodes that are there as they are. */
export function parseKubernetesConfig(request: Members): Pick<NodePoolSpec, 'kubernetesConfigSent'> & Partial<Pick<NodePoolSpec, 'labels' | 'taints' | 'cordon' | 'namePrefix' | 'autoSyncDisabled'>> {
  const config = optionalObject(request, 'KubernetesConfig')
  if (!config) return { kubernetesConfigSent: false }
  const [labels, taints] = [optionalLabels(config), optionalTaints(config)]
  const [cordon, namePrefix, autoSyncDisabled] = [optionalFlag(config, 'Cordon'), optionalText(config, 'NamePrefix', 51), optionalFlag(config, 'AutoSyncDisabled')]
  return {
    ...(labels ? { labels } : {}), ...(taints ? { taints } : {}), ...(cordon === undefined ? {} : { cordon }), ...(namePrefix === undefined ? {} : { namePrefix }),
    ...(autoSyncDisabled === undefined ? {} : { autoSyncDisabled }), kubernetesConfigSent: true,
  }
}

export interface NodePoolDeletionRequest {
  readonly clusterId: string
  readonly id: string
  readonly cascading: readonly string[]
  readonly retain: readonly string[]
}

export function parseDeleteNodePool(body: unknown): NodePoolDeletionRequest {
  const request = membersOf('DeleteNodePool', body)
  return {
    clusterId: requiredText(request, 'ClusterId'), id: requiredText(request, 'Id'),
    cascading: resourceWords(request, 'CascadingDeleteResources', ['Ecs']), retain: resourceWords(request, 'RetainResources', ['Ecs']),
  }
}

export interface NodePoolScaleUp {
  readonly clusterId: string
  readonly id: string
  readonly desiredReplicas: number
}

/** ScaleUpEdgeNodePool sets the target, which may be less than the pool has. */
export function parseScaleUp(body: unknown): NodePoolScaleUp {
  const request = membersOf('ScaleUpEdgeNodePool', body)
  return {
    clusterId: requiredText(request, 'ClusterId'), id: requiredText(request, 'NodePoolId'),
    desiredReplicas: optionalWhole(request, 'DesiredReplicas', { min: 0, max: MOST_DESIRED_REPLICAS }) ?? missing(request, 'DesiredReplicas'),
  }
}

/** Sources disagree whether PrePaidPeriod is a number of months or a unit's name: both are echoed as they came. */
function optionalBilling(request: Members): NodePoolSpec['billingConfigs'] {
  const config = optionalObject(request, 'BillingConfigs')
  if (!config) return undefined
  const prePaidPeriod = typeof member(config, 'PrePaidPeriod') === 'string' ? optionalText(config, 'PrePaidPeriod', 32) : optionalWhole(config, 'PrePaidPeriod', { min: 0, max: 36 })
  const prePaidPeriodNumber = optionalWhole(config, 'PrePaidPeriodNumber', { min: 0, max: 36 })
  const autoRenew = optionalFlag(config, 'AutoRenew')
  return {
    ...(prePaidPeriod === undefined ? {} : { prePaidPeriod }), ...(prePaidPeriodNumber === undefined ? {} : { prePaidPeriodNumber }), ...(autoRenew === undefined ? {} : { autoRenew }),
  }
}
