import type { AddonRecord } from './addon/record.ts'
import { nextInstantOfAddon } from './addon/rules.ts'
import { addonSight } from './addon/sight.ts'
import type { AddonStatus } from './addon/status.ts'
import type { ClusterRecord } from './cluster/record.ts'
import { nextInstantOfCluster } from './cluster/rules.ts'
import { clusterSight } from './cluster/sight.ts'
import type { ClusterStatus } from './cluster/status.ts'
import { isGentle, refuse, soundsGone } from './errors/catalogue.ts'
import type { NodePoolRecord } from './node-pool/record.ts'
import { nextInstantOfNodePool } from './node-pool/rules.ts'
import { nodePoolSight } from './node-pool/sight.ts'
import type { NodePoolStatus } from './node-pool/status.ts'
import type { NodeRecord } from './node/record.ts'
import { nextInstantOfNode } from './node/rules.ts'
import { nodeSight } from './node/sight.ts'
import type { NodeStatus } from './node/status.ts'
import { statusText, type AnyStatus } from './status/table.ts'
import { rfc3339Seconds } from './time.ts'

/** A phase with any condition, or with exactly one of those named. */
type Allowed<Status extends AnyStatus> = { readonly [Phase in Status['phase']]: readonly [phase: Phase, conditions: '*' | readonly Extract<Status, { phase: Phase }>['conditions'][number][]] }[Status['phase']]

/** In which states an action is accepted; what is not named is not looked at. */
export interface Precondition {
  readonly cluster?: readonly Allowed<ClusterStatus>[]
  readonly nodePool?: readonly Allowed<NodePoolStatus>[]
  readonly node?: readonly Allowed<NodeStatus>[]
  readonly addon?: readonly Allowed<AddonStatus>[]
}

const WORKING_CLUSTER: Precondition['cluster'] = [['Running', '*'], ['Updating', '*']]
const DELETING_CLUSTER: Precondition['cluster'] = [['Running', '*'], ['Updating', ['Progressing']], ['Stopped', ['Balance']]]
const WORKING_POOL: Precondition['nodePool'] = [['Running', '*'], ['Scaling', '*']]
const DELETABLE_POOL: Precondition['nodePool'] = [['Running', '*'], ['Scaling', '*'], ['Failed', '*']]
const ANY_BUT_DELETING: Precondition['node'] = [
  ['Creating', '*'], ['Running', '*'], ['Updating', '*'], ['Starting', '*'], ['Stopping', '*'], ['Stopped', '*'], ['Failed', '*'],
]

/** One change after the other. */
const SETTLED_ADDON: Precondition['addon'] = [['Running', '*'], ['Failed', ['NameConflict', 'CrashLoopBackOff', 'ImagePullBackOff', 'Degraded', 'SchedulingFailed', 'Unknown']]]
const ANY_ADDON_BUT_DELETING: Precondition['addon'] = [['Creating', '*'], ['Running', '*'], ['Updating', '*'], ['Failed', '*']]

