import { beginsCordoned } from '#model/node-pool/node-config.ts'
import type { Taint } from '#model/node-pool/record.ts'
import type { NodeSeen } from '#ports/tenant-cluster.ts'
import type { NodeObject } from '../client/objects.ts'

const time = (text: string | undefined): number => text === undefined ? 0 : Date.parse(text)

/** What we keep of a Node object. */
export function seeNode(node: NodeObject): NodeSeen {
  const conditions = node.status?.conditions ?? []
  const ready = conditions.find(condition => condition.type === 'Ready')
  const internalIp = node.status?.addresses?.find(address => address.type === 'InternalIP')?.address
  return {
    name: node.metadata.name,
    uid: node.metadata.uid ?? '',
    ready: ready && {
      status: ready.status === 'True' || ready.status === 'False' ? ready.status : 'Unknown',
      since: time(ready.lastTransitionTime),
      reason: ready.reason ?? '',
      message: ready.message ?? '',
      ...(ready.lastHeartbeatTime === undefined ? {} : { lastHeartbeatAt: time(ready.lastHeartbeatTime) }),
    },
    unschedulable: isCordoned(node),
    ...(node.spec?.podCIDR === undefined ? {} : { podCidr: node.spec.podCIDR }),
    ...(internalIp === undefined ? {} : { internalIp }),
    labels: node.metadata.labels ?? {},
    taints: (node.spec?.taints ?? []).map(taint => ({ key: taint.key, value: taint.value ?? '', effect: taint.effect as Taint['effect'] })),
    createdAt: time(node.metadata.creationTimestamp),
    pressures: conditions.filter(condition => condition.type !== 'Ready' && condition.status === 'True').map(condition => condition.type),
  }
}

/** It is, or it is to be as soon as somebody can. */
export function isCordoned({ spec }: NodeObject): boolean {
  return spec?.unschedulable === true || beginsCordoned({ taints: spec?.taints ?? [] })
}

export function isReady({ status }: NodeObject): boolean {
  return status?.conditions?.some(condition => condition.type === 'Ready' && condition.status === 'True') ?? false
}

/** Whether an ordinary pod could be placed there now. */
export function isSchedulable(node: NodeObject): boolean {
  const shut = node.spec?.taints?.some(taint => taint.effect === 'NoSchedule' || taint.effect === 'NoExecute') ?? false
  return isReady(node) && !shut && !isCordoned(node)
}
