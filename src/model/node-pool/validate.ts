import { resourceWords } from '../cluster/validate.ts'
import { optionalClientToken, optionalName, requiredName } from '../naming.ts'
import { member, membersOf, missing, optionalFlag, optionalObject, optionalText, optionalTexts, optionalWhole, optionalWord, refuseMember, requiredText, type Members } from '../request.ts'
import { optionalLabels, optionalTaints } from './labels.ts'
import type { NodePoolSpec } from './record.ts'

export interface NodePoolCreation {
  readonly clusterId: string
  readonly clientToken: string | undefined
  readonly spec: NodePoolSpec
}

/** CreateEdgeNodePool (api.md 4). Only static pools are served: elastic ones need machines that a region of ours cannot order yet. Throws Refusal. */
export function parseCreateEdgeNodePool(body: unknown): NodePoolCreation {
  const request = membersOf('CreateEdgeNodePool', body)
  const clusterId = requiredText(request, 'ClusterId')
  const name = requiredName(request)
  const type = optionalWord(request, 'NodePoolType', ['edge-machine-set', 'edge-machine-pool', 'machine-set']) ?? 'edge-machine-set'
  if (type === 'edge-machine-pool') refuseMember(request, 'NodePoolType', 'elastic pools are not served here yet; send edge-machine-set')
  if (type === 'machine-set') refuseMember(request, 'NodePoolType', 'central pools are made by CreateNodePool; send edge-machine-set')
  const config = optionalObject(request, 'KubernetesConfig')
  const vpcId = optionalText(request, 'VpcId', 128)
  const billingConfigs = optionalBilling(request)
  return {
    clusterId, clientToken: optionalClientToken(request),
    spec: {
      name, type, labels: (config && optionalLabels(config)) ?? [], taints: (config && optionalTaints(config)) ?? [],
      ...(vpcId ? { vpcId } : {}), ...(billingConfigs ? { billingConfigs } : {}), kubernetesConfigSent: config !== undefined,
    },
  }
}

export interface NodePoolUpdate {
  readonly clusterId: string
  readonly id: string
  readonly clientToken: string | undefined
  /** Only what was given; an empty list of labels or taints takes all away. */
  readonly change: Partial<Pick<NodePoolSpec, 'name' | 'labels' | 'taints' | 'billingConfigs' | 'kubernetesConfigSent'>>
}

export function parseUpdateEdgeNodePoolConfig(body: unknown): NodePoolUpdate {
  const request = membersOf('UpdateEdgeNodePoolConfig', body)
  const [clusterId, id] = [requiredText(request, 'ClusterId'), requiredText(request, 'Id')]
  const name = optionalName(request)
  const config = optionalObject(request, 'KubernetesConfig')
  const [labels, taints] = [config && optionalLabels(config), config && optionalTaints(config)]
  const billingConfigs = optionalBilling(request)
  return {
    clusterId, id, clientToken: optionalClientToken(request),
    change: {
      ...(name === undefined ? {} : { name }), ...(labels ? { labels } : {}), ...(taints ? { taints } : {}),
      ...(billingConfigs ? { billingConfigs } : {}), ...(config ? { kubernetesConfigSent: true } : {}),
    },
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

export interface NodeDeletionRequest {
  readonly clusterId: string
  readonly nodePoolId: string
  /** At least one, each once. */
  readonly ids: readonly string[]
  readonly cascading: readonly string[]
}

/** DeleteEdgeNodes: at most 100 nodes of one pool. */
export function parseDeleteEdgeNodes(body: unknown): NodeDeletionRequest {
  const request = membersOf('DeleteEdgeNodes', body)
  const ids = optionalTexts(request, 'Ids') ?? missing(request, 'Ids')
  if (ids.length === 0) missing(request, 'Ids')
  return {
    clusterId: requiredText(request, 'ClusterId'), nodePoolId: requiredText(request, 'NodePoolId'), ids: [...new Set(ids)],
    cascading: resourceWords(request, 'CascadingDeleteResources', ['Ecs']),
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