/** The preconditions of status-rules.md, one row an action; status-model.md 8 where it says so. */
// oxfmt-ignore
export const PRECONDITIONS = {
  UpdateClusterConfig:      { cluster: WORKING_CLUSTER },
  DeleteCluster:            { cluster: [['Running', '*'], ['Failed', '*'], ['Stopped', ['Balance']]] },
  CreateKubeconfig:         { cluster: WORKING_CLUSTER },
  DeleteKubeconfigs:        {},
  CreateNodePool:           { cluster: WORKING_CLUSTER },
  CreateDefaultNodePool:    { cluster: WORKING_CLUSTER },
  CreateEdgeNodePool:       { cluster: WORKING_CLUSTER },
  UpdateEdgeNodePoolConfig: { cluster: WORKING_CLUSTER,  nodePool: WORKING_POOL },
  UpdateNodePoolConfig:     { cluster: WORKING_CLUSTER,  nodePool: WORKING_POOL },
  ScaleUpEdgeNodePool:      { cluster: WORKING_CLUSTER,  nodePool: WORKING_POOL },
  ScaleDownEdgeNodePool:    { cluster: WORKING_CLUSTER,  nodePool: WORKING_POOL },
  DeleteNodePool:           { cluster: DELETING_CLUSTER, nodePool: DELETABLE_POOL },
  CreateBatchEdgeMachine:   { cluster: WORKING_CLUSTER,  nodePool: WORKING_POOL },
  UpdateBatchEdgeMachine:   {},
  DeleteBatchEdgeMachine:   {},
  CreateEdgeNode:           { cluster: WORKING_CLUSTER,  nodePool: WORKING_POOL },
  CreateNodes:              { cluster: WORKING_CLUSTER,  nodePool: WORKING_POOL },
  DeleteEdgeNodes:          { cluster: DELETING_CLUSTER, nodePool: DELETABLE_POOL, node: ANY_BUT_DELETING },
  DeleteNodes:              { cluster: DELETING_CLUSTER, nodePool: DELETABLE_POOL, node: ANY_BUT_DELETING },
  CreateAddon:              { cluster: WORKING_CLUSTER },
  UpdateAddonConfig:        { cluster: WORKING_CLUSTER,  addon: SETTLED_ADDON },
  UpdateAddonVersion:       { cluster: WORKING_CLUSTER,  addon: SETTLED_ADDON },
  DeleteAddon:              { cluster: [['Running', '*'], ['Updating', '*'], ['Stopped', '*']], addon: ANY_ADDON_BUT_DELETING },
  SetNodeSchedulable:       { cluster: WORKING_CLUSTER,  node: [['Running', '*'], ['Updating', '*'], ['Failed', ['NotReady']]] },
} as const satisfies Readonly<Record<string, Precondition>>

export type GuardedAction = keyof typeof PRECONDITIONS

export interface Targets {
  readonly cluster?: ClusterRecord
  readonly nodePool?: NodePoolRecord
  readonly nodes?: readonly NodeRecord[]
  readonly addon?: AddonRecord
}

/** True if the status is one of those. */
export function isIn(status: AnyStatus, allowed: readonly (readonly [string, '*' | readonly string[]])[]): boolean {
  return allowed.some(([phase, conditions]) => phase === status.phase && (conditions === '*' || status.conditions.some(condition => conditions.includes(condition))))
}

/**
 * Throws Refusal OperationDenied.ClusterStatus, .NodePoolStatus or .NodeStatus if the action is not accepted now; looks at the cluster first, then at the pool,
 * then at the nodes. The text names the resource, its status, what is in the way, since when and, where known, until when.
 */
export function checkPrecondition(action: GuardedAction, targets: Targets, now: number): void {
  const wanted: Precondition = PRECONDITIONS[action]
  const { cluster, nodePool, nodes = [], addon } = targets
  if (wanted.cluster && cluster && !isIn(cluster.said.status, wanted.cluster)) {
    const until = nextInstantOfCluster(clusterSight(cluster, [], now))
    refuse('OperationDenied.ClusterStatus', { text: refusalText(action, 'cluster', cluster, wanted.cluster, operationOnCluster(cluster), until) })
  }
  if (wanted.nodePool && nodePool && !isIn(nodePool.said.status, wanted.nodePool)) {
    const until = nextInstantOfNodePool(nodePoolSight(nodePool, cluster, now))
    refuse('OperationDenied.NodePoolStatus', { text: refusalText(action, 'node pool', nodePool, wanted.nodePool, operationOnNodePool(nodePool), until) })
  }
  if (wanted.addon && addon && !isIn(addon.said.status, wanted.addon)) {
    const until = nextInstantOfAddon(addonSight(addon, cluster, now))
    refuse('OperationDenied.AddonStatus', { text: refusalText(action, 'add-on', addon, wanted.addon, operationOnAddon(addon), until) })
  }
  const blocked = wanted.node && nodes.find(node => !isIn(node.said.status, wanted.node ?? []))
  if (wanted.node && blocked) {
    refuse('OperationDenied.NodeStatus', { text: refusalText(action, 'node', blocked, wanted.node, operationOnNode(blocked), nextInstantOfNode(nodeSight(blocked, now))) })
  }
}

