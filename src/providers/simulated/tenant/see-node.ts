import type { NodeSeen } from '#ports/tenant-cluster.ts'
import { HEARTBEAT_AGE, HEARTBEAT_MS } from '../durations.ts'
import type { Draw } from '../world/draw.ts'
import type { WorldNode } from '../world/things.ts'

const WORDS = {
  True: { reason: 'KubeletReady', message: 'kubelet is posting ready status' },
  False: { reason: 'KubeletNotReady', message: 'container runtime is down' },
  Unknown: { reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.' },
} as const

/** The Node object as its API gives it. The node was settled at `now`. */
export function seeNode(node: WorldNode, draw: Draw, now: number): NodeSeen {
  const { name, uid, unschedulable, podCidr, ip, labels, taints, createdAt } = node
  return {
    name, uid, unschedulable, podCidr, internalIp: ip, labels, taints, createdAt, pressures: [],
    ready: {
      status: node.ready, since: node.since, lastHeartbeatAt: lastHeartbeat(node, draw, now), reason: WORDS[node.ready].reason,
      message: node.ready === 'False' ? node.says ?? WORDS.False.message : WORDS[node.ready].message,
    },
  }
}

/** Whether an ordinary pod could be placed there now. */
export function isSchedulable({ ready, unschedulable, taints }: WorldNode): boolean {
  return ready === 'True' && !unschedulable && taints.every(({ effect }) => effect === 'PreferNoSchedule')
}

/** Heartbeats come every ten seconds from when it is heard. */
export function lastHeartbeat({ uid, heardSince, silentSince }: WorldNode, draw: Draw, now: number): number {
  if (silentSince !== undefined) return Math.max(heardSince, silentSince - draw.within(HEARTBEAT_AGE, 'heartbeat', uid, silentSince))
  return heardSince + Math.floor((now - heardSince) / HEARTBEAT_MS) * HEARTBEAT_MS
}
