import { statusToWire } from '../status/wire.ts'
import { rfc3339Seconds } from '../time.ts'
import type { NodeRecord } from './record.ts'

/** An item of ListEdgeNodes (terraform-needs.md 6). A machine that joined by script has no instance of the cloud: InstanceId is its machine-id, ProviderId is empty. */
export function nodeToWire(node: NodeRecord) {
  return {
    Id: node.id, Name: node.spec.name, ClusterId: node.clusterId, NodePoolId: node.nodePoolId, Status: statusToWire(node.said.status),
    CreateTime: rfc3339Seconds(node.createdAt), UpdateTime: rfc3339Seconds(node.updatedAt), CreateClientToken: node.createClientToken ?? '',
    InstanceId: node.spec.machineId, Profile: 'Edge', EdgeNodeType: 'edge-machine', ProviderId: '',
  }
}
