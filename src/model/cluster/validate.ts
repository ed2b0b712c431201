import { cidrOf, cidrsOverlap } from '../cidr.ts'
import { optionalClientToken, optionalDescription, optionalName, requiredName } from '../naming.ts'
import {
  membersOf, missing, optionalFlag, optionalObject, optionalObjects, optionalText, optionalTexts, optionalWhole, optionalWord, refuseMember, requiredObject, requiredText, type Members,
} from '../request.ts'
import { optionalTags } from '../tags.ts'
import { servedVersion } from '../versions.ts'
import { requiredPodRange, requiredServiceRange } from './ranges.ts'
import type { ClusterSpec } from './record.ts'

export const MAX_PODS_PER_NODE = [16, 32, 64, 128, 256] as const
export const LOG_TYPES = ['Audit', 'KubeApiServer', 'KubeScheduler', 'KubeControllerManager'] as const
/** What the answers show where the caller asked for no public access; clients crash without a number. */
const DEFAULT_PUBLIC_ACCESS = { billingType: 3, bandwidth: 10 }

/** CreateCluster's body as a spec, with the server's defaults filled in (api.md 2). Throws Refusal. `served`: Kubernetes versions, newest last. */
export function parseCreateCluster(body: unknown, served: readonly string[]): ClusterSpec {
  const request = membersOf('CreateCluster', body)
  const name = requiredName(request)
  const description = optionalDescription(request) ?? ''
  const profile = parseProfile(request)
  const kubernetesVersion = optionalText(request, 'KubernetesVersion', 64) || undefined
  const { version } = servedVersion(kubernetesVersion, served)
  const pods = parsePods(requiredObject(request, 'PodsConfig'))
  const serviceCidrs = parseServices(requiredObject(request, 'ServicesConfig'), pods.podCidrs)
  const logging = parseLogging(request)
  optionalClientToken(request)
  return {
    name, description, profile, kubernetesVersion, servedVersion: version,
    deleteProtectionEnabled: optionalFlag(request, 'DeleteProtectionEnabled') ?? false,
    edgeTunnelEnabled: optionalFlag(request, 'EdgeTunnelEnabled') ?? false,
    ...parseClusterConfig(requiredObject(request, 'ClusterConfig')),
    ...pods, serviceCidrs, ...(logging ? { logging } : {}), tags: optionalTags(request),
  }
}

export interface ClusterUpdate {
  readonly id: string
  readonly clientToken: string | undefined
  /** Only what was given. */
  readonly change: Partial<Pick<ClusterSpec, 'name' | 'description' | 'deleteProtectionEnabled' | 'edgeTunnelEnabled'>>
}

/** UpdateClusterConfig: only given members change; the others of that call are not served yet and are ignored like unknown ones. */
export function parseUpdateCluster(body: unknown): ClusterUpdate {
  const request = membersOf('UpdateClusterConfig', body)
  const [name, description] = [optionalName(request), optionalDescription(request)]
  const [deleteProtectionEnabled, edgeTunnelEnabled] = [optionalFlag(request, 'DeleteProtectionEnabled'), optionalFlag(request, 'EdgeTunnelEnabled')]
  return {
    id: requiredText(request, 'Id'), clientToken: optionalClientToken(request),
    change: {
      ...(name === undefined ? {} : { name }), ...(description === undefined ? {} : { description }),
      ...(deleteProtectionEnabled === undefined ? {} : { deleteProtectionEnabled }), ...(edgeTunnelEnabled === undefined ? {} : { edgeTunnelEnabled }),
    },
  }
}

/** What DeleteCluster's lists may name; `All` is what the Terraform provider sends. */
export const CLUSTER_RESOURCES = ['DefaultNodePoolResource', 'NodePoolResource', 'Clb', 'Alb', 'Nat', 'SecurityGroup', 'TryBest', 'All'] as const

export interface ClusterDeletionRequest {
  readonly id: string
  readonly force: boolean
  readonly cascading: readonly string[]
  readonly retain: readonly string[]
}

export function parseDeleteCluster(body: unknown): ClusterDeletionRequest {
  const request = membersOf('DeleteCluster', body)
  return {
    id: requiredText(request, 'Id'), force: optionalFlag(request, 'Force') ?? false,
    cascading: resourceWords(request, 'CascadingDeleteResources', CLUSTER_RESOURCES), retain: resourceWords(request, 'RetainResources', CLUSTER_RESOURCES),
  }
}

