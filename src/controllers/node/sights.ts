import type { Taint } from '#model/node-pool/record.ts'
import type { NodeFacts } from '#model/node/record.ts'
import type { NodeSeen } from '#ports/tenant-cluster.ts'

/** What a watch saw of a Node object, as the sight of kind KubernetesNode of that node's id. Only transitions are stored: heartbeats alone are not. */
export interface KubernetesNodeFact {
  /** The cluster has no Node object of that name; told explicitly, since a sight that is not there means that nobody looked. */
  readonly gone?: true
  readonly uid?: string
  readonly ready?: NonNullable<NodeFacts['ready']>
  readonly unschedulable: boolean
  readonly podCidr?: string
  readonly internalIp?: string
  readonly labels: Readonly<Record<string, string>>
  readonly taints: readonly Taint[]
  readonly pressures: readonly string[]
  /** Not Ready counts only from then on: the API was away, and its kubelets have one grace time to be heard again. Epoch ms, region's time. */
  readonly judgeFrom?: number
}

export const NODE_GONE: KubernetesNodeFact = { gone: true, unschedulable: false, labels: {}, taints: [], pressures: [] }

export function kubernetesNodeFact(seen: NodeSeen): KubernetesNodeFact {
  return {
    uid: seen.uid, unschedulable: seen.unschedulable, labels: seen.labels, taints: seen.taints, pressures: [...seen.pressures].sort(),
    ...(seen.ready && { ready: seen.ready }),
    ...(seen.podCidr !== undefined && { podCidr: seen.podCidr }),
    ...(seen.internalIp !== undefined && { internalIp: seen.internalIp }),
  }
}

/** What whoever watches a cluster writes of a node: the sight, and the key that has to look at it. `fact`: NODE_GONE where the cluster has no such Node object. */
export function nodeSight({ region, clusterName, id, fact, seenAt }: { readonly region: string; readonly clusterName: string; readonly id: string; readonly fact: KubernetesNodeFact; readonly seenAt: number }) {
  return { kind: 'KubernetesNode' as const, id, fact, seenAt, observer: `watch on cluster ${clusterName}`, key: { kind: 'node' as const, id, region } }
}

/** The fact without what changes while nothing changes: two facts with the same text are no transition. */
export function transitionText({ ready, labels, ...rest }: KubernetesNodeFact): string {
  const { lastHeartbeatAt: _, ...transition } = ready ?? { lastHeartbeatAt: undefined }
  return JSON.stringify([rest.uid, rest.gone, rest.unschedulable, rest.podCidr, rest.internalIp, rest.taints, rest.pressures, rest.judgeFrom, ready && transition, Object.entries(labels).sort(byKey)])
}

function byKey([one]: [string, string], [other]: [string, string]): number {
  return one < other ? -1 : one > other ? 1 : 0
}
