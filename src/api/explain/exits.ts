import { isRefusal } from '#model/errors/catalogue.ts'
import type { ResourceKind } from '#model/evidence.ts'
import { isMachineRemoved } from '#model/node/readiness.ts'
import { checkPrecondition, type GuardedAction } from '#model/preconditions.ts'
import type { Explained } from './explained.ts'

export interface Exit { readonly by: 'call' | 'cause'; readonly what: string }

type Row = readonly [kind: ResourceKind, phase: string, condition: string, what: string]

/** How each state is left without a call: the column "left by" of status-rules.md, in sentences. `*` stands for every condition. */
// oxfmt-ignore
const CAUSES: readonly Row[] = [
  ['Cluster',  'Creating', '*',                     'Its control plane becomes usable: API, scheduler, controller manager, network and DNS.'],
  ['Cluster',  'Running',  'Ok',                    'A node pool starts to move, or its control plane fails.'],
  ['Cluster',  'Running',  'Degraded',              'What is down behind its API comes back.'],
  ['Cluster',  'Updating', '*',                     'The node pools, or the change under way, come to rest.'],
  ['Cluster',  'Deleting', '*',                     'Everything of it is gone.'],
  ['Cluster',  'Stopped',  '*',                     'The debt is paid.'],
  ['Cluster',  'Starting', '*',                     'Its control plane becomes usable again.'],
  ['Cluster',  'Failed',   'Unknown',               'Its control plane comes back; it is started again and again.'],
  ['NodePool', 'Creating', '*',                     'The cluster admits members of the pool.'],
  ['NodePool', 'Running',  'Ok',                    'A machine joins or a node is deleted.'],
  ['NodePool', 'Running',  '*',                     'Stock, quota or balance change; the claim is tried again.'],
  ['NodePool', 'Scaling',  '*',                     'The nodes that are being created or deleted come to rest.'],
  ['NodePool', 'Updating', '*',                     'Labels and taints are in every Node object that can be reached.'],
  ['NodePool', 'Deleting', '*',                     'Its nodes are gone.'],
  ['NodePool', 'Failed',   'ClusterNotRunning',     'The cluster runs again.'],
  ['Node',     'Creating', '*',                     'Its kubelet reports Ready.'],
  ['Node',     'Running',  'Unschedulable',         'It is uncordoned (SetNodeSchedulable, or kubectl uncordon).'],
  ['Node',     'Running',  'Ok',                    'Its heartbeats stop, its power goes, or it is cordoned.'],
  ['Node',     'Updating', '*',                     'Labels and taints are in its Node object.'],
  ['Node',     'Deleting', '*',                     'Its pods are evicted and its Node object is gone.'],
  ['Node',     'Starting', '*',                     'Its kubelet reports Ready.'],
  ['Node',     'Stopping', '*',                     'Its power is off.'],
  ['Node',     'Stopped',  '*',                     'Its pool starts it.'],
  ['Node',     'Failed',   'NotReady',              'Its kubelet reports Ready again, once it has power and network.'],
  ['Node',     'Failed',   'InitializeFailed',      'The same machine runs its script again after the fault is mended.'],
  ['Node',     'Failed',   'Balance',               'The debt is paid.'],
]

/** Calls that lead out, where their precondition allows them now. */
const CALLS: Readonly<Partial<Record<ResourceKind, readonly GuardedAction[]>>> = {
  Cluster: ['UpdateClusterConfig', 'CreateEdgeNodePool', 'DeleteCluster'],
  NodePool: ['UpdateEdgeNodePoolConfig', 'DeleteNodePool'],
  Node: ['DeleteEdgeNodes'],
}

export function exitsOf(explained: Explained, now: number): readonly Exit[] {
  const { resource: { kind }, status: { phase, conditions }, records } = explained
  // A machine that its provider has no more comes back by nothing: what is left are calls.
  const isLost = kind === 'Node' && phase === 'Failed' && records.nodes?.some(node => isMachineRemoved(node.facts)) === true
  const row = isLost ? undefined : CAUSES.find(([rowKind, rowPhase, condition]) => rowKind === kind && rowPhase === phase && (condition === '*' || conditions.includes(condition)))
  const calls = (CALLS[kind] ?? []).filter(action => isAccepted(() => checkPrecondition(action, records, now)))
  return [...row ? [{ by: 'cause' as const, what: row[3] }] : [], ...calls.map(action => ({ by: 'call' as const, what: action }))]
}

function isAccepted(check: () => void): boolean {
  try {
    check()
    return true
  } catch (error) {
    if (isRefusal(error)) return false
    throw error
  }
}
