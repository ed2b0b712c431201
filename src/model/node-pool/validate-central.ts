import { DEFAULT_NODE_POOL_NAME, optionalClientToken, optionalName, requiredName } from '../naming.ts'
import { membersOf, optionalObject, optionalWord, refuseMember, requiredObject, requiredText, type Members } from '../request.ts'
import { optionalTags } from '../tags.ts'
import { DEFAULT_SCALING, MOST_REPLICAS, parseScaling } from './scaling.ts'
import type { Scaling } from './record.ts'
import { mergeServerConfig, parseDefaultServerConfig, parseServerConfig, type ServerConfig } from './server-config.ts'
import { parseKubernetesConfig, type NodePoolCreation, type NodePoolUpdate } from './validate.ts'

const SUBNET_POLICIES = ['ZoneBalance', 'Priority'] as const

/** CreateNodePool (api.md 3). Throws Refusal. */
export function parseCreateNodePool(body: unknown): NodePoolCreation {
  const request = membersOf('CreateNodePool', body)
  const name = requiredName(request)
  const nodeConfig = parseServerConfig(requiredObject(request, 'NodeConfig'))
  const scaling = optionalObject(request, 'AutoScaling')
  const tags = optionalTags(request)
  const scaled = scaling ? parseScaling(scaling) : DEFAULT_SCALING
  refusePaidInAdvance(request, 'AutoScaling', scaled, nodeConfig)
  return {
    clusterId: requiredText(request, 'ClusterId'), clientToken: optionalClientToken(request),
    spec: {
      name, type: 'machine-set', labels: [], taints: [], ...parseKubernetesConfig(request), scaling: scaled, subnetPolicy: (scaling && subnetPolicy(scaling)) ?? 'ZoneBalance',
      template: { nodeConfig }, ...(tags.length > 0 ? { tags } : {}),
    },
  }
}

/** CreateDefaultNodePool: one a cluster, for servers that are added without a pool; it orders none by itself. */
export function parseCreateDefaultNodePool(body: unknown): NodePoolCreation {
  const request = membersOf('CreateDefaultNodePool', body)
  const tags = optionalTags(request)
  return {
    clusterId: requiredText(request, 'ClusterId'), clientToken: optionalClientToken(request),
    spec: {
      name: DEFAULT_NODE_POOL_NAME, type: 'machine-set', isDefault: true, labels: [], taints: [], ...parseKubernetesConfig(request),
      scaling: { ...DEFAULT_SCALING, maxReplicas: MOST_REPLICAS }, subnetPolicy: 'ZoneBalance', template: { nodeConfig: parseDefaultServerConfig(optionalObject(request, 'NodeConfig')) },
      ...(tags.length > 0 ? { tags } : {}),
    },
  }
}

/** UpdateNodePoolConfig: central pools. */
export function parseUpdateNodePoolConfig(body: unknown): NodePoolUpdate {
  const request = membersOf('UpdateNodePoolConfig', body)
  const name = optionalName(request)
  const kubernetes = parseKubernetesConfig(request)
  const [scaling, nodeConfig] = [optionalObject(request, 'AutoScaling'), optionalObject(request, 'NodeConfig')]
  const tags = request.values['Tags'] === undefined ? undefined : optionalTags(request)
  // Looked at once without a pool, so that what no pool can have is refused before any is looked for.
  if (scaling) parseScaling(scaling, { ...DEFAULT_SCALING, maxReplicas: MOST_REPLICAS })
  if (nodeConfig) mergeServerConfig(nodeConfig, {})
  return {
    clusterId: requiredText(request, 'ClusterId'), id: requiredText(request, 'Id'), clientToken: optionalClientToken(request),
    changed: before => {
      if (before.type !== 'machine-set') refuseMember(request, 'Id', 'it is an edge pool; change it with UpdateEdgeNodePoolConfig')
      if (before.isDefault && name !== undefined && name !== before.name) refuseMember(request, 'Name', 'the default node pool keeps its name')
      const policy = scaling && subnetPolicy(scaling)
      const scaled = scaling ? parseScaling(scaling, before.scaling) : before.scaling, servers = nodeConfig && mergeServerConfig(nodeConfig, before.template?.nodeConfig ?? {})
      // An update that says nothing of it is no time to refuse what is there already.
      if (scaling || nodeConfig?.values['InstanceChargeType'] !== undefined) refusePaidInAdvance(request, scaling ? 'AutoScaling' : 'NodeConfig.InstanceChargeType', scaled, servers ?? before.template?.nodeConfig)
      return {
        ...before, ...(name === undefined ? {} : { name }), ...kubernetes, kubernetesConfigSent: before.kubernetesConfigSent || kubernetes.kubernetesConfigSent,
        ...(scaled ? { scaling: scaled } : {}), ...(policy === undefined ? {} : { subnetPolicy: policy }),
        ...(servers ? { template: { ...before.template, nodeConfig: servers } } : {}), ...(tags ? { tags } : {}),
      }
    },
  }
}

/** api.md 3: PrePaid excludes auto scaling. */
function refusePaidInAdvance(request: Members, name: string, scaling: Scaling | undefined, servers: ServerConfig | undefined): void {
  if (scaling?.enabled && servers?.['InstanceChargeType'] === 'PrePaid') refuseMember(request, name, 'servers that are paid in advance do not come and go by themselves; send Enabled false, or InstanceChargeType PostPaid')
}

function subnetPolicy(scaling: Members): string | undefined {
  return optionalWord(scaling, 'SubnetPolicy', SUBNET_POLICIES)
}
