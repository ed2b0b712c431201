import { canEnd } from '#model/addon/exits.ts'
import { canEndCluster, canOnlyBeDeleted } from '#model/cluster/exits.ts'
import type { ClusterRecord } from '#model/cluster/record.ts'
import { isRefusal } from '#model/errors/catalogue.ts'
import type { NodePoolRecord } from '#model/node-pool/record.ts'
import { canEndFailure } from '#model/node/exits.ts'
import { checkPrecondition, PRECONDITIONS, type GuardedAction } from '#model/preconditions.ts'
import { exitsOf as exitsOfStatus } from '#model/status/exits.ts'
import { statusText, type AnyStatus } from '#model/status/table.ts'
import type { Circumstances } from './circumstances.ts'
import type { Explained } from './explained.ts'

export interface Exit { readonly by: 'call' | 'cause'; readonly what: string }

/**
 * The ways out of the status by the model's tables: causes as sentences, and calls by their action's name where their precondition allows them now, parents included,
 * and nothing else refuses them.
 */
export function exitsOf(explained: Explained, now: number, circumstances: Circumstances = {}): readonly Exit[] {
  const { resource: { kind }, status, records } = explained
  const exits = exitsOfStatus(kind, status as AnyStatus)
  const { addon, cluster } = records
  const failed = kind === 'Node' && status.phase === 'Failed' ? records.nodes ?? [] : []
  // What is in a cluster that can only be deleted goes with it, and waits for nothing else.
  const dead = kind !== 'Cluster' && cluster && canOnlyBeDeleted(cluster) ? cluster : undefined
  const leadsOut = (cause: string) => (kind !== 'Cluster' || !cluster || canEndCluster(cause, cluster)) && (!addon || canEnd(cause, addon, cluster)) && failed.every(node => canEndFailure(cause, node))
  const causes = dead && !endsAnyway(explained) ? [] : exits.filter(exit => exit.By === 'cause' && leadsOut(exit.What)).map(exit => sentenceOf(exit.What))
  const isCentral = records.nodePool?.spec.type === 'machine-set'
  const actions = new Set(exits.filter(exit => exit.By === 'call').flatMap(exit => leadingOut(nameOf(exit.What, isCentral), records.nodePool)).filter(isGuarded))
  const allowed = [...actions].filter(action => isAccepted(() => checkPrecondition(action, records, now)))
  const calls = allowed.filter(action => !isRefusedAnyway(action, circumstances))
  const ownWays = [...causes.map(what => ({ by: 'cause' as const, what })), ...calls.map(action => callOf(action, cluster))]
  const ways = [...ownWays, ...dead && circumstances.refusesWrites === undefined ? withCluster(dead, now).filter(({ what }) => ownWays.every(own => own.what !== what)) : []]
  return ways.length > 0 ? ways : waysLater(cluster, now, { circumstances, owes: allowed.some(isRefusedInArrears) })
}

/** Its end, or its machine's power, needs nothing that works in the cluster. */
function endsAnyway({ resource: { kind }, status: { phase, conditions } }: Explained): boolean {
  return phase === 'Deleting' || conditions.includes('ResourceCleanupFailed') || (kind === 'Node' && conditions.includes('Balance'))
}

/** By what is no matter of its status. */
function isRefusedAnyway(action: GuardedAction, { refusesWrites, inArrears, cannotCordon, isRequired, hasOneVersion }: Circumstances): boolean {
  if (refusesWrites !== undefined || (inArrears && isRefusedInArrears(action))) return true
  return (action === 'DeleteAddon' && isRequired === true) || (action === 'UpdateAddonVersion' && hasOneVersion === true) || (action === 'SetNodeSchedulable' && cannotCordon === true)
}

/** status-rules.md, Arrears: all that is guarded makes or changes something, but for deletions. */
function isRefusedInArrears(action: GuardedAction): boolean {
  return !action.startsWith('Delete')
}

function callOf(action: GuardedAction, cluster: ClusterRecord | undefined): Exit {
  return { by: 'call', what: action === 'DeleteCluster' && cluster?.spec.deleteProtectionEnabled ? `${action} with Force` : action }
}

/** Where nothing but calls leads out, and none is accepted now: what has to end before one is. */
function waysLater(cluster: ClusterRecord | undefined, now: number, { circumstances: { refusesWrites, inArrears }, owes }: { readonly circumstances: Circumstances; readonly owes: boolean }): readonly Exit[] {
  if (refusesWrites !== undefined) return [{ by: 'cause', what: `Its region accepts calls again, or goes with everything in it; now ${refusesWrites.replace(/\.$/, '')}.` }]
  if (inArrears && owes) return [{ by: 'cause', what: 'The debt is paid, and calls that change something are accepted again.' }]
  return cluster ? withCluster(cluster, now) : []
}

/** What waits for its cluster where that one is in a state in which calls are refused, or goes with it. */
function withCluster(cluster: ClusterRecord, now: number): readonly Exit[] {
  const goesWithIt = isAccepted(() => checkPrecondition('DeleteCluster', { cluster }, now))
  const comesBack = !goesWithIt || !canOnlyBeDeleted(cluster)
  return [...comesBack ? [{ by: 'cause' as const, what: `Its cluster is ${statusText(cluster.said.status)} no longer, and calls are accepted again.` }] : [], ...goesWithIt ? [callOf('DeleteCluster', cluster)] : []]
}

/** The tables name the calls of the edge; central pools and their nodes have calls of their own for the same. */
const OF_CENTRAL_POOLS: Readonly<Record<string, string>> = { UpdateEdgeNodePoolConfig: 'UpdateNodePoolConfig', ScaleUpEdgeNodePool: 'UpdateNodePoolConfig', DeleteEdgeNodes: 'DeleteNodes' }

function nameOf(what: string, isCentral: boolean): string | undefined {
  const [action = ''] = what.split(' ')
  return isCentral ? OF_CENTRAL_POOLS[action] ?? action : action
}

/** A pool that is asked for what it has wants more all the same where its least, or its autoscaler, does; then its configuration is to be changed. */
function leadingOut(action: string | undefined, pool: NodePoolRecord | undefined): readonly (string | undefined)[] {
  if (action !== 'ScaleUpEdgeNodePool' || !pool) return [action]
  const { spec: { scaling }, counts: { total, deleting, stopped, stopping }, facts: { autoscaler } } = pool
  if (!scaling) return []
  return Math.max(scaling.minReplicas, autoscaler?.target ?? 0) > total - deleting - stopped - stopping ? ['UpdateEdgeNodePoolConfig'] : [action]
}

function sentenceOf(phrase: string): string {
  return `${phrase.charAt(0).toUpperCase()}${phrase.slice(1)}.`
}

function isGuarded(action: string | undefined): action is GuardedAction {
  return action !== undefined && action in PRECONDITIONS
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
