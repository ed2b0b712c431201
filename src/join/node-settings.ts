import { cidrOf, nthAddress } from '#model/cidr.ts'
import type { ClusterRecord } from '#model/cluster/record.ts'
import type { NodeFacts, NodeRecord } from '#model/node/record.ts'
import { BEGINS_CORDONED, configText, wishOf } from '#model/node-pool/node-config.ts'
import type { Label, NodePoolRecord, Taint } from '#model/node-pool/record.ts'
import type { ComponentFile } from '#ports/components.ts'
import type { Overlay } from '#ports/overlay.ts'
import { fileWords } from './machine-files.ts'

/** What a Node object carries from its first moment, as its kubelet registers it: before anybody else could change it, pods come. */
export interface Beginning {
  readonly labels: readonly Label[]
  readonly taints: readonly Taint[]
  /** Nothing is scheduled on it until somebody opens it. */
  readonly cordoned?: true
}

export function beginningOf(nodePool: Pick<NodePoolRecord, 'spec'>, node: Pick<NodeRecord, 'spec' | 'facts'>): Beginning {
  const { labels, taints } = wishOf(nodePool.spec, node.spec)
  return { labels: labels.filter(mayLabelItself), taints, ...node.facts.toCordon && { cordoned: true } }
}

/** So that the server can take off what its pool wants no more when it comes; undefined where it is told nothing. */
export function beginsText(begins: Beginning): Pick<NodeFacts, 'begins'> {
  return begins.labels.length + begins.taints.length > 0 ? { begins: configText(begins) } : {}
}

/** Everything of the answer to a join that is not particular to one node. */
export function nodeSettings(cluster: ClusterRecord, nodePool: NodePoolRecord, begins: Beginning, region: { registry: string; pauseImage: string; clusterDomain: string }, ca: string, files: readonly ComponentFile[]): Record<string, string> {
  const serviceCidr = cluster.spec.serviceCidrs[0] ?? ''
  return {
    EH_CLUSTER_ID: cluster.id,
    EH_CLUSTER_NAME: cluster.spec.name,
    EH_NODE_POOL_NAME: nodePool.spec.name,
    EH_API_URL: `https://${cluster.address ?? ''}:6443`,
    EH_CLUSTER_CA_BASE64: Buffer.from(ca).toString('base64'),
    // The tenth address of the services' range, where cluster DNS listens.
    EH_DNS: nthAddress(cidrOf(serviceCidr), 10),
    EH_DOMAIN: region.clusterDomain,
    EH_POD_CIDR: cluster.spec.podCidrs[0] ?? '',
    EH_SERVICE_CIDR: serviceCidr,
    EH_REGISTRY: region.registry,
    EH_PAUSE_IMAGE: `${region.registry}/${region.pauseImage}`,
    EH_MAX_PODS: String(cluster.spec.maxPodsPerNode),
    EH_NODE_LABELS: begins.labels.map(({ key, value }) => `${key}=${value}`).join(','),
    EH_NODE_TAINTS: [...begins.taints, ...begins.cordoned ? [BEGINS_CORDONED] : []].map(({ key, value, effect }) => `${key}=${value}:${effect}`).join(','),
    EH_KUBERNETES_VERSION: cluster.spec.servedVersion,
    EH_FILES: fileWords(files),
  }
}

/** And what of it only a machine outside of the region's network must know, with its own address in the overlay. */
export function overlaySettings({ entrance }: Pick<Overlay, 'entrance'>, address: string): Record<string, string> {
  return { EH_OVERLAY_ADDRESS: address, EH_OVERLAY_SERVER: entrance.server, EH_OVERLAY_RANGES: entrance.ranges.join(' ') }
}

/**
 * A kubelet refuses to start with a label of Kubernetes' own domains that is not on its short list, and NodeRestriction would refuse it too; the
 * server puts those on later.
 */
export function mayLabelItself({ key }: Label): boolean {
  const domain = key.includes('/') ? key.slice(0, key.indexOf('/')) : ''
  return !/(^|\.)(kubernetes|k8s)\.io$/.test(domain) || domain === 'kubelet.kubernetes.io' || domain === 'node.kubernetes.io'
}
