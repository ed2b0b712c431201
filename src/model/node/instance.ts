import type { NodeSpec } from './record.ts'

/**
 * What lists show as a node's InstanceId: the server of the cloud that its caller named, else the machine that its pool had made, else the /etc/machine-id of the
 * machine that ran a script.
 */
export function instanceIdOf(spec: NodeSpec): string {
  return spec.instanceId ?? spec.machine ?? spec.machineId
}