/** A list of words of a delete call; the refusal does not repeat what was sent, since clients read some words as "gone". */
export function resourceWords(from: Members, name: string, words: readonly string[]): readonly string[] {
  const sent = optionalTexts(from, name) ?? []
  if (!sent.every(word => words.includes(word))) refuseMember(from, name, `its elements must be among ${words.join(', ')}`)
  return [...new Set(sent)]
}

function parseProfile(request: Members): string {
  const profile = requiredText(request, 'Profile')
  if (profile === 'Cloud') refuseMember(request, 'Profile', 'Cloud clusters were the closed product\'s own; send Edge')
  if (profile !== 'Edge') refuseMember(request, 'Profile', 'it must be Edge')
  return profile
}

function parseClusterConfig(config: Members) {
  const subnetIds = optionalTexts(config, 'SubnetIds') ?? missing(config, 'SubnetIds')
  if (subnetIds.length === 0) missing(config, 'SubnetIds')
  const apiServerPublicAccessEnabled = optionalFlag(config, 'ApiServerPublicAccessEnabled') ?? false
  const access = optionalObject(config, 'ApiServerPublicAccessConfig')
  const network = access && optionalObject(access, 'PublicAccessNetworkConfig')
  const isp = network && optionalText(network, 'Isp', 64)
  return {
    subnetIds: [...new Set(subnetIds)], apiServerPublicAccessEnabled,
    publicAccess: {
      billingType: (network && optionalWhole(network, 'BillingType', { min: 1, max: 3 })) ?? DEFAULT_PUBLIC_ACCESS.billingType,
      bandwidth: (network && optionalWhole(network, 'Bandwidth', { min: 1, max: 100_000 })) ?? DEFAULT_PUBLIC_ACCESS.bandwidth,
      ...(isp ? { isp } : {}),
    },
    resourcePublicAccessDefaultEnabled: optionalFlag(config, 'ResourcePublicAccessDefaultEnabled') ?? false,
  }
}

function parsePods(config: Members) {
  const podNetworkMode = optionalWord(config, 'PodNetworkMode', ['Flannel', 'VpcCniShared']) ?? missing(config, 'PodNetworkMode')
  if (podNetworkMode === 'VpcCniShared') refuseMember(config, 'PodNetworkMode', 'VpcCniShared gives pods addresses of the closed cloud\'s VPC, which is not here; send Flannel')
  const flannel = requiredObject(config, 'FlannelConfig')
  const sent = optionalWhole(flannel, 'MaxPodsPerNode', { min: 1, max: 256 })
  const maxPodsPerNode = sent ?? 64
  if (!(MAX_PODS_PER_NODE as readonly number[]).includes(maxPodsPerNode)) refuseMember(flannel, 'MaxPodsPerNode', `it must be one of ${MAX_PODS_PER_NODE.join(', ')}`)
  return { podNetworkMode, podCidrs: requiredPodRange(flannel, maxPodsPerNode), maxPodsPerNode, ...(sent === undefined ? { maxPodsPerNodeIsDefault: true as const } : {}), vpcCniSubnetIds: [] }
}

function parseServices(config: Members, podCidrs: readonly string[]): readonly string[] {
  const serviceCidrs = requiredServiceRange(config)
  const overlap = podCidrs.find(pod => serviceCidrs.some(service => cidrsOverlap(cidrOf(pod), cidrOf(service))))
  if (overlap !== undefined) refuseMember(config, 'ServiceCidrsv4', `it overlaps the pod range ${overlap}`)
  return serviceCidrs
}

/** Undefined unless something was asked for: an empty echo would make the Terraform provider replace the cluster. */
function parseLogging(request: Members): ClusterSpec['logging'] {
  const config = optionalObject(request, 'LoggingConfig')
  if (!config) return undefined
  const logProjectId = optionalText(config, 'LogProjectId', 128) ?? ''
  const logSetups = (optionalObjects(config, 'LogSetups') ?? []).map(setup => ({
    logType: optionalWord(setup, 'LogType', LOG_TYPES) ?? missing(setup, 'LogType'),
    logTtl: optionalWhole(setup, 'LogTtl', { min: 1, max: 3650 }) ?? 30,
    enabled: optionalFlag(setup, 'Enabled') ?? false,
  }))
  if (new Set(logSetups.map(setup => setup.logType)).size < logSetups.length) refuseMember(config, 'LogSetups', 'a LogType is there twice')
  return logProjectId === '' && logSetups.length === 0 ? undefined : { logProjectId, logSetups }
}
