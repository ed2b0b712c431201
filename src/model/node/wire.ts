import { configOf } from '../node-pool/node-config.ts'
import { zoneOf } from '../node-pool/resource-types.ts'
import { labelsToWire } from '../node-pool/wire.ts'
import { statusToWire } from '../status/wire.ts'
import { rfc3339Seconds } from '../time.ts'
import { instanceIdOf } from './instance.ts'
import type { NodeRecord } from './record.ts'

/**
 * An item of ListEdgeNodes (terraform-needs.md 6). A machine that joined by script has no instance of the cloud: InstanceId is its machine-id, ProviderId is empty.
 * ProviderId of a machine that was ordered is its provider's. BootstrapScript is that of an onboarding script, which ListBatchEdgeMachine lists; a node has none of its own.
 */
export function nodeToWire(node: NodeRecord) {
  return { ...baseToWire(node), Profile: 'Edge', EdgeNodeType: node.spec.instanceId === undefined ? 'edge-machine' : 'edge-server', ProviderId: node.spec.machine ?? '', BootstrapScript: '' }
}

/** An item of ListNodes (api.md 3). Its zone is the region's one, which ListSupportedResourceTypes names; labels and taints are those that were put on it for its pool. */
export function centralNodeToWire(node: NodeRecord) {
  return {
    ...baseToWire(node), MetadataName: node.spec.name, ZoneId: zoneOf(node.region), IsVirtual: false, Roles: ['Worker'],
    KubernetesConfig: { ...labelsToWire(configOf(node.facts.configured)), Cordon: node.facts.unschedulable },
    ImageId: '', InitializeScript: '', PreScript: '', AdditionalContainerStorageEnabled: false, ContainerStoragePath: '', ...node.spec.sent,
  }
}

function baseToWire(node: NodeRecord) {
  return {
    Id: node.id, Name: node.spec.name, ClusterId: node.clusterId, NodePoolId: node.nodePoolId, Status: statusToWire(node.said.status),
    CreateTime: rfc3339Seconds(node.createdAt), UpdateTime: rfc3339Seconds(node.updatedAt), CreateClientToken: node.createClientToken ?? '', InstanceId: instanceIdOf(node.spec),
  }
}