interface Blocked {
  readonly id: string
  readonly spec: { readonly name: string }
  readonly said: { readonly status: AnyStatus; readonly since: number; readonly rule: string }
}

/** Only words of our own and the rule's name go in: a component's or kubelet's own words may sound to a client as if the thing were gone. */
function refusalText(action: string, kind: string, record: Blocked, allowed: readonly (readonly [string, '*' | readonly string[]])[], operation: string | undefined, until: number | undefined): string {
  const wanted = allowed.map(([phase, conditions]) => `{${phase},[${conditions === '*' ? '*' : conditions.join('|')}]}`)
  const name = isGentle(action) && soundsGone(record.spec.name) ? record.id : `${record.spec.name} (${record.id})`
  const sentences = [
    `${action} needs the ${kind} ${name} to be ${wanted.length > 1 ? `${wanted.slice(0, -1).join(', ')} or ${wanted.at(-1)}` : wanted[0]}`,
    `it is ${statusText(record.said.status)} since ${rfc3339Seconds(record.said.since)}: ${operation ?? record.said.rule}`,
  ]
  return `${sentences.join('; ')}${until === undefined ? '' : `, until ${rfc3339Seconds(until)} at the latest`}.`
}

function operationOnCluster(cluster: ClusterRecord): string | undefined {
  const { deletion, updating } = cluster.facts
  if (deletion) return `DeleteCluster is under way since ${rfc3339Seconds(deletion.requestedAt)}`
  if (cluster.said.status.phase === 'Creating') return `CreateCluster is under way since ${rfc3339Seconds(cluster.createdAt)}`
  return updating && cluster.said.status.phase === 'Updating' ? `${updating.action} is under way since ${rfc3339Seconds(updating.since)}` : undefined
}

function operationOnNodePool(pool: NodePoolRecord): string | undefined {
  const { deletion, updating } = pool.facts
  if (deletion) return `${deletion.by === 'cluster' ? 'DeleteCluster' : 'DeleteNodePool'} is under way since ${rfc3339Seconds(deletion.requestedAt)}`
  if (pool.said.status.phase === 'Creating') return `${pool.spec.type !== 'machine-set' ? 'CreateEdgeNodePool' : pool.spec.isDefault ? 'CreateDefaultNodePool' : 'CreateNodePool'} is under way since ${rfc3339Seconds(pool.createdAt)}`
  return updating && pool.said.status.phase === 'Updating' ? `${pool.spec.type === 'machine-set' ? 'UpdateNodePoolConfig' : 'UpdateEdgeNodePoolConfig'} is under way since ${rfc3339Seconds(updating.since)}` : undefined
}

function operationOnAddon({ facts }: AddonRecord): string | undefined {
  if (facts.deletion) return `${facts.deletion.by === 'cluster' ? 'DeleteCluster' : 'DeleteAddon'} is under way since ${rfc3339Seconds(facts.deletion.requestedAt)}`
  return facts.operation && `${facts.operation.action} is under way since ${rfc3339Seconds(facts.operation.since)}`
}

const DELETED_BY = { call: 'DeleteEdgeNodes', pool: 'DeleteNodePool', cluster: 'DeleteCluster', scaling: 'Scaling in' } as const

function operationOnNode(node: NodeRecord): string | undefined {
  const { deletion } = node.facts
  return deletion && `${deletion.action ?? DELETED_BY[deletion.by]} is under way since ${rfc3339Seconds(deletion.requestedAt)}`
}
